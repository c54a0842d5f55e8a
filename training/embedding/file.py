"""Embeddings as an .npz file: what was embedded, and by which model.

    embeddings  (N, D) float32     names, identities  (N,)     missed  (M,)
    fingerprint  of the model      listing            of all names there were
    kind         pictures or chips shard              (2,): i, n; 1, 1 for all

Nothing in it is pickled: reading one runs nothing.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.types import AnyArray
from training.data.errors import DataError, saying_disk_full
from training.data.shard import Shard
from training.pictures import Embedded

WHOLE = Shard(1, 1)
_TEXTS = ("names", "identities", "missed", "fingerprint", "listing", "kind")


@dataclass(frozen=True)
class EmbeddedFile:
    """What is in a file.

    Attributes:
        fingerprint: Of the model; embeddings of two models must not be compared.
        listing: SHA-256 of the names of all pictures, those of other shards too.
        kind: "pictures" that faces were found in, or "chips" taken as they are.
        shard: Which part of the pictures; `WHOLE` for all.
    """

    embedded: Embedded
    fingerprint: str
    listing: str
    kind: str
    shard: Shard = WHOLE


def write_embedded(path: Path, content: EmbeddedFile) -> None:
    """Writes the file, whole or not at all.

    Raises:
        DataError: If the disk is full.
    """
    embedded = content.embedded
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with saying_disk_full("nothing was written"):
            with os.fdopen(number, "wb") as file:
                np.savez(
                    file,
                    embeddings=embedded.embeddings.astype(np.float32),
                    names=_texts(embedded.names),
                    identities=_texts(tuple(embedded.identities)),
                    missed=_texts(embedded.missed),
                    fingerprint=np.array(content.fingerprint),
                    listing=np.array(content.listing),
                    kind=np.array(content.kind),
                    shard=np.array([content.shard.index, content.shard.count]),
                )
            os.chmod(name, 0o644)
            os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def _texts(values: tuple[str, ...]) -> AnyArray:
    return np.array(values, dtype=np.str_)


def read_embedded(path: Path) -> Embedded:
    """The embeddings of a whole file.

    Raises:
        DataError: If it is no such file, or one part of several.
    """
    content = read_file(path)
    if content.shard != WHOLE:
        raise DataError(
            f"expected all embeddings in '{path.name}', found part {content.shard}; "
            "join the parts with embed-merge"
        )
    return content.embedded


def read_file(path: Path) -> EmbeddedFile:
    """All that is in a file, part or whole.

    Raises:
        DataError: If it is no such file.
    """
    wrong = DataError(f"expected embeddings that embed made, found something else in '{path.name}'")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in (*_TEXTS, "embeddings", "shard")}
    except (KeyError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise wrong from error
    rows = arrays["embeddings"]
    sound = (
        all(arrays[name].dtype.kind == "U" for name in _TEXTS)
        and rows.dtype == np.float32
        and rows.ndim == 2
        and bool(np.isfinite(rows).all())
        and arrays["names"].shape == arrays["identities"].shape == rows.shape[:1]
        and arrays["shard"].dtype.kind == "i"
        and arrays["shard"].shape == (2,)
    )
    if not sound:
        raise wrong
    return EmbeddedFile(
        Embedded(
            names=tuple(arrays["names"].tolist()),
            identities=arrays["identities"],
            embeddings=rows,
            missed=tuple(arrays["missed"].tolist()),
        ),
        fingerprint=str(arrays["fingerprint"]),
        listing=str(arrays["listing"]),
        kind=str(arrays["kind"]),
        shard=Shard(*(int(number) for number in arrays["shard"])),
    )
