"""All that is stored moves to another database and back, and nothing is changed by it."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from model.errors import Overloaded
from service.storage.faults import translated
from service.storage.tables import face_references, identities
from service.storage.transfer.moments import held, moment
from service.storage.transfer.reading import Reading
from tests.integration.store_samples import new_reference
from tests.integration.transfer_samples import (
    Spot,
    all_rows,
    fill,
    give_master_key,
    is_empty,
    spot,
    without_audit,
)
from tests.postgres import Server


def test_there_and_back_again_every_row_is_the_same(tmp_path: Path, postgres: Server) -> None:
    first = Spot(tmp_path / "first")
    fill(first, 250)  # more than are read at once
    before = all_rows(first)
    second, third = (spot("apart", first.data_dir, postgres) for _ in range(2))
    last = Spot(tmp_path / "last")
    said = first.command(
        "migrate-store", "--to", second.database, "--keys-to", second.keys_database
    )
    assert said.count("...  the same\n") == 9
    assert f"face_references   {len(before['face_references']):>12,}" in said
    # The settings name where it is, or where it goes.
    second.command("migrate-store", "--to", third.database, "--keys-to", third.keys_database)
    give_master_key(first, last)
    last.command("migrate-store", "--from", third.database, "--keys-from", third.keys_database)
    for place in (second, third, last):
        after = all_rows(place)
        assert without_audit(after) == without_audit(before)
        # Begun and done, each time; nothing that was there is gone.
        assert after["audit_log"][: len(before["audit_log"])] == before["audit_log"]
        assert "as it was written" in place.command("audit", "verify")
    actions = [row[4] for row in all_rows(last)["audit_log"] if row[4] != "enroll"]
    assert actions == ["migrate_store"] * 6
    assert without_audit(all_rows(first)) == without_audit(before)


def test_no_address_is_shown_with_its_password(tmp_path: Path, postgres: Server) -> None:
    place = Spot(tmp_path / "data")
    fill(place, 2)
    address = postgres.new_database()
    password = address.split(":")[2].partition("@")[0]
    wrong = address.replace(password, "hunter2")
    for target in (wrong, address.replace(f":{postgres.port}/", ":1/"), wrong + "?bad=1", address):
        said = place.command("migrate-store", "--to", target, status=0 if target == address else 2)
        assert "hunter2" not in said
        assert password not in said


def test_places_that_cannot_be_meant_are_refused(tmp_path: Path, postgres: Server) -> None:
    place = Spot(tmp_path / "data")
    fill(place, 2)
    empty = postgres.new_database()
    for options, says in (
        ((), "the same place"),
        (("--to", f"sqlite:{tmp_path}/data/"), "the same place"),
        (("--to", "mysql://host/name"), "postgresql://"),
        (("--to", "sqlite:x", "--keys-to", empty), "for PostgreSQL alone"),
        (("--keys-to", empty), "goes with --to"),
        (("--from", f"sqlite:{tmp_path}/none"), "nothing is stored in"),
        (("--from", empty), "nothing is stored in the database"),
    ):
        assert says in place.command("migrate-store", *options, status=2)
    assert not (tmp_path / "none").exists()
    assert postgres.execute(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", empty.rpartition("/")[2]
    ) == [(0,)]
    # Nor is anything put over what is there.
    target = Spot(tmp_path / "target")
    give_master_key(place, target)
    with closing(target.opened()) as found:
        found.store.enrol("ann", [new_reference("1")], limit=5)
    before = all_rows(target)
    said = place.command("migrate-store", "--to", f"sqlite:{target.data_dir}", status=2)
    assert "identities in that place already" in said
    assert all_rows(target) == before


def test_what_is_damaged_is_not_moved_unasked(tmp_path: Path) -> None:
    place, target = Spot(tmp_path / "data"), Spot(tmp_path / "target")
    fill(place)
    with closing(sqlite3.connect(place.data_dir / "semblance.sqlite3")) as database:
        database.execute("UPDATE reference_images SET data = x'0102' WHERE id = 2")
        database.commit()
    give_master_key(place, target)
    to = ("--to", f"sqlite:{target.data_dir}")
    said = place.command("migrate-store", *to, status=1)
    assert "nothing was moved" in said
    assert "picture" in said
    assert is_empty(target)
    for path in target.data_dir.glob("*.sqlite3*"):
        path.unlink()
    assert "picture" in place.command("migrate-store", *to, "--despite-faults")
    assert without_audit(all_rows(target)) == without_audit(all_rows(place))


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "apart"])
def test_who_writes_waits_until_it_is_moved(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server = None if kind == "sqlite" else request.getfixturevalue("postgres")
    place = spot(kind, tmp_path / "data", server)
    fill(place)
    done: list[str] = []
    with closing(place.opened()) as found:
        store = found.store

        def enrol() -> None:
            store.enrol("late", [new_reference("late")], limit=5)
            done.append("enrolled")

        def delete() -> None:
            store.delete_identity("person 0")
            done.append("deleted")

        threads = [Thread(target=enrol), Thread(target=delete)]
        with held(store.databases) as parts:
            for thread in threads:
                thread.start()
            time.sleep(0.5)
            names = [
                row[1]
                for batch in Reading(parts)
                if batch.table is identities
                for row in batch.rows
            ]
            assert done == []
        for thread in threads:
            thread.join(30)
        assert sorted(done) == ["deleted", "enrolled"]
        assert "default/person 0" in names
        assert "default/late" not in names


def test_a_writer_that_does_not_end_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    place = Spot(tmp_path / "data")
    fill(place, 2)
    with (
        closing(place.opened()) as found,
        closing(sqlite3.connect(place.data_dir / "semblance.sqlite3")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Overloaded), translated(), held(found.store.databases):
            pytest.fail("it was held")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_moment_stays_what_it_was_and_nobody_waits_for_it(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server = None if kind == "sqlite" else request.getfixturevalue("postgres")
    place = spot(kind, tmp_path / "data", server)
    fill(place)
    counting = select(face_references.c.id)
    with closing(place.opened()) as found:
        store = found.store
        with moment(store.databases) as parts:
            store.enrol("late", [new_reference("late")], limit=5)
            store.delete_identity("person 1")
            assert len(parts.faces.execute(counting).all()) == 10
        with moment(store.databases) as parts:
            assert len(parts.faces.execute(counting).all()) == 9
