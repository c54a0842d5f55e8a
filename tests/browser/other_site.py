"""Another site: its page, and its server, which runs the code of docs/embed.md as it stands."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.running import ROOT

_PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>A shop</title>
<link rel="icon" href="data:,"><script type="module" src="/page.js"></script><body></body></html>"""
_SCRIPT = """
const said = document.createElement('p');
said.id = 'said';
document.body.append(said);
window.told = [];
try {{
  await import('{service}/static/semblance-verify.js');
}} catch (error) {{
  said.textContent = 'no module';
  throw error;
}}
const face = document.createElement('semblance-verify');
const begun = await fetch('/begin', {{ method: 'POST' }});
if (begun.ok) face.setAttribute('session', await begun.text());
face.setAttribute('identity', 'ada');
face.addEventListener('semblance-error', ({{ detail }}) => {{
  window.told.push(detail);
  said.textContent = `error ${{detail.code}}`;
}});
face.addEventListener('semblance-result', async ({{ detail }}) => {{
  window.told.push(detail);
  const answer = await fetch('/check', {{ method: 'POST', body: detail.signed }});
  said.textContent = await answer.text();
}});
document.body.append(face);
"""


@dataclass
class OtherSite:
    """A site at an origin of its own.

    Attributes:
        functions: `begin` and `check` of docs/embed.md; empty before `know`.
    """

    origin: str
    service: str = ""
    lang: str = "en"
    policy: str = ""
    functions: dict[str, Any] = field(default_factory=dict)
    checked: list[str] = field(default_factory=list)

    def know(self, service: str, key: str, issuer: str) -> None:
        """What an operator of the site sets."""
        self.service = service
        socket = service.replace("http", "ws", 1)
        # As strict as a page can be that uses the element.
        self.policy = (
            f"default-src 'none'; script-src 'self' {service}; img-src data:; "
            f"connect-src 'self' {service} {socket}; require-trusted-types-for 'script'"
        )
        environment = {"SERVICE": service, "KEY": key, "SITE": self.origin, "ISSUER": issuer}
        self.functions = documented_server(environment)


def documented_server(environment: dict[str, str]) -> dict[str, Any]:
    """The Python of docs/embed.md, run with these variables in its environment."""
    text = (ROOT / "docs" / "embed.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for name, value in environment.items():
        read = f'os.environ["{name}"]'
        assert block.count(read) == 1, f"docs/embed.md reads {name} once"
        block = block.replace(read, repr(value))
    made: dict[str, Any] = {}
    exec(compile(block, "docs/embed.md", "exec"), made)
    return made


@contextmanager
def other_site(host: str = "localhost") -> Iterator[OtherSite]:
    """Serves on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/page.js":
                script = _SCRIPT.format(service=site.service)
                self._answer(200, script, "text/javascript")
            else:
                self._answer(200, _PAGE.format(lang=site.lang), "text/html; charset=utf-8")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            try:
                if self.path == "/begin":
                    self._answer(200, site.functions["begin"]("ada"))
                else:
                    site.checked.append(body)
                    self._answer(200, f"Welcome, {site.functions['check'](body)}.")
            except Exception as error:
                status = 403 if self.path == "/begin" else 200
                self._answer(status, f"No: {type(error).__name__}")

        def _answer(self, status: int, text: str, kind: str = "text/plain") -> None:
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Security-Policy", site.policy)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = OtherSite(f"http://{host}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
