"""Join the parts of embeddings that shards made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.data.errors import DataError
from training.data.shard import Shard
from training.embedding.file import EmbeddedFile, read_file
from training.pictures import Embedded


def merge(parts: list[Path]) -> EmbeddedFile:
    """The parts as one, in the order of names: what one run would have made.

    Raises:
        DataError: If they are not every part, once, of the same pictures and model.
    """
    if not parts:
        raise DataError("expected the parts that embed --shard made, found none")
    read = [read_file(path) for path in parts]
    first, count = read[0], read[0].shard.count
    for path, one in zip(parts, read, strict=True):
        for what, found, expected in (
            ("part of", one.shard.count, count),
            ("the model", one.fingerprint, first.fingerprint),
            ("embeddings of", one.kind, first.kind),
            ("the pictures", one.listing, first.listing),
        ):
            if found != expected:
                raise DataError(
                    f"expected {what} {_short(expected)} in '{path.name}' as in "
                    f"'{parts[0].name}', found {_short(found)}"
                )
    given = [one.shard.index for one in read]
    twice = sorted({index for index in given if given.count(index) > 1})
    if twice:
        raise DataError(f"expected each part once, found part {Shard(twice[0], count)} twice")
    missing = sorted(set(range(1, count + 1)) - set(given))
    if missing:
        named = ", ".join(str(Shard(index, count)) for index in missing[:5])
        raise DataError(f"expected all {count} parts, found {len(given)}: missing {named}")
    return EmbeddedFile(_joined(read), first.fingerprint, first.listing, first.kind)


def _joined(parts: list[EmbeddedFile]) -> Embedded:
    names = [name for part in parts for name in part.embedded.names]
    order = sorted(range(len(names)), key=names.__getitem__)
    return Embedded(
        names=tuple(names[row] for row in order),
        identities=np.concatenate([part.embedded.identities for part in parts])[order],
        embeddings=np.concatenate([part.embedded.embeddings for part in parts])[order],
        missed=tuple(sorted(name for part in parts for name in part.embedded.missed)),
    )


def _short(value: str | int) -> str:
    return str(value)[:16]
