"""The drill: a backup of a service under load, restored on another engine, and used there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faces import Faces
from tests.integration.api_client import answer, enrol, post
from tests.integration.store_samples import new_reference
from tests.integration.transfer_samples import Spot, all_rows, give_master_key, spot
from tests.running import Service, service_process

PICTURES = ("obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png")
OTHERS = 400
"""Identities besides, so that the backup takes a while."""


@dataclass
class Load:
    """What was done to a service while a backup of it was made."""

    enrolled: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    verified: int = 0
    errors: list[BaseException] = field(default_factory=list)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(("sqlite", "postgres"), id="sqlite-postgres"),
        pytest.param(("apart", "sqlite"), id="apart-sqlite", marks=pytest.mark.long),
    ],
)
def test_a_backup_under_load_restores_to_a_service_that_answers_the_same(
    kinds: tuple[str, str], tmp_path: Path, faces: Faces, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue("postgres")
    source, target = (spot(kind, tmp_path / f"{at}", server) for at, kind in enumerate(kinds))
    others(source)
    file = tmp_path / "file"
    with running(source) as (service, client):
        key = service.key
        for name in PICTURES:
            enrol(client, f"keep {name}", faces.read(name))
        before = verdicts(client, faces)
        assert all(verdict["verified"] for verdict in before.values())
        temporary = [f"temporary {number}" for number in range(12)]
        for name in temporary:
            enrol(client, name, faces.read("biden.jpg"))
        erased = temporary.pop()
        delete(client, erased)
        with under_load(client, faces, temporary) as load:
            backup = source.process("backup", file)
            said, _ = backup.communicate(timeout=120)
            assert backup.returncode == 0, said
            done = len(load.deleted), len(load.enrolled), load.verified
        assert load.errors == []
        # It went on all the time, and after it.
        assert min(done) >= 1, (done, said)
        answer(client.get(f"/v1/identities/keep {PICTURES[0]}"))
    stored = all_rows(source)

    give_master_key(source, target)
    assert "is restored" in target.command("restore", file)
    assert "as it was written" in target.command("audit", "verify")
    with running(target) as (service, client):
        # No new key was made: the old ones open it.
        assert service.key == ""
        client.headers["X-API-Key"] = key
        assert verdicts(client, faces) == before
        there = identities(client)
        assert erased not in there
        # Whoever was enrolled or deleted meanwhile is there whole, or not at all.
        for name in {*load.enrolled, *temporary} & there:
            picture = "biden.jpg" if name in temporary else "obama3.jpg"
            assert verify(client, name, faces.read(picture))["verified"]
        assert {f"keep {name}" for name in PICTURES} <= there
        enrol(client, "after", faces.read("obama.jpg"))
        delete(client, "after")
    restored = all_rows(target)
    assert len(restored["data_keys"]) == len(restored["identities"])
    # Of the others, which nobody touched, every row is the same.
    untouched = [row for row in stored["identities"] if row[1].startswith("others/")]
    assert len(untouched) == OTHERS
    assert set(untouched) <= set(restored["identities"])


@contextmanager
def running(place: Spot) -> Iterator[tuple[Service, httpx.Client]]:
    with (
        service_process(place.data_dir, insecure=False, **place.addresses) as service,
        httpx.Client(base_url=service.url, timeout=60) as client,
    ):
        client.headers["X-API-Key"] = service.key
        yield service, client


def others(place: Spot) -> None:
    with closing(place.opened()) as found:
        store = found.store.within("others")
        for number in range(OTHERS):
            tags = (f"{number} {turn}" for turn in range(3))
            store.enrol(f"{number}", [new_reference(tag) for tag in tags], limit=5)


@contextmanager
def under_load(client: httpx.Client, faces: Faces, temporary: list[str]) -> Iterator[Load]:
    """Enrols, deletes and verifies, each in a thread of its own, until the end."""
    load = Load()
    over = threading.Event()
    waiting = iter(temporary)

    def enrolling(turn: int) -> None:
        name = f"new {turn}"
        enrol(client, name, faces.read("obama3.jpg"))
        load.enrolled.append(name)

    def deleting(_: int) -> None:
        name = next(waiting, None)
        if name is None:
            over.wait(1)
            return
        delete(client, name)
        load.deleted.append(name)

    def verifying(turn: int) -> None:
        name = PICTURES[turn % len(PICTURES)]
        assert verify(client, f"keep {name}", faces.read(name))["verified"]
        load.verified += 1

    def repeat(what: Callable[[int], None]) -> None:
        try:
            for turn in count():
                if over.wait(0.05):
                    return
                what(turn)
        except BaseException as error:
            load.errors.append(error)

    threads = [
        threading.Thread(target=repeat, args=(what,)) for what in (enrolling, deleting, verifying)
    ]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        over.set()
        for thread in threads:
            thread.join(60)


def verify(client: httpx.Client, identity: str, picture: bytes) -> dict[str, Any]:
    return answer(post(client, "/v1/verify", "multipart", {"image": picture}, identity=identity))


def verdicts(client: httpx.Client, faces: Faces) -> dict[str, dict[str, Any]]:
    """All that is judged of each, without what is measured of the machine."""
    found = {}
    for name in PICTURES:
        verdict = verify(client, f"keep {name}", faces.read(name))
        del verdict["timings_ms"]
        found[name] = verdict
    return found


def identities(client: httpx.Client) -> set[str]:
    names: set[str] = set()
    cursor: dict[str, str] = {}
    while True:
        page = answer(client.get("/v1/identities", params={"limit": 100, **cursor}))
        names |= {item["identity"] for item in page["identities"]}
        if page["next_cursor"] is None:
            return names
        cursor = {"cursor": page["next_cursor"]}


def delete(client: httpx.Client, identity: str) -> None:
    response = client.delete(f"/v1/identities/{identity}")
    assert response.status_code < 300, response.text
