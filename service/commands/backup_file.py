"""The file that a backup is: the stream of all that is stored, in sealed frames.

    header   what is needed to open it, as JSON, in clear: no names, no counts
    frames   the name of a table, a 0 byte, rows (`storage.transfer.batches`)
    end      rows and SHA-256 of each table, as JSON

The key of the file is derived from a master key, of which the header has the id.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from service.core.secrecy import MasterKeyError
from service.security.master_keys import MasterKeys
from service.security.sealed_file import FrameWriter, SealedFileError, frames, read_header
from service.storage.migrations import HEAD
from service.storage.transfer.batches import TABLES, Batch, TransferError, to_bytes, to_rows
from service.storage.transfer.moving import Sums
from service.storage.transfer.tally import Sum, Tally
from service.version import VERSION

_PURPOSE: Final = b"semblance backup"
_SALT_BYTES: Final = 32
_BY_NAME: Final = {table.name: table for table in TABLES}
_COLUMNS: Final = {table.name: [column.name for column in table.columns] for table in TABLES}


@dataclass(frozen=True)
class Header:
    """In clear at the beginning of the file.

    Attributes:
        schema: Revision of the database.
        master_key, salt: In hex.
        at: When the backup began, ISO 8601.
        service: The version that made it.
        columns: Of each table.
    """

    schema: str
    master_key: str
    salt: str
    at: str
    service: str
    columns: dict[str, list[str]]


def write_backup(file: BinaryIO, stream: Iterable[Batch], masters: MasterKeys) -> Sums:
    """Writes a backup; what is in it.

    Args:
        file: Empty; to be kept only if this returns.
        stream: With all keys wrapped by the newest master key (`rewrapped`).

    Raises:
        TransferError: If the master key was changed in the meantime.
        OSError: If it cannot be written.
    """
    master_id, salt = masters.newest_id(), secrets.token_bytes(_SALT_BYTES)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    header = Header(HEAD, master_id.hex(), salt.hex(), at, VERSION, _COLUMNS)
    tally = Tally()
    start = json.dumps(asdict(header)).encode()
    writer = FrameWriter(file, start, masters.derived(master_id, salt, _PURPOSE))
    for table, rows in stream:
        data = to_bytes(rows)
        tally.add(table, len(rows), data)
        writer.add(table.name.encode() + b"\0" + data)
    writer.end(json.dumps(tally.sums()).encode())
    if masters.newest_id() != master_id:
        raise TransferError("the master key was changed meanwhile; make the backup again")
    return tally.sums()


class BackupFile:
    """A file that can be opened; it may be gone through several times.

    Attributes:
        header: Not known to be genuine before the first batch was read.
        size_bytes: Of the whole file.
    """

    def __init__(self, file: BinaryIO, masters: MasterKeys) -> None:
        """Raises as `opened_backup`."""
        self._file = file
        self._sums: Sums | None = None
        self.size_bytes = os.fstat(file.fileno()).st_size
        self._start = read_header(file)
        self.header = _header(self._start)
        wanted, salt = (bytes.fromhex(self.header.master_key), bytes.fromhex(self.header.salt))
        try:
            self._key = masters.derived(wanted, salt, _PURPOSE)
        except MasterKeyError as error:
            raise MasterKeyError(f"it was made under another master key: {error}") from error

    @property
    def sums(self) -> Sums:
        """Of all tables, once it was gone through."""
        assert self._sums is not None
        return self._sums

    def __iter__(self) -> Iterator[Batch]:
        """All batches, from the first.

        Raises:
            SealedFileError: If anything is not as it was written.
            TransferError: If it was made by a version with other tables.
        """
        _check_schema(self.header)
        self._file.seek(0)
        if read_header(self._file) != self._start:
            raise SealedFileError("it was changed while it was read")
        tally = Tally()
        for is_last, content in frames(self._file, self._start, self._key, self.size_bytes):
            if is_last:
                if tally.sums() != _sums(content):
                    raise SealedFileError("its counts do not fit what is in it")
                self._sums = tally.sums()
                return
            name, _, data = content.partition(b"\0")
            table = _BY_NAME[name.decode()]
            rows = to_rows(table, data)
            tally.add(table, len(rows), data)
            yield Batch(table, rows)


@contextmanager
def opened_backup(path: Path, masters: MasterKeys) -> Iterator[BackupFile]:
    """The backup in a file.

    Raises:
        OSError: If it cannot be read.
        SealedFileError: If it is none.
        MasterKeyError: If it was made under a master key that is not known.
    """
    with path.open("rb") as file:
        yield BackupFile(file, masters)


def _header(start: bytes) -> Header:
    try:
        found = Header(**json.loads(start))
        bytes.fromhex(found.master_key)
        bytes.fromhex(found.salt)
    except (ValueError, TypeError) as error:
        raise SealedFileError("its header was changed") from error
    return found


def _sums(content: bytes) -> Sums:
    return {name: Sum(*found) for name, found in json.loads(content).items()}


def _check_schema(header: Header) -> None:
    if header.schema == HEAD and header.columns == _COLUMNS:
        return
    newer = header.schema > HEAD
    raise TransferError(
        f"it is of schema {header.schema}, made by version {header.service}, and this is "
        f"version {VERSION} with schema {HEAD}: restore it with "
        + ("that version" if newer else "that version, then start this one, which migrates")
    )
