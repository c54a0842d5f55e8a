"""Looks for what was stored of an identity in every file of the data folder.

Taken down before it is erased: what is in the database as it is there, the same in
clear, the name, and the wrapped key. Then any sixteen bytes in a row of it that are
still in a file are found, if they are on one page.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import select

from service.storage.queries import require_identity, stored_name
from service.storage.sql_store import SqlStore
from service.storage.tables import face_references, identities, reference_images

_PIECE: Final = 16
_WORD: Final = 8
_BLOCK: Final = 16 * 2**20
_STEP: Final = 64
"""A page is left over whole or in large parts: a piece of each 64 bytes finds it."""


@dataclass(frozen=True)
class Traces:
    """Pieces by what they are of."""

    pieces: dict[str, list[bytes]]

    @property
    def count(self) -> int:
        return sum(map(len, self.pieces.values()))


def traces_of(store: SqlStore, collection: str, identity: str) -> Traces:
    """What is stored of an identity. Raises UnknownIdentity."""
    found: dict[str, list[bytes]] = {}

    def add(what: str, data: bytes) -> None:
        starts = range(0, max(1, len(data) - _PIECE + 1), _STEP)
        found.setdefault(what, []).extend(data[at : at + _PIECE] for at in starts if data)

    within = store.within(collection)
    for reference in within.references(identity):
        add("embedding", reference.embedding.tobytes())
        add("file name", (reference.filename or "").encode())
        add("reference id", reference.reference_id.encode())
        image = within.image(identity, reference.reference_id)
        if image is not None:
            add("picture", image.data)
            add("landmarks", image.landmarks.tobytes())
    about = within.about(identity)
    add("consent", (about.consent or "").encode())
    for name, text in about.metadata.items():
        add("metadata", f"{name}{text}".encode())
    name = stored_name(collection, identity)
    add("name", name.encode())
    rows = (
        select(
            identities.c.details.label("said"),
            face_references.c.embedding,
            face_references.c.details,
            reference_images.c.data,
        )
        .select_from(identities.join(face_references).outerjoin(reference_images))
        .where(identities.c.name == name)
    )
    with store.engine.begin() as connection:
        owner = require_identity(connection, name)
        for row in connection.execute(rows):
            for sealed in row:
                add("sealed", sealed or b"")
    add("key id", owner.key_id.encode())
    add("wrapped key", store.data_keys.wrapped(owner.key_id))
    # Short words may be anywhere by chance; they tell nothing.
    return Traces({what: [p for p in ps if len(p) >= 5] for what, ps in found.items()})


def left_over(traces: Traces, folder: Path) -> tuple[dict[str, list[str]], dict[str, int]]:
    """What of it is in which files still, and all files with their sizes in bytes."""
    found: dict[str, list[str]] = {}
    searched = {}
    wanted = [piece for pieces in traces.pieces.values() for piece in pieces]
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        searched[name] = path.stat().st_size
        seen = _seen(wanted, path) if searched[name] else set()
        for what, pieces in traces.pieces.items():
            if not seen.isdisjoint(pieces):
                found.setdefault(what, []).append(name)
    return found, searched


def _seen(pieces: list[bytes], path: Path) -> set[bytes]:
    """Those that are in a file.

    One look at each byte, whatever number of pieces: by a table of two bytes, then by
    eight, then by all.
    """
    seen = set()
    long = [piece for piece in pieces if len(piece) >= _WORD]
    words = np.array([int.from_bytes(piece[:_WORD], "little") for piece in long], dtype=np.uint64)
    likely = np.zeros(1 << 16, dtype=bool)
    likely[words & np.uint64(0xFFFF)] = True
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        seen |= {piece for piece in pieces if len(piece) < _WORD and data.find(piece) >= 0}
        for start in range(0, len(data), _BLOCK):
            block = data[start : start + _BLOCK + _PIECE]
            for shift in range(_WORD):
                there = np.frombuffer(
                    block, dtype="<u8", offset=shift, count=max(0, len(block) - shift) // _WORD
                )
                there = there[likely[there & np.uint64(0xFFFF)]]
                hits = set(there[np.isin(there, words)].tolist())
                seen |= {
                    piece
                    for piece, word in zip(long, words.tolist(), strict=True)
                    if word in hits and piece in block
                }
    return seen
