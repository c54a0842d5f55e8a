"""The disk is full: 507 for all that would be stored, nothing is lost, and then it goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.client import client_of, enrol, is_verified, reference_ids, verify
from tests.faults.disk import SmallDisk, small_disk
from tests.faults.places import Place
from tests.faults.waiting import wait_until_ready
from tests.integration.api_client import problem

DISK_BYTES = 48 * 2**20
PAGE_BYTES = 4096


@pytest.fixture
def disk(data_dir: Path) -> Iterator[SmallDisk]:
    with small_disk(data_dir, DISK_BYTES) as mounted:
        yield mounted


def test_with_a_full_disk_each_file_refuses_and_goes_on_when_there_is_room(
    data_dir: Path, disk: SmallDisk, tmp_path: Path
) -> None:
    place = Place(data_dir)
    with place.service(disk.around) as service, client_of(service) as client:
        enrol(client, "ada", "obama", 0, 1).raise_for_status()
        enrol(client, "bob", "biden").raise_for_status()
        assert is_verified(client, "ada", "obama")
        before = reference_ids(client, "ada")

        def new_identity() -> httpx.Response:
            """Its key comes first: keys.sqlite3 has no room."""
            return enrol(client, "eve", "astronaut")

        def more_pictures() -> httpx.Response:
            """Nothing is written but the database and the log."""
            return enrol(client, "ada", "obama", 2)

        def a_verification() -> httpx.Response:
            """Nothing is written but the log, a moment later."""
            verify(client, "ada", "obama")
            time.sleep(0.3)
            return verify(client, "ada", "obama")

        def a_deletion() -> httpx.Response:
            return client.delete("/v1/identities/bob")

        asked: list[Callable[[], httpx.Response]]
        asked = [new_identity, more_pictures, a_verification, a_deletion]
        for ask in asked:
            disk.fill()
            problem(ask(), 507, "storage_full")
            assert client.get("/healthz").status_code == 200
            problem(client.get("/readyz"), 507, "storage_full")
            disk.make_room()
            wait_until_ready(client)
            assert reference_ids(client, "ada") == before
            assert reference_ids(client, "eve") is None
            assert is_verified(client, "bob", "biden", 3)
        for ask in asked:
            assert ask().is_success
    disk.fill()
    with pytest.raises(RuntimeError) as refused, place.service(disk.around):
        pass
    assert str(refused.value).endswith("error: The storage is full; nothing was stored.")
    disk.make_room()
    with place.service(disk.around) as service, client_of(service) as client:
        assert is_verified(client, "ada", "obama")
    looked_at = Place(disk.copied_to(tmp_path / "looked-at"))
    looked_at.assert_whole()
    assert "as it was written" in looked_at.command("audit", "verify")


@pytest.mark.long
def test_whatever_room_is_left_an_answer_is_true(
    data_dir: Path, disk: SmallDisk, tmp_path: Path
) -> None:
    """The disk becomes full at every place of an enrolment and of a deletion."""
    place = Place(data_dir)
    stored: dict[str, list[str]] = {}
    refused = []
    with place.service(disk.around) as service, client_of(service) as client:
        for turn in range(13):
            disk.fill(3 * turn * PAGE_BYTES)
            name = f"person-{turn}"
            answer = enrol(client, name, "obama", 2 * (turn % 8), 2 * (turn % 8) + 1)
            if answer.status_code == 201:
                stored[name] = [item["reference_id"] for item in answer.json()["accepted"]]
            else:
                problem(answer, 507, "storage_full")
                refused.append(name)
            disk.make_room()
            wait_until_ready(client)
        assert len(stored) > 1, refused
        assert len(refused) > 3, stored
        for name, references in stored.items():
            assert reference_ids(client, name) == references
        for name in refused:
            # Stored, if all but its record had room; then it is whole.
            assert len(reference_ids(client, name) or (1, 2)) == 2
            assert enrol(client, name, "obama").status_code == 201
    looked_at = Place(disk.copied_to(tmp_path / "looked-at"))
    looked_at.assert_whole()
    assert "as it was written" in looked_at.command("audit", "verify")
    print(f"\n{len(stored)} enrolled, {len(refused)} refused with 507, lost: 0")
