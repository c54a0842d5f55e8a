"""What lies on the disk tells nothing without the master key, and nothing after a deletion."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from service.core.errors import DamagedData, UnknownIdentity
from service.core.ports import NewReference
from service.core.secrecy import MasterKeyError
from service.security.master_keys import MasterKeys
from service.security.vault import AesVault
from service.storage.sql_store import SqlStore
from tests.faces import Faces
from tests.integration.api_client import answer, enrol
from tests.integration.commands import service_command
from tests.integration.store_samples import new_reference
from tests.integration.vaults import MASTER_KEY, open_store
from tests.running import service_process

DATABASE, KEYS = "semblance.sqlite3", "keys.sqlite3"
OTHER_KEY = b"another key, for the same tests."


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def store(data_dir: Path) -> Iterator[SqlStore]:
    with closing(open_store(data_dir)) as store:
        yield store


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def pieces(new: NewReference) -> list[bytes]:
    assert new.image is not None
    assert new.filename is not None
    wholes = [new.image, new.embedding.tobytes(), new.landmarks.tobytes()]
    numbers = [whole[at : at + 12] for whole in wholes for at in range(0, len(whole) - 12, 12)]
    texts = [str(number) for number in new.landmarks.ravel()[:3]]
    return [*numbers, *(text.encode() for text in (new.filename, new.content_hash, *texts))]


def test_nothing_that_was_enrolled_is_readable(data_dir: Path, store: SqlStore) -> None:
    new = new_reference("1", filename="holiday-in-rome.jpg")
    store.enrol("ann", [new], limit=5)
    store.update_embedding(
        store.references("ann")[0].reference_id, new_reference("2").embedding, "model 2"
    )
    on_disk = stored_bytes(data_dir)
    found = [piece for piece in pieces(new) if piece in on_disk]
    assert found == []
    assert new_reference("2").embedding.tobytes()[:12] not in on_disk
    # It is there, though, for who has the key.
    (reference,) = store.references("ann")
    assert reference.filename == new.filename
    assert np.array_equal(reference.embedding, new_reference("2").embedding)
    image = store.image("ann", reference.reference_id)
    assert image is not None
    assert image.data == new.image
    assert np.array_equal(image.landmarks, new.landmarks)


def test_another_master_key_opens_nothing(data_dir: Path, store: SqlStore) -> None:
    store.enrol("ann", [new_reference("1")], limit=5)
    store.data_keys.service_key("api keys")
    with closing(open_store(data_dir, AesVault(MasterKeys(lambda: (OTHER_KEY,))))) as other:
        with pytest.raises(DamagedData, match="another master key"):
            other.references("ann")
        with pytest.raises(MasterKeyError, match="another master key"):
            other.data_keys.service_key("api keys")
        # It is not lost: who has the right one reads on.
    assert len(store.references("ann")) == 1


@pytest.mark.parametrize("column", ["embedding", "details"])
def test_a_changed_byte_is_noticed(data_dir: Path, store: SqlStore, column: str) -> None:
    store.enrol("ann", [new_reference("1")], limit=5)
    with closing(sqlite3.connect(data_dir / DATABASE)) as database:
        (sealed,) = database.execute(f"SELECT {column} FROM face_references").fetchone()
        for at in (0, 5, len(sealed) // 2, len(sealed) - 1):
            changed = bytearray(sealed)
            changed[at] ^= 1
            database.execute(f"UPDATE face_references SET {column} = ?", (bytes(changed),))
            database.commit()
            with pytest.raises(DamagedData):
                store.references("ann")
        database.execute(f"UPDATE face_references SET {column} = ?", (sealed,))
        database.commit()
    assert len(store.references("ann")) == 1


def test_a_row_that_was_moved_does_not_open(
    data_dir: Path, store: SqlStore, tmp_path: Path
) -> None:
    """Who can write the database cannot pass one face off as another's."""
    for name in ("ann", "bob"):
        store.enrol(name, [new_reference(f"{name} {n}") for n in range(2)], limit=5)
    swaps = (
        # Between identities, with their keys; between two references of one.
        "UPDATE identities SET name = CASE name WHEN 'default/ann' THEN 'default/bo' ELSE name END",
        "UPDATE face_references SET identity_id = 3 - identity_id",
        """UPDATE face_references SET embedding = (
             SELECT embedding FROM face_references AS other
             WHERE other.identity_id = face_references.identity_id
               AND other.id != face_references.id)""",
        """UPDATE identities SET data_key = (
             SELECT data_key FROM identities AS other WHERE other.id != identities.id)""",
    )
    for swap in swaps:
        with (
            closing(sqlite3.connect(data_dir / DATABASE)) as database,
            closing(sqlite3.connect(tmp_path / "before")) as before,
        ):
            database.backup(before)
            database.execute(swap)
            database.commit()
            for name in ("ann", "bo"):
                with pytest.raises((DamagedData, UnknownIdentity)):
                    store.references(name)
            before.backup(database)
        assert len(store.references("ann")) == 2


def test_who_was_deleted_is_dead_in_old_backups_too(
    data_dir: Path, store: SqlStore, tmp_path: Path
) -> None:
    store.enrol("ann", [new_reference("1")], limit=5)
    store.enrol("bob", [new_reference("2")], limit=5)
    store.close()
    backup = tmp_path / "backup"
    backup.mkdir()
    shutil.copy(data_dir / DATABASE, backup)
    with closing(open_store(data_dir)) as again:
        (wrapped,) = (
            key for key_id, key in all_keys(data_dir) if key_id == key_id_of(data_dir, "ann")
        )
        again.delete_identity("ann")
        assert again.data_keys.count() == 1
    # Nor is the key left in a free page of its file.
    assert wrapped not in stored_bytes(data_dir)
    shutil.copy(data_dir / KEYS, backup)
    with closing(open_store(backup)) as restored:
        with pytest.raises(DamagedData, match="gone"):
            restored.references("ann")
        assert len(restored.references("bob")) == 1


def all_keys(data_dir: Path) -> list[tuple[str, bytes]]:
    with closing(sqlite3.connect(data_dir / KEYS)) as keys:
        return keys.execute("SELECT key_id, wrapped FROM data_keys").fetchall()


def key_id_of(data_dir: Path, identity: str) -> str:
    with closing(sqlite3.connect(data_dir / DATABASE)) as database:
        found = database.execute(
            "SELECT data_key FROM identities WHERE name = ?", (f"default/{identity}",)
        ).fetchone()
    key_id: str = found[0]
    return key_id


def test_rotation_wraps_everything_anew_and_stops_in_the_middle_do_no_harm(
    data_dir: Path, store: SqlStore
) -> None:
    for n in range(6):
        store.enrol(f"person {n}", [new_reference(str(n))], limit=5)
    peppered = store.data_keys.service_key("api keys").digest(b"x")
    old = dict(all_keys(data_dir))
    both = AesVault(MasterKeys(lambda: (OTHER_KEY, MASTER_KEY)))
    with closing(open_store(data_dir, both)) as rotating:
        # Half of it, as if it had been stopped.
        with closing(sqlite3.connect(data_dir / KEYS)) as keys:
            keys.execute("CREATE TABLE aside AS SELECT * FROM data_keys ORDER BY key_id LIMIT 3")
            keys.execute("DELETE FROM data_keys WHERE key_id IN (SELECT key_id FROM aside)")
            keys.commit()
            assert rotating.data_keys.rewrap() == 1 + 3
            keys.execute("INSERT INTO data_keys SELECT * FROM aside")
            keys.execute("DROP TABLE aside")
            keys.commit()
        assert all(len(rotating.references(f"person {n}")) == 1 for n in range(6))
        assert rotating.data_keys.rewrap() == 3
        assert rotating.data_keys.rewrap() == 0
    assert not any(key in stored_bytes(data_dir) for key in old.values())
    with closing(open_store(data_dir, AesVault(MasterKeys(lambda: (OTHER_KEY,))))) as after:
        assert all(len(after.references(f"person {n}")) == 1 for n in range(6))
        assert after.data_keys.service_key("api keys").digest(b"x") == peppered


def test_one_damaged_key_does_not_keep_the_others_from_rotating(
    data_dir: Path, store: SqlStore
) -> None:
    for name in ("ann", "bob"):
        store.enrol(name, [new_reference(name)], limit=5)
    with closing(sqlite3.connect(data_dir / KEYS)) as keys:
        damaged = "UPDATE data_keys SET wrapped = zeroblob(60) WHERE key_id = ?"
        keys.execute(damaged, (key_id_of(data_dir, "ann"),))
        keys.commit()
    both = AesVault(MasterKeys(lambda: (OTHER_KEY, MASTER_KEY)))
    with closing(open_store(data_dir, both)) as rotating:
        # An error, so that `keys rotate` keeps the old master key.
        with pytest.raises(DamagedData, match="1 keys cannot be unwrapped"):
            rotating.data_keys.rewrap()
        rotating.delete_identity("ann")
        assert rotating.data_keys.rewrap() == 0
    with closing(open_store(data_dir, AesVault(MasterKeys(lambda: (OTHER_KEY,))))) as after:
        assert len(after.references("bob")) == 1


def test_the_master_key_is_changed_under_a_running_service(tmp_path: Path, faces: Faces) -> None:
    with service_process(tmp_path, insecure=False, gallery_cache_bytes=0) as service:
        headers = {"X-API-Key": service.key}
        with httpx.Client(base_url=service.url, headers=headers, timeout=60) as client:
            enrol(client, "ada", faces.read("obama.jpg"))
            before = (tmp_path / "master.key").read_text()
            said = service_command(tmp_path, "keys", "rotate").stdout
            # Hers, those of the API keys and of the audit log, and that of liveness tokens.
            assert "wrapped 4 keys under the new master key" in said
            after = (tmp_path / "master.key").read_text()
            assert len(after.split()) == 1
            assert after != before
            files = {"image": faces.read("obama3.jpg")}
            assert answer(client.post("/v1/verify", data={"identity": "ada"}, files=files))[
                "verified"
            ]
            enrol(client, "bob", faces.read("biden.jpg"))
    with service_process(tmp_path, insecure=False) as service:
        assert service.key == headers["X-API-Key"]
        with httpx.Client(base_url=service.url, headers=headers, timeout=60) as client:
            for name, picture in (("ada", "obama3.jpg"), ("bob", "biden.jpg")):
                files = {"image": faces.read(picture)}
                found = client.post("/v1/verify", data={"identity": name}, files=files)
                assert answer(found)["verified"]


@pytest.mark.parametrize(
    "way",
    [
        "command",
        pytest.param("text", marks=pytest.mark.long),
        pytest.param("file", marks=pytest.mark.long),
    ],
)
def test_the_master_key_may_come_from_elsewhere(tmp_path: Path, way: str) -> None:
    key = service_command(tmp_path, "keys", "new-master").stdout.strip()
    elsewhere = tmp_path / "elsewhere.key"
    elsewhere.write_text(f"{key}\n")
    settings: dict[str, dict[str, Any]] = {
        "text": {"master_key": key},
        "file": {"master_key_file": elsewhere},
        "command": {"master_key_command": f"cat '{elsewhere}'"},
    }
    data_dir = tmp_path / "data"
    service_command(data_dir, "keys", "create", "--scope", "admin", **settings[way])
    assert not (data_dir / "master.key").exists()
    assert "admin" in service_command(data_dir, "keys", "list", **settings[way]).stdout
    # With another key nothing opens, and the text says what to look for, not what it is.
    done = service_command(data_dir, "keys", "list", status=2)
    assert "the master key cannot be read" in done.stderr
    wrong = settings[way] | (
        {"master_key": "abc"} if way == "text" else {f"master_key_{way}": "false"}
    )
    done = service_command(data_dir, "keys", "list", status=2, **wrong)
    assert "SEMBLANCE_MASTER_KEY" in done.stderr or "master key" in done.stderr
    assert key not in done.stderr
