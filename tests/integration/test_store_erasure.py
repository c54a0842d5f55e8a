"""Nothing of what was deleted is left in any file of the data folder."""

from __future__ import annotations

import logging
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event

from service.core.errors import UnknownIdentity
from service.core.ports import NewReference
from service.storage import erasure
from service.storage.sql_store import SqlStore
from tests.integration.store_samples import new_reference
from tests.integration.vaults import GlassVault, open_store

FILE = "semblance.sqlite3"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def store(data_dir: Path) -> Iterator[SqlStore]:
    with closing(open_store(data_dir, GlassVault())) as store:
        yield store


def bytes_of(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.iterdir()))


def face_traces(new: NewReference) -> list[bytes]:
    """Pieces of a picture, its embedding and landmarks, short enough to lie on one page."""
    assert new.image is not None
    wholes = [new.image, new.embedding.tobytes(), new.landmarks.tobytes()]
    return [whole[at : at + 16] for whole in wholes for at in range(0, len(whole) - 15, 16)]


def traces(identity: str, new: NewReference) -> list[bytes]:
    """Of all that was told about a reference."""
    assert new.filename is not None
    words = (identity, new.filename, new.content_hash)
    return [*face_traces(new), *(word.encode() for word in words)]


def share_found(pieces: list[bytes], folder: Path) -> float:
    """How many of the pieces are there; those across the end of a page never are."""
    stored = bytes_of(folder)
    return sum(piece in stored for piece in pieces) / len(pieces)


@pytest.mark.parametrize("rebuilt", [True, False])
def test_nothing_of_a_deleted_identity_is_left_in_any_file(
    data_dir: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch, rebuilt: bool
) -> None:
    if not rebuilt:
        monkeypatch.setattr(erasure, "MAX_REBUILD_BYTES", 0)
    deleted, kept = "nobody-else 日本", "somebody-else 日本"
    gone = [new_reference(f"gone {n}", filename=f"gone-{n}.jpg") for n in range(4)]
    stays = [new_reference(f"stays {n}", filename=f"stays-{n}.jpg") for n in range(4)]
    for one, other in zip(gone, stays, strict=True):
        store.enrol(deleted, [one], limit=9)
        store.enrol(kept, [other], limit=9)
    first = store.references(deleted)[0]
    store.update_embedding(first.reference_id, new_reference("again").embedding, "model 2")
    expected = [piece for new in gone for piece in traces(deleted, new)]
    expected += [first.reference_id.encode(), new_reference("again").embedding.tobytes()[:16]]

    assert share_found(expected, data_dir) > 0.98
    assert store.delete_identity(deleted) == 4
    assert share_found(expected, data_dir) == 0
    assert share_found([piece for new in stays for piece in traces(kept, new)], data_dir) > 0.98


def test_nothing_of_a_deleted_reference_is_left_in_any_file(
    data_dir: Path, store: SqlStore
) -> None:
    gone, stays = (new_reference(tag, filename=f"{tag}.jpg") for tag in ("gone", "stays"))
    ids = [
        one.reference.reference_id for one in store.enrol("somebody-else", [gone, stays], limit=9)
    ]
    store.delete_reference("somebody-else", ids[0])
    expected = {*traces("somebody-else", gone), ids[0].encode()} - {b"somebody-else"}
    assert share_found([*expected], data_dir) == 0
    assert share_found(traces("somebody-else", stays), data_dir) > 0.98
    store.delete_reference("somebody-else", ids[1])
    assert share_found(traces("somebody-else", stays), data_dir) == 0


def test_pieces_that_sqlite_mislays_between_pages_are_erased_too(
    data_dir: Path, store: SqlStore
) -> None:
    # Rows small enough that several share a page and are moved between pages.
    # SQLite 3.40 alone, without the file built anew, leaves two pieces behind
    # after the calls of this seed.
    choose = random.Random(26)
    live: list[tuple[str, str, NewReference]] = []
    deleted: list[bytes] = []
    for step in range(150):
        if choose.random() < 0.4 or not live:
            name = f"identity {step}"
            given = [
                new_reference(f"{step} {i}", image_bytes=choose.choice([16, 300, 500]))
                for i in range(3)
            ]
            for new, one in zip(given, store.enrol(name, given, limit=9), strict=True):
                live.append((name, one.reference.reference_id, new))
        else:
            name, reference_id, new = live.pop(choose.randrange(len(live)))
            store.delete_reference(name, reference_id)
            deleted += face_traces(new)
    assert share_found(deleted, data_dir) == 0


def test_what_a_killed_process_did_not_get_to_erase_the_next_start_does(
    data_dir: Path, store: SqlStore, tmp_path: Path
) -> None:
    new = new_reference("1", filename="1.jpg")
    store.enrol("nobody-else", [new], limit=5)
    store.enrol("somebody-else", [new_reference("2")], limit=5)
    # A second use of the files keeps the log from being moved when this one ends.
    with closing(sqlite3.connect(data_dir / FILE)) as other:
        other.execute("PRAGMA foreign_keys = ON")
        other.execute("PRAGMA secure_delete = ON")
        other.execute("DELETE FROM identities WHERE name = 'default/nobody-else'")
        other.commit()
        shutil.copytree(data_dir, tmp_path / "killed")
    assert share_found(traces("nobody-else", new), tmp_path / "killed") > 0.98
    with closing(open_store(tmp_path / "killed", GlassVault())):
        assert share_found(traces("nobody-else", new), tmp_path / "killed") == 0


def test_a_deletion_stands_though_a_reader_keeps_its_traces(
    data_dir: Path,
    store: SqlStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(erasure, "BUSY_TIMEOUT_S", 0.1)
    event.listen(store.engine, "connect", lambda c, _: c.execute("PRAGMA busy_timeout = 50"))
    store.engine.dispose()
    for tag in "12":
        store.enrol(f"identity {tag}", [new_reference(tag, filename="x.jpg")], limit=5)
    with closing(sqlite3.connect(data_dir / FILE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM identities").fetchall()
        with caplog.at_level(logging.WARNING):
            assert store.delete_identity("identity 1") == 1
        assert "a reader does not end" in caplog.text
        with pytest.raises(UnknownIdentity):
            store.summary("identity 1")
    store.delete_identity("identity 2")
    assert b"identity" not in bytes_of(data_dir).replace(b"identity_id", b"")
