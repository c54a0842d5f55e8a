"""While a backup is read others enrol and erase: each identity is in it whole, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.commands.backup_file import opened_backup, write_backup
from service.commands.whole_file import whole_file
from service.storage.sql_store import SqlStore
from service.storage.tables import face_references, identities, reference_images
from service.storage.transfer.batches import Batch, TransferError
from service.storage.transfer.moments import moment
from service.storage.transfer.reading import IDENTITIES, Reading, still_enrolled
from tests.integration.store_samples import new_reference
from tests.integration.transfer_samples import (
    Spot,
    all_rows,
    fill,
    give_master_key,
    spot,
    without_audit,
)


@pytest.mark.parametrize(
    "kind",
    [
        "apart",
        pytest.param("sqlite", marks=pytest.mark.long),
        pytest.param("postgres", marks=pytest.mark.long),
    ],
)
def test_it_is_of_the_moment_at_which_it_began_without_who_was_erased_since(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    server = None if kind == "sqlite" else request.getfixturevalue("postgres")
    place, target = spot(kind, tmp_path / "data", server), Spot(tmp_path / "target")
    people = [f"person {number}" for number in range(IDENTITIES + 50)]
    file = tmp_path / "file"
    with closing(place.opened()) as found:
        store = found.store
        for name in people:
            tags = [f"{name} {turn}" for turn in range(2)]
            new = [new_reference(tag, image_bytes=100) for tag in tags]
            store.enrol(name, new, limit=9)
    before = all_rows(place)
    with closing(place.opened()) as found:
        store = found.store
        with moment(store.databases) as parts:
            reading = Reading(parts)
            with whole_file(file) as writing:
                write_backup(writing, disturbed(reading, store), found.masters)
        assert still_enrolled(store.databases, reading.keyless) == []
        with opened_backup(file, found.masters) as backup:
            rows = [(batch.table.name, row) for batch in backup for row in batch.rows]
    names = [row[1] for table, row in rows if table == identities.name]
    # Person 3 was read already. Who was erased before it came to them is not in it.
    gone = people[IDENTITIES + 3]
    assert names == [f"default/{name}" for name in people if name != gone]
    for table in (face_references, reference_images):
        assert sum(name == table.name for name, _ in rows) == 2 * len(names)
    give_master_key(place, target)
    assert "is restored" in target.command("restore", file)
    after = all_rows(target)
    for table in (identities, face_references, reference_images):
        # All of it as it was at the beginning, also what was changed since.
        assert set(after[table.name]) < set(before[table.name])
    assert len(without_audit(all_rows(place))["identities"]) == len(people) - 2 + 1


def disturbed(reading: Reading, store: SqlStore) -> Iterator[Batch]:
    """In the middle of the first page all kinds of things are done by others."""
    done = False
    for batch in reading:
        yield batch
        if batch.table is identities and not done:
            done = True
            store.enrol("late", [new_reference("late")], limit=5)
            store.enrol("person 1", [new_reference("one more")], limit=5)
            store.enrol(f"person {IDENTITIES + 1}", [new_reference("and one")], limit=5)
            store.add_failure("person 2")
            store.delete_identity("person 3")
            store.delete_identity(f"person {IDENTITIES + 3}")
            reference = store.references("person 4")[0]
            store.delete_reference("person 4", reference.reference_id)


def test_a_master_key_that_is_changed_meanwhile_ends_it(tmp_path: Path) -> None:
    """Else some keys in the file would be under another than the file."""
    place, file = Spot(tmp_path / "data"), tmp_path / "file"
    fill(place)

    def rotated(reading: Reading) -> Iterator[Batch]:
        for batch in reading:
            if batch.table is identities:
                place.command("keys", "rotate")
            yield batch

    with (
        closing(place.opened()) as found,
        moment(found.store.databases) as parts,
        pytest.raises(TransferError, match="the master key was changed meanwhile"),
        whole_file(file) as writing,
    ):
        write_backup(writing, rotated(Reading(parts)), found.masters)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]
    place.command("backup", file)
    assert "can be restored" in place.command("restore", file, "--check")
