"""Stored pictures as a folder with one folder an identity, such as `import` takes.

people/ada/0b9d7c52c1f14be5a5f4f1b9b7a5f0d3.jpg     named by the reference's id
people/ada/identity.json                             name, consent and metadata
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.api.requests import check_identity
from service.commands.import_folder import SIDECAR
from service.core.errors import InvalidRequest, UnknownIdentity, UnknownReference
from service.core.ports import Store

_PAGE: Final = 500
_MAX_NAME_BYTES: Final = 200
"""Of a folder: file systems take 255."""
_ENDINGS: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/heif": ".heic",
    "image/heic": ".heic",
    "image/avif": ".avif",
}


@dataclass
class Written:
    """Attributes: without: References of which no picture is kept."""

    identities: int = 0
    pictures: int = 0
    without: int = 0


def export_all(
    store: Store, folder: Path, only: str | None, told: Callable[[str], None]
) -> Written:
    """Writes the pictures of one identity, or of all.

    Args:
        store: Of the collection.
        folder: Made, with mode 0700; if it is there, it must be empty.
        told: Given each identity once its pictures are written.

    Raises:
        InvalidRequest: If something is in the folder.
        UnknownIdentity: If `only` is not enrolled.
        OSError: If it cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InvalidRequest(f"'{folder}' is not empty")
    written = Written()
    if only is not None:
        _export(store, folder, only, written)
        told(only)
        return written
    after = None
    while True:
        page = store.identities(after, _PAGE)
        for summary in page:
            # Deleted meanwhile: then it is not to be written either.
            with suppress(UnknownIdentity):
                _export(store, folder, summary.identity, written)
                told(summary.identity)
        if len(page) < _PAGE:
            return written
        after = page[-1].identity


def _export(store: Store, folder: Path, identity: str, written: Written) -> None:
    references, about = store.references(identity), store.about(identity)
    own = folder / _folder_name(identity)
    own.mkdir(mode=0o700)
    for reference in references:
        with suppress(UnknownReference):
            kept = store.image(identity, reference.reference_id)
            if kept is None:
                written.without += 1
                continue
            ending = _ENDINGS.get(kept.media_type, ".img")
            _write(own / f"{reference.reference_id}{ending}", kept.data)
            written.pictures += 1
    content = {"identity": identity, "consent": about.consent, "metadata": dict(about.metadata)}
    _write(own / SIDECAR, json.dumps(content, indent=2, ensure_ascii=False).encode())
    written.identities += 1


def _folder_name(identity: str) -> str:
    """The name itself where it can be a folder's: it was made by a caller."""
    with suppress(ValueError):
        name = check_identity(identity)
        if len(name.encode()) <= _MAX_NAME_BYTES:
            return name
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
