"""Is what is stored at hand: database, schema, keys, audit log, clock. Nothing is changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from model.errors import SemblanceError
from service.addresses import is_loopback
from service.commands.checks.finding import Finding, fail, ok, warn
from service.core.secrecy import MasterKeyError
from service.opening import master_key_source, master_keys, place_of
from service.security.vault import AesVault
from service.settings import Settings
from service.storage.audit_chain import KEY_NAME
from service.storage.audit_rows import is_sealed, stored_head
from service.storage.audit_tables import audit_log
from service.storage.data_keys import about_key, service_keys
from service.storage.databases import AUDIT_FILE, FACES_FILE, KEYS_FILE, Databases
from service.storage.engines import WRITES, sqlite_engine
from service.storage.faults import translated
from service.storage.migrations import HEAD, revisions_of
from service.storage.postgres import postgres_engine
from service.storage.sql_keys import SqlKeys

_SOON: Final = timedelta(days=7)
_APART_S: Final = 5.0
_TOO_FAR_S: Final = 60.0
_US: Final = 10**6


def check_storage(settings: Settings) -> Iterator[Finding]:
    """All that is behind a database that can be opened; else why it cannot be."""
    try:
        databases = _opened(settings)
    except (SemblanceError, SQLAlchemyError, OSError) as error:
        yield fail("storage", _said(error), _todo(settings))
        return
    if databases is None:
        yield ok("storage", "nothing is stored yet: the first start makes it")
        return
    with closing(databases):
        try:
            yield from _schema(databases)
            yield from _writable(databases)
        except (SemblanceError, SQLAlchemyError, OSError) as error:
            yield fail("storage", _said(error), _todo(settings))
            return
        yield from _keys(settings, databases)
        yield from _clock(databases)


def _opened(settings: Settings) -> Databases | None:
    """Without making anything; None if there is nothing."""
    place = place_of(settings)
    if place.address is not None:
        faces = postgres_engine(place.address)
        keys = faces if place.keys_address is None else postgres_engine(place.keys_address)
        return Databases(faces, faces, keys, faces)
    files = [settings.data_dir / name for name in (FACES_FILE, KEYS_FILE, AUDIT_FILE)]
    there = [file.exists() for file in files]
    if not any(there):
        return None
    missing = [file.name for file, is_there in zip(files, there, strict=True) if not is_there]
    if missing:
        raise OSError(f"{', '.join(missing)} is missing beside the others")
    faces, keys, audit = map(sqlite_engine, files)
    return Databases(faces, faces, keys, audit)


def _schema(databases: Databases) -> Iterator[Finding]:
    with translated():
        found = revisions_of(databases.faces)
    if not found:
        yield ok("schema", "the database is empty: the first start makes its tables")
    elif found == {HEAD}:
        yield ok("schema", f"{HEAD}, the newest")
    elif max(found) > HEAD:
        said = f"{', '.join(sorted(found))} is newer than this version knows ({HEAD})"
        yield fail("schema", said, "start the newer version, or restore a backup of this one")
    else:
        said = f"{', '.join(sorted(found))}, older than {HEAD}"
        yield warn("schema", said, "the next start brings it up to date; make a backup before")


def _writable(databases: Databases) -> Iterator[Finding]:
    """By making a table, and taking it back."""
    parts = (("faces", databases.faces), ("keys", databases.keys), ("audit log", databases.audit))
    seen: set[Engine] = set()
    for part, engine in parts:
        if engine in seen:
            continue
        seen.add(engine)
        with translated(), engine.execution_options(**WRITES).connect() as connection:
            connection.execute(text("CREATE TABLE semblance_doctor (one INTEGER)"))
            connection.rollback()
        kind = engine.dialect.name
        yield ok("storage", f"{part}: {kind}, can be read and written")


def _keys(settings: Settings, databases: Databases) -> Iterator[Finding]:
    """The master key, whether it fits what is stored, the audit log's end, and API keys."""
    try:
        vault = AesVault(master_keys(settings, make=False))
    except MasterKeyError as error:
        todo = "bring it back: without it nothing that is stored can be read"
        yield fail("master key", str(error), todo)
        return
    with translated():
        if not inspect(databases.keys).has_table(service_keys.name):
            yield ok("master key", "can be read; nothing is under it yet")
            return
        with databases.keys.connect() as connection:
            rows = connection.execute(select(service_keys)).all()
    opened = {}
    try:
        for name, wrapped in rows:
            opened[name] = vault.unwrap(wrapped, about_key(service_keys, name))
    except MasterKeyError as error:
        yield fail("master key", str(error), "give it the master key that was there before")
        return
    yield ok("master key", f"opens what is stored ({len(rows)} keys of the service)")
    if KEY_NAME in opened and inspect(databases.audit).has_table(audit_log.name):
        with databases.audit.connect() as connection:
            head = stored_head(connection)
        if head is not None and not is_sealed(opened[KEY_NAME], *head):
            said = "its end was changed from outside; the service refuses to go on"
            yield fail("audit log", said, "`python -m service audit verify`; docs/audit.md")
        else:
            count = head[0].last.number if head else 0
            yield ok("audit log", f"{count} rows, and its end is sealed as we left it")
    yield from _api_keys(settings, databases)


def _api_keys(settings: Settings, databases: Databases) -> Iterator[Finding]:
    if settings.insecure:
        return
    now = datetime.now(UTC)
    found = SqlKeys(databases.faces).all_keys()
    good = [key for key in found if key.is_good(now)]
    lasting = [key for key in good if key.expires_at is None or key.expires_at > now + _SOON]
    makes = settings.make_admin_key
    if not good and (is_loopback(settings.host) if makes is None else makes):
        yield ok("api keys", "none yet: the next start makes the first")
    elif not good:
        todo = "`python -m service keys create --scope admin`"
        yield fail("api keys", f"none of {len(found)} opens anything", todo)
    elif not lasting:
        said = f"all {len(good)} that are good expire within {_SOON.days} days"
        yield warn("api keys", said, "make new ones: `python -m service keys create`")
    else:
        yield ok("api keys", f"{len(good)} good of {len(found)}")


def _clock(databases: Databases) -> Iterator[Finding]:
    """Against the newest entry of the audit log, and the clock of the database's machine."""
    with translated():
        newest = None
        if inspect(databases.audit).has_table(audit_log.name):
            with databases.audit.connect() as connection:
                newest = connection.scalar(select(func.max(audit_log.c.at_us)))
        now = datetime.now(UTC)
        if newest is not None and newest / _US - now.timestamp() > _TOO_FAR_S:
            ahead = timedelta(seconds=round(newest / _US - now.timestamp()))
            said = f"the newest entry of the audit log is {ahead} in the future"
            yield fail("clock", said, "set the clock (NTP): keys, quotas and retention go by it")
            return
        if databases.faces.dialect.name == "postgresql":
            with databases.faces.connect() as connection:
                theirs = connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
            apart_s = abs(float(theirs or 0) - datetime.now(UTC).timestamp())
            if apart_s > _APART_S:
                said = f"{apart_s:.0f} s from the database's clock"
                yield warn("clock", said, "set both by NTP")
                return
    yield ok("clock", f"{now:%Y-%m-%d %H:%M} UTC, not before what is stored")


def check_permissions(settings: Settings) -> Iterator[Finding]:
    """Who else on this machine could read it."""
    source = master_key_source(settings)
    places = [settings.data_dir / name for name in (FACES_FILE, KEYS_FILE, AUDIT_FILE)]
    places.append(settings.data_dir / "admin.key")
    if settings.database is None:
        places.append(settings.data_dir)
    if source.changeable_file is not None:
        places.append(source.changeable_file)
    open_ones = sorted({place.name for place in places if _is_open(place)})
    if open_ones:
        said = f"others on this machine may read or change {', '.join(open_ones)}"
        yield fail("permissions", said, "chmod go-rwx each of them")
    elif settings.data_dir.exists():
        yield ok("permissions", "the data folder is its owner's alone")
    if source.changeable_file is not None and settings.master_key_file is None:
        if is_loopback(settings.host) or not source.changeable_file.exists():
            return
        said = "the master key lies in the data folder: a copy of the folder can be read"
        yield warn("master key's place", said, "keep it elsewhere: SEMBLANCE_MASTER_KEY_FILE")


def _is_open(place: Path) -> bool:
    try:
        found = place.stat()
    except OSError:
        return False
    # A secret that is handed to us may belong to root, and to our group to read.
    shut = 0o077 if found.st_uid == os.geteuid() else 0o037
    return bool(found.st_mode & shut)


def _said(error: Exception) -> str:
    if isinstance(error, SQLAlchemyError):
        # Its text may hold an address.
        return f"the database refuses ({type(error).__name__})"
    return str(error)


def _todo(settings: Settings) -> str:
    if settings.database:
        return "is the server there, and may this user make tables? docs/scaling.md"
    return "is its disk mounted, not full, and is the folder its user's? docs/operations.md"
