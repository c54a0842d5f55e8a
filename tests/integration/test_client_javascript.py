"""The JavaScript module against a real service: in Node, and in a browser of another origin."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import launch
from tests.faces import Faces
from tests.running import ROOT, Service, service_process
from tests.scripted_server import HANG_UP, scripted_server

JAVASCRIPT = ROOT / "client" / "javascript"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:playwright")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A page's own server, which has the module."""
    handler = partial(_Quiet, directory=str(JAVASCRIPT))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, site: str) -> Iterator[Service]:
    data_dir = tmp_path_factory.mktemp("data")
    with service_process(data_dir, insecure=False, cors_origins=site) as running:
        yield running


def in_node(code: str, **known: object) -> Any:
    """What the code leaves in `said`, with `semblance.js` as `module`."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    program = (
        f"import * as module from {json.dumps((JAVASCRIPT / 'semblance.js').as_uri())};\n"
        "import { readFile } from 'node:fs/promises';\n"
        f"const known = {json.dumps(known)};\nconst said = {{}};\n{code}\n"
        "console.log(JSON.stringify(said));"
    )
    done = subprocess.run(
        [node, "--input-type=module"],
        input=program,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_kind_of_call_in_node(service: Service, faces: Faces) -> None:
    said = in_node(
        """
        const client = new module.Client({ url: known.url, key: known.key });
        const read = (name) => readFile(`${known.folder}/${name}`);
        const metadata = { desk: "3" };
        const enrolled = await client.enroll("ada ü", [await read("obama.jpg"),
          new Blob([await read("obama2.jpg")])], { metadata });
        said.references = enrolled.references;
        const again = await client.enroll("ada ü", [await read("obama.jpg")]);
        said.again = again.accepted[0].duplicate;
        const probe = `data:image/jpeg;base64,${(await read("obama3.jpg")).toString("base64")}`;
        said.own = (await client.verify("ada ü", probe, { fmr: 1e-4 })).verified;
        said.other = (await client.verify("ada ü", await read("biden.jpg"))).verified;
        said.same = (await client.compare(await read("obama.jpg"), probe)).verified;
        said.faces = (await client.detect(probe)).faces.length;
        const found = await client.getIdentity("ada ü");
        said.metadata = found.metadata;
        const image = await client.getImage("ada ü", found.items[0].reference_id, 64);
        said.image = [image.type, image.size > 500];
        said.renamed = (await client.renameIdentity("ada ü", "bo")).identity;
        said.names = [];
        for await (const one of client.identities()) said.names.push(one.identity);
        said.unlocked = (await client.unlockIdentity("bo")) === undefined;
        said.liveness = (await client.beginLiveness("bo")).challenges > 0;
        said.model = (await client.getModel()).embedding_size > 0;
        said.metrics = (await client.metrics()).includes("semblance_references");
        said.deleted = await client.deleteIdentity("bo");
        try { await client.verify("bo", probe); } catch (error) {
          said.problem = [error instanceof module.Problem, error.status, error.code];
        }
        try { await client.detect("/etc/passwd"); } catch (error) { said.path = error.name; }
        """,
        url=service.url,
        key=service.key,
        folder=str(faces.folder),
    )
    assert said == {
        "references": 2,
        "again": True,
        "own": True,
        "other": False,
        "same": True,
        "faces": 1,
        "metadata": {"desk": "3"},
        "image": ["image/jpeg", True],
        "renamed": "bo",
        "names": ["bo"],
        "unlocked": True,
        "liveness": True,
        "model": True,
        "metrics": True,
        "deleted": {"identity": "bo", "references": 2},
        "problem": [True, 404, "unknown_identity"],
        "path": "TypeError",
    }


def test_retries_in_node() -> None:
    busy = (503, {"Retry-After": "0"}, {"code": "overloaded", "title": "t", "detail": "d"})
    enrolled: tuple[Any, ...] = (201, {}, {"references": 1})
    ask = "const client = new module.Client({ url: known.url });\n"
    with scripted_server(busy, HANG_UP, enrolled) as server:
        code = ask + "said.n = (await client.enroll('ada', [new Uint8Array(3)])).references;"
        assert in_node(code, url=server.url) == {"n": 1}
        assert len(server.asked) == 3
    with scripted_server(HANG_UP) as server:
        code = ask + (
            "try { await client.verify('ada', new Uint8Array(3)); }"
            "catch (error) { said.kind = error.name; }"
        )
        assert in_node(code, url=server.url) == {"kind": "Unreachable"}
        assert len(server.asked) == 1


@pytest.mark.long
def test_in_a_browser_of_another_origin(service: Service, site: str, faces: Faces) -> None:
    playwright_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium here")
    pictures = [list(faces.read(name)) for name in ("obama.jpg", "obama2.jpg")]
    with playwright_api.sync_playwright() as playwright:
        browser = launch(playwright, chromium)
        page = browser.new_page()
        page.goto(f"{site}/package.json")
        said = page.evaluate(
            """async ([url, key, one, two]) => {
                const { Client } = await import("/semblance.js");
                const client = new Client({ url, key });
                await client.enroll("web", [new Uint8Array(one)]);
                const probe = new Blob([new Uint8Array(two)]);
                const { verified } = await client.verify("web", probe);
                try { await client.verify("none", probe); } catch ({ code }) {
                    return { verified, code };
                }
            }""",
            [service.url, service.key, *pictures],
        )
        browser.close()
    assert said == {"verified": True, "code": "unknown_identity"}


def test_the_types_are_sound(tmp_path: Path) -> None:
    """Where TypeScript's compiler is."""
    compiler = shutil.which("tsc")
    if compiler is None:
        pytest.skip("there is no tsc here")
    use = tmp_path / "use.mts"
    use.write_text(
        f'import {{ Client }} from "{JAVASCRIPT}/semblance.js";\n'
        'const verdict = await new Client().verify("ada", new Uint8Array(1), { fmr: 1e-4 });\n'
        "const yes: boolean = verdict.verified;\nexport { yes };\n"
    )
    options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022"]
    subprocess.run([compiler, *options, str(use)], check=True, cwd=tmp_path)
