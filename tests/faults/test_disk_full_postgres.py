"""The disk of PostgreSQL is full: refused, nothing is lost, and then it goes on by itself."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.client import client_of, enrol, is_verified, reference_ids
from tests.faults.disk import small_disk_of_nobody
from tests.faults.places import PostgresPlace
from tests.faults.waiting import wait_until_ready
from tests.integration.api_client import problem
from tests.postgres import running_server

DISK_BYTES = 160 * 2**20
ROOMS = (0, 1 << 13, 1 << 15, 1 << 17, 1 << 19)
"""Bytes that are left."""


@pytest.mark.long
def test_a_full_disk_of_the_database(data_dir: Path) -> None:
    """Where the write-ahead log has no room either, the server ends, and comes back with it."""
    with running_server() as server:
        place = PostgresPlace(data_dir, {"database": server.new_database()}, server)
        server.stop()
        with small_disk_of_nobody(server.folder, DISK_BYTES) as disk:
            server.around = disk.around.before
            server.start()
            with place.service() as service, client_of(service) as client:
                enrol(client, "ada", "obama", 0, 1).raise_for_status()
                before = reference_ids(client, "ada")
                answered: list[str] = []
                seen: Counter[int] = Counter()
                for room in ROOMS:
                    disk.fill(room)
                    begun = time.monotonic()
                    while time.monotonic() < begun + 3:
                        name = f"person {seen.total()}"
                        answer = enrol(client, name, "astronaut")
                        seen[answer.status_code] += 1
                        if answer.is_success:
                            answered.append(name)
                        elif answer.status_code == 507:
                            problem(answer, 507, "storage_full")
                        else:
                            problem(answer, 503, answer.json()["code"])
                            assert int(answer.headers["retry-after"]) >= 1
                    assert client.get("/healthz").status_code == 200
                    disk.make_room()
                    if server.process.poll() is not None:
                        server.start()
                    wait_until_ready(client)
                    assert reference_ids(client, "ada") == before
                    assert is_verified(client, "ada", "obama")
                print(f"\nanswers by status: {dict(seen)}; enrolled {len(answered)}; lost: 0")
                assert set(seen) <= {201, 503, 507}
                assert seen.total() - seen[201] > 0
                for name in answered:
                    assert len(reference_ids(client, name) or ()) == 1
                assert is_verified(client, answered[-1], "astronaut") if answered else True
            place.assert_whole()
            assert "as it was written" in place.command("audit", "verify")
            server.stop()
