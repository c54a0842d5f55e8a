"""Where everything is stored: three SQLite files, or PostgreSQL.

    part     in SQLite            in PostgreSQL
    faces    semblance.sqlite3    identities, face_references, reference_images, api_keys, ...
    keys     keys.sqlite3         data_keys, service_keys; in a database of their own if wanted
    audit    audit.sqlite3        audit_log, audit_head

The keys are apart, so that an old copy of the faces is noise once a key is destroyed
(docs/decisions/0021-encryption.md); the audit log is, so that its length costs nobody
anything.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from service.storage.engines import make_sqlite_file, sqlite_engine, use_write_ahead_log
from service.storage.faults import translated
from service.storage.postgres import patient_address, postgres_engine

FACES_FILE: Final = "semblance.sqlite3"
KEYS_FILE: Final = "keys.sqlite3"
AUDIT_FILE: Final = "audit.sqlite3"


@dataclass(frozen=True)
class Place:
    """Where a service keeps what it stores.

    Attributes:
        data_dir: Of the SQLite files.
        address: Of a PostgreSQL database, instead of them.
        keys_address: Of another one, for the keys alone.
    """

    data_dir: Path
    address: str | None = None
    keys_address: str | None = None

    @property
    def in_words(self) -> str:
        return "the database" if self.address else f"'{self.data_dir}'"

    def patient(self) -> Place:
        """The same place, for one who sends a lot to it; raises AddressError."""
        addresses = (self.address, self.keys_address)
        return Place(self.data_dir, *(one and patient_address(one) for one in addresses))


@dataclass(frozen=True)
class Databases:
    """Engines of the parts; two may be one.

    Attributes:
        lookups: Of the faces, for single statements that read.
    """

    faces: Engine
    lookups: Engine
    keys: Engine
    audit: Engine

    def close(self) -> None:
        for engine in {self.faces, self.lookups, self.keys, self.audit}:
            engine.dispose()


def open_databases(place: Place) -> Databases:
    """Opens them; SQLite's files are made, with mode 0600, if they are not there.

    Raises:
        OSError: If a file or its folder cannot be made.
        AddressError: If an address cannot be used.
        NotReady, StorageFull, Overloaded: If a file cannot be read or written.
    """
    if place.address is not None:
        faces = postgres_engine(place.address)
        keys = faces if place.keys_address is None else postgres_engine(place.keys_address)
        return Databases(faces, postgres_engine(place.address, autocommit=True), keys, faces)
    with ExitStack() as made:
        engines = []
        for name in (FACES_FILE, KEYS_FILE, AUDIT_FILE):
            path = place.data_dir / name
            make_sqlite_file(path)
            engine = sqlite_engine(path)
            made.callback(engine.dispose)
            with translated():
                use_write_ahead_log(engine)
            engines.append(engine)
        made.pop_all()
    faces, keys, audit = engines
    return Databases(faces, faces, keys, audit)
