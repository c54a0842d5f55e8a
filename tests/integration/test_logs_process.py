"""A real service with all logging on prints nothing personal, whatever is done to it."""

from __future__ import annotations

import base64
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx

from tests.faces import Faces
from tests.running import Service, service_process

NAME = "Tellingname Çelik"
FILENAME = "tellingfile-of-celik.jpg"
KEY = "smb_0123456789abcdef_tellingsecret-tellingsecret-tellingsecret-a"
ROUTES = {
    "/v1/enroll",
    "/v1/verify",
    "/v1/compare",
    "/v1/detect",
    "/v1/identities",
    "/v1/identities/{identity}",
    "/v1/identities/{identity}/references/{reference_id}",
    "/v1/identities/{identity}/references/{reference_id}/image",
}


def everything(client: httpx.Client, faces: Faces, database: Path) -> set[int]:
    """Requests of every kind, good ones and bad ones; the statuses of their answers."""
    face, other, none = (faces.read(f"{name}.jpg") for name in ("obama", "biden", "obama2"))
    none = none[: len(none) // 3]
    named = quote(NAME)
    answers = []

    def send(method: str, path: str, **more: object) -> httpx.Response:
        answers.append(client.request(method, path, **more))  # type: ignore[arg-type]
        return answers[-1]

    def picture(path: str, fields: dict[str, str], **pictures: bytes) -> httpx.Response:
        files = {name: (FILENAME, data) for name, data in pictures.items()}
        return send("POST", path, data=fields, files=files)

    enrolled = picture("/v1/enroll", {"identity": NAME}, images=face).json()
    reference = f"/v1/identities/{named}/references/{enrolled['accepted'][0]['reference_id']}"
    text = base64.b64encode(other).decode()
    picture("/v1/verify", {"identity": NAME}, image=face)
    send("POST", "/v1/verify", json={"identity": NAME, "image": text})
    picture("/v1/verify", {"identity": f"{NAME} junior"}, image=face)
    picture("/v1/verify", {"identity": NAME}, image=none)
    picture("/v1/verify", {"identity": NAME, NAME: NAME}, image=face)
    picture("/v1/compare", {}, image_a=face, image_b=other)
    picture("/v1/detect", {}, image=face)
    send("POST", "/v1/verify", json={"identity": NAME, "image": NAME})
    send("POST", "/v1/verify", content=f'{{"identity": "{NAME}", "image": "{text}'.encode())
    send("GET", f"/v1/identities?cursor={named}")
    send("GET", f"/v1/identities/{named}")
    send("GET", f"{reference}/image")
    send("DELETE", reference)
    send("DELETE", f"/v1/identities/{named}")
    picture("/v1/enroll", {"identity": NAME}, images=face)
    send("DELETE", f"/v1/identities/{named}")
    send("GET", f"/{named}/{FILENAME}?key={KEY}")
    send("PUT", f"/v1/identities/{named}")
    # A fault that nobody foresaw, with a traceback in the log.
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE reference_images")
        connection.execute("ALTER TABLE face_references RENAME TO gone")
    send("GET", f"/v1/identities/{named}")
    picture("/v1/enroll", {"identity": NAME}, images=face)
    return {answer.status_code for answer in answers}


def wait_until_said(service: Service, word: str) -> None:
    """The last lines may still be on their way."""
    deadline = time.monotonic() + 10
    while not any(word in line for line in service.output):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_nothing_personal_is_printed(tmp_path: Path, faces: Faces) -> None:
    settings = {"access_log": True, "log_format": "json", "insecure": True}
    with (
        service_process(tmp_path, **settings) as service,
        httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {KEY}"}) as client,
    ):
        statuses = everything(client, faces, tmp_path / "semblance.sqlite3")
        client.get("/healthz")
        wait_until_said(service, "/healthz")
    said = "\n".join(service.output)
    assert {200, 201, 204, 404, 405, 422, 500} <= statuses
    assert "OperationalError" in said  # so the fault was logged
    lines = [json.loads(line) for line in service.output if line.startswith("{")]
    assert len(lines) == len(service.output) - 1, "what says that it is ready is no JSON"
    requests = [line for line in lines if "route" in line]
    assert {line["route"] for line in requests} >= ROUTES
    assert {line["status"] for line in requests} >= statuses

    forbidden = {
        *(NAME, quote(NAME), "Tellingname", "Çelik", json.dumps("Çelik")[1:-1]),
        *(FILENAME, "tellingfile", KEY, "tellingsecret"),
        *(base64.b64encode(faces.read(f"{n}.jpg")).decode()[:24] for n in ("obama", "biden")),
        "\\xff\\xd8\\xff",
    }
    lowered = said.lower()
    assert [word for word in forbidden if word.lower() in lowered] == []
