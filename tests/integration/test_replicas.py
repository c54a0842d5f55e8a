"""Several services on one PostgreSQL database: each change counts everywhere at once."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from service.security.master_keys import new_master_key
from tests.faces import Faces
from tests.integration.api_client import answer, enrol, post, problem
from tests.integration.commands import service_command
from tests.postgres import Server
from tests.running import Service, service_process


@dataclass(frozen=True)
class Replicas:
    """Two services on one database, with nothing else in common but the master key."""

    clients: tuple[httpx.Client, httpx.Client]
    folder: Path
    settings: dict[str, Any]

    def command(self, *arguments: str, status: int = 0) -> str:
        """What a command prints that is run where neither of them is."""
        done = service_command(self.folder / "c", *arguments, status=status, **self.settings)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def replicas(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    """Started at the same moment, on a database that is empty."""
    folder = tmp_path_factory.mktemp("replicas")
    settings = {"database": postgres.new_database(), "master_key": new_master_key()}
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:

        def start(name: str) -> Service:
            asked = {"insecure": False, "throttle_after": 3, "lock_after": 0}
            return stack.enter_context(service_process(folder / name, **settings, **asked))

        services = list(pool.map(start, "ab"))
        (key,) = (service.key for service in services if service.key)
        a, b = (stack.enter_context(client_of(service, key)) for service in services)
        yield Replicas((a, b), folder, settings)


def client_of(service: Service, key: str = "") -> httpx.Client:
    headers = {"X-API-Key": key} if key else {}
    return httpx.Client(base_url=service.url, timeout=60, headers=headers)


def verify(client: httpx.Client, identity: str, picture: bytes) -> httpx.Response:
    return post(client, "/v1/verify", "multipart", {"image": picture}, identity=identity)


def test_two_that_start_at_once_make_one_set_of_tables_and_one_key(replicas: Replicas) -> None:
    listed = replicas.command("keys", "list").splitlines()
    assert len(listed) == 2, listed
    made = [path for path in replicas.folder.glob("*/*") if path.name != "compiled"]
    # Who made the key kept it; nothing else is in the folders.
    assert [path.name for path in made] == ["admin.key"]


def test_what_one_enrols_the_other_verifies_at_once(replicas: Replicas, faces: Faces) -> None:
    a, b = replicas.clients
    for turn, (enrols, verifies) in enumerate([(a, b), (b, a)] * 3):
        enrol(enrols, f"ada {turn}", faces.read("obama.jpg"))
        found = answer(verify(verifies, f"ada {turn}", faces.read("obama3.jpg")))
        assert found["verified"]
        assert len(found["scores"]) == 1
        # Also where the identity is in memory already.
        enrol(enrols, f"ada {turn}", faces.read("obama2.jpg"))
        assert len(answer(verify(verifies, f"ada {turn}", faces.read("obama3.jpg")))["scores"]) == 2
        answer(enrols.delete(f"/v1/identities/ada {turn}"))
        problem(verify(verifies, f"ada {turn}", faces.read("obama3.jpg")), 404, "unknown_identity")


def test_one_identity_enrolled_at_both_at_once(replicas: Replicas, faces: Faces) -> None:
    pictures = [faces.read(name) for name in ("obama.jpg", "obama2.jpg", "obama3.jpg")]

    def enrol_at(turn: int) -> list[dict[str, Any]]:
        picture = pictures[turn // 2 % 3]
        accepted: list[dict[str, Any]] = enrol(replicas.clients[turn % 2], "eve", picture)[
            "accepted"
        ]
        return accepted

    with ThreadPoolExecutor(6) as pool:
        answers = [item for accepted in pool.map(enrol_at, range(24)) for item in accepted]
    # Each picture is stored once, and whoever sent it was told the same reference.
    assert sum(not item["duplicate"] for item in answers) == 3
    assert len({item["reference_id"] for item in answers}) == 3
    for client in replicas.clients:
        assert answer(client.get("/v1/identities/eve"))["references"] == 3


def test_deletion_during_verification(replicas: Replicas, faces: Faces) -> None:
    a, b = replicas.clients
    picture, probe = faces.read("obama.jpg"), faces.read("obama3.jpg")
    both: list[tuple[int, bool | None]] = [(200, True), (404, None)]
    seen: Counter[tuple[int, bool | None]] = Counter()
    done = threading.Event()

    def verify_all_the_while(client: httpx.Client) -> None:
        while not done.is_set():
            response = verify(client, "gone", probe)
            verified = response.json().get("verified")
            seen[response.status_code, verified] += 1

    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(verify_all_the_while, client) for client in (a, b, b)]
        try:
            turn = 0
            # On a busy machine a verification may seldom begin while the identity is there.
            while turn < 20 or (turn < 200 and min(seen[once] for once in both) <= 3):
                enrol((a, b)[turn % 2], "gone", picture)
                time.sleep(0.05 * (turn % 4))
                answer((b, a)[turn % 2].delete("/v1/identities/gone"))
                turn += 1
        finally:
            done.set()
        for one in waiting:
            one.result()
    # It is there, whole, or it is not: nothing else was ever seen.
    assert set(seen) == set(both), seen
    assert min(seen.values()) > 3, seen


def test_a_revoked_key_opens_neither_within_a_second(replicas: Replicas) -> None:
    key = replicas.command("keys", "create", "--scope", "verify").strip()
    for client in replicas.clients:
        assert client.get("/v1/model", headers={"X-API-Key": key}).status_code == 200
    replicas.command("keys", "revoke", key.split("_")[1])
    time.sleep(1.1)
    for client in replicas.clients:
        problem(client.get("/v1/model", headers={"X-API-Key": key}), 401, "wrong_key")


def test_guesses_are_counted_together(replicas: Replicas, faces: Faces) -> None:
    a, b = replicas.clients
    enrol(a, "guessed", faces.read("obama.jpg"))
    for client in (a, b, a):
        assert not answer(verify(client, "guessed", faces.read("biden.jpg")))["verified"]
    for client in (a, b):
        problem(verify(client, "guessed", faces.read("biden.jpg")), 429, "too_many_failures")


def test_one_audit_log_of_both_is_whole(replicas: Replicas, faces: Faces) -> None:
    a, b = replicas.clients
    for turn in range(10):
        enrol((a, b)[turn % 2], "logged", faces.read("obama.jpg"))
    assert "as it was written" in replicas.command("audit", "verify")
    rows = [
        json.loads(line)
        for line in replicas.command("audit", "export", "--identity", "logged").splitlines()
    ]
    assert [row["action"] for row in rows][:10] == ["enroll"] * 10
    with psycopg.connect(replicas.settings["database"], autocommit=True) as outsider:
        for forbidden in (
            "UPDATE audit_log SET outcome = 'x' WHERE number = 1",
            "DELETE FROM audit_log WHERE number = 1",
            "TRUNCATE audit_log",
        ):
            with pytest.raises(psycopg.Error, match="append-only"):
                outsider.execute(forbidden.encode())
        outsider.execute("ALTER TABLE audit_log DISABLE TRIGGER ALL")
        outsider.execute("UPDATE audit_log SET outcome = 'x' WHERE number = 3")
        outsider.execute("ALTER TABLE audit_log ENABLE TRIGGER ALL")
    assert "row 3: changed" in replicas.command("audit", "verify", status=1)


def test_commands_work_on_the_database(replicas: Replicas, faces: Faces) -> None:
    enrol(replicas.clients[0], "erased", faces.read("obama.jpg"))
    exported = json.loads(replicas.command("export", "erased"))
    assert len(exported["references"]) == 1
    assert "its server's" in replicas.command("erase", "erased", "--prove", status=2)
    assert json.loads(replicas.command("erase", "erased"))["references_erased"] == 1
    problem(replicas.clients[1].get("/v1/identities/erased"), 404, "unknown_identity")
    assert "erased 0" in replicas.command("retention")


def test_an_address_is_refused_in_one_line_that_shows_no_password(tmp_path: Path) -> None:
    wrong = {"database": "mysql://ann:SECRET@db/faces"}
    said = service_command(tmp_path, "keys", "list", status=2, **wrong).stderr
    assert said == (
        "error: SEMBLANCE_DATABASE is of 'mysql'; PostgreSQL begins with postgresql://\n"
    )
    alone = {"keys_database": "postgresql://ann:SECRET@db/keys"}
    said = service_command(tmp_path, "keys", "create", "--scope", "admin", status=2, **alone).stderr
    assert "SEMBLANCE_KEYS_DATABASE goes with SEMBLANCE_DATABASE" in said
    assert "SECRET" not in said
