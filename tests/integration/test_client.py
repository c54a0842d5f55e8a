"""The Python client against a real service: each method, both kinds, and the command."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest

from semblance_client import AsyncClient, Client, Problem, models
from semblance_client.cli.main import main
from tests.browser.fake_camera import Shot, frames_of
from tests.faces import Faces
from tests.integration.commands import new_key
from tests.running import Service, service_process


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def service(data_dir: Path) -> Iterator[Service]:
    with service_process(
        data_dir, insecure=False, serve_images=True, cors_origins="https://shop.example"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def client(service: Service, faces: Faces) -> Iterator[Client]:
    with Client(service.url, service.key) as connected:
        connected.enroll("ada", [faces.folder / "obama.jpg", faces.read("obama2.jpg")])
        yield connected


def test_enrolling_is_idempotent_and_tells_of_each_picture(client: Client, faces: Faces) -> None:
    noise = b"no picture"
    options: dict[str, Any] = {"consent": "form 7", "metadata": {"desk": "3"}}
    first = client.enroll("bo", [str(faces.folder / "biden.jpg"), noise], **options)
    assert [item.filename for item in first.accepted] == ["biden.jpg"]
    assert [item.code for item in first.rejected] == ["undecodable_image"]
    again = client.enroll("bo", [faces.read("biden.jpg")])
    assert (again.references, again.accepted[0].duplicate) == (1, True)
    found = client.get_identity("bo")
    assert (found.consent, found.metadata) == ("form 7", {"desk": "3"})


def test_verdicts(client: Client, faces: Faces) -> None:
    own = client.verify("ada", faces.folder / "obama3.jpg", fmr=1e-4, fusion="max")
    assert own.verified
    assert (own.fusion, own.detection_threshold.source) == ("max", "fmr")
    assert not client.verify("ada", faces.read("biden.jpg")).verified
    assert client.compare(faces.read("obama.jpg"), faces.read("obama3.jpg")).verified
    assert len(client.detect(faces.read("astronaut.png")).faces) == 1


def test_problems_have_a_code(client: Client, faces: Faces) -> None:
    with pytest.raises(Problem) as raised:
        client.verify("nobody", faces.read("biden.jpg"))
    assert (raised.value.status, raised.value.code) == (404, "unknown_identity")
    with pytest.raises(Problem) as raised:
        client.enroll("nobody", [b"noise"])
    assert raised.value.rejected[0].code == "undecodable_image"
    with pytest.raises(Problem) as raised:
        client.verify("ada", b"x", fmr=7)
    assert raised.value.errors[0].field == "fmr"


def test_the_rest_of_the_routes(client: Client, faces: Faces) -> None:
    client.enroll("one", [faces.read("astronaut.png")])
    assert client.rename_identity("one", "two").identity == "two"
    client.enroll("three", [faces.read("biden.jpg")], conflicts="report")
    merged = client.merge_identity("three", "two")
    assert (merged.identity, merged.references) == ("two", 2)
    names = [found.identity for found in client.identities()]
    assert names == sorted(names)
    assert {"ada", "two"} <= set(names)
    page = client.list_identities(limit=1)
    assert page.next_cursor
    assert client.list_identities(page.next_cursor, 1).identities != page.identities
    reference = merged.items[0].reference_id
    assert client.get_image("two", reference, size=64).startswith(b"\xff\xd8")
    assert client.get_image("two", reference)
    client.delete_reference("two", reference)
    client.unlock_identity("two")
    assert client.delete_identity("two") == models.Deleted(identity="two", references=1)
    session = client.begin_liveness("ada")
    assert session.challenges
    site = client.begin_site_session("ada", "https://shop.example", "https://shop.example")
    assert site.identity == "ada"
    assert client.get_keys().keys
    assert client.get_model().calibration.points
    assert "semblance_references" in client.metrics()
    assert client.healthz().status == client.readyz().status == "ok"


def test_the_asynchronous_client(service: Service, client: Client, faces: Faces) -> None:
    async def ask() -> tuple[list[bool], list[str]]:
        async with AsyncClient(service.url, service.key) as asked:
            probes = [faces.folder / name for name in ("obama3.jpg", "biden.jpg")]
            verdicts = await asyncio.gather(*(asked.verify("ada", probe) for probe in probes))
            return [v.verified for v in verdicts], [i.identity async for i in asked.identities()]

    verdicts, names = asyncio.run(ask())
    assert verdicts == [True, False]
    assert "ada" in names


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def semblance(
    service: Service, *arguments: str | Path, said: str = "", key: str | None = None
) -> Done:
    """Runs the command in this process, as its entry point does; to start one takes longer."""
    out, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SEMBLANCE_URL", service.url)
        patched.setenv("SEMBLANCE_KEY", key or service.key)
        patched.setattr(sys, "stdin", io.StringIO(said))
        with redirect_stdout(out), redirect_stderr(errors):
            status = main([*map(str, arguments)])
    return Done(status, out.getvalue(), errors.getvalue())


def test_the_command_says_it_in_words_and_by_its_status(
    service: Service, client: Client, faces: Faces
) -> None:
    folder = faces.folder
    done = semblance(service, "enroll", "cy", folder / "astronaut.png")
    assert (done.returncode, done.stdout) == (0, "cy: 1 accepted, 1 references\n")
    done = semblance(service, "verify", "ada", folder / "obama3.jpg", "--fmr", "1e-4")
    assert done.returncode == 0
    assert done.stdout.startswith("ada: verified, 2 of 2 match, best score ")
    done = semblance(service, "verify", "ada", folder / "biden.jpg")
    assert done.returncode == 1
    assert "not verified" in done.stdout
    done = semblance(service, "--json", "compare", folder / "obama.jpg", folder / "biden.jpg")
    assert done.returncode == 1
    assert json.loads(done.stdout)["verified"] is False
    done = semblance(service, "verify", "nobody", folder / "biden.jpg")
    assert done.returncode == 2
    assert "unknown_identity" in done.stderr
    done = semblance(service, "verify", "ada", folder / "none.jpg")
    assert done.returncode == 2
    done = semblance(service, "verify", "ada", folder / "biden.jpg", key="smb_wrong")
    assert (done.returncode, "wrong_key" in done.stderr) == (2, True)


def test_the_command_watches_a_folder(
    service: Service, client: Client, faces: Faces, tmp_path: Path
) -> None:
    for name in ("obama3.jpg", "biden.jpg"):
        (tmp_path / name).write_bytes(faces.read(name))
    (tmp_path / "noise.png").write_bytes(b"noise")
    (tmp_path / "notes.txt").write_text("not a picture")
    watch = ("watch", tmp_path, "--identity", "ada", "--once", "--every", "0.1")
    done = semblance(service, "--json", *watch)
    assert done.returncode == 0, done.stderr
    said = {line["file"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert set(said) == {"obama3.jpg", "biden.jpg", "noise.png"}
    assert said["obama3.jpg"]["verified"] is True
    assert said["biden.jpg"]["verified"] is False
    assert said["noise.png"]["code"] == "undecodable_image"


def film(path: Path, photograph: Path, centre: tuple[float, float], face_px: float) -> Path:
    frames = list(frames_of(Shot(photograph, centre, face_px)))
    height, width = frames[0].shape[:2]
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), codec, 10, (width, height))
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def test_the_command_verifies_before_a_camera_at_v_and_ends_at_q(
    service: Service, client: Client, faces: Faces, tmp_path: Path
) -> None:
    face = client.detect(faces.read("obama3.jpg")).faces[0].box
    centre = (face.x + face.width / 2, face.y + face.height / 2)
    shown = film(tmp_path / "film.avi", faces.folder / "obama3.jpg", centre, face.height)
    camera = ("camera", "ada", "--source", shown, "--no-window")
    done = semblance(service, "--json", *camera, said="v\nx\nv\nq\nv\n")
    assert done.returncode == 0, done.stderr
    verdicts = [json.loads(line)["verified"] for line in done.stdout.splitlines()]
    assert verdicts == [True, True]
    # The paper's square of a frame, which the face of this film lies in.
    done = semblance(service, *camera, "--square", said="v\nq\n")
    assert done.stdout.startswith("ada: verified"), done.stdout
    done = semblance(service, "camera", "ada", "--source", tmp_path / "none.avi", "--no-window")
    assert done.returncode == 2
    assert "no picture comes from" in done.stderr


def test_a_key_with_too_little_scope_is_told_so(
    service: Service, client: Client, data_dir: Path, faces: Faces
) -> None:
    key = new_key(data_dir, "verify")
    done = semblance(service, "enroll", "dee", faces.folder / "biden.jpg", key=key)
    assert (done.returncode, "missing_scope" in done.stderr) == (2, True)
