"""What is to be imported: a folder with one folder an identity.

    people/ada/1.jpg
    people/ada/2.jpg
    people/ada/identity.json     only if an export wrote it: name, consent and metadata

The folder's name is the identity's, unless `identity.json` says another.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from service.api.requests import Metadata, check_identity
from service.core.errors import InvalidRequest
from service.core.ports import About

SIDECAR: Final = "identity.json"
_MAX_SIDECAR_BYTES: Final = 64 * 1024
_METADATA: Final = TypeAdapter(Metadata | None)


@dataclass(frozen=True)
class Person:
    """The pictures of one identity.

    Attributes:
        folder: Where they are.
        names: Of the files, in order.
        about: What is said about it; None if nothing is.
    """

    identity: str
    folder: Path
    names: tuple[str, ...]
    about: About | None = None


@dataclass(frozen=True)
class Unusable:
    """A folder that is no identity's, and why."""

    name: str
    detail: str


def people_in(folder: Path) -> Iterator[Person | Unusable]:
    """The identities of a folder, in order of their names; what begins with a dot is not seen.

    Raises:
        InvalidRequest: If it is no folder, or has none in it.
    """
    if not folder.is_dir():
        raise InvalidRequest(f"'{folder}' is not a folder")
    names = sorted(entry.name for entry in os.scandir(folder) if _is_seen(entry) and entry.is_dir())
    if not names:
        raise InvalidRequest(
            f"'{folder}' has no folder in it; one for each identity is expected, with its pictures"
        )
    for name in names:
        yield _person(folder / name)


def _person(folder: Path) -> Person | Unusable:
    names = sorted(
        entry.name for entry in os.scandir(folder) if _is_seen(entry) and entry.is_file()
    )
    try:
        identity, about = folder.name, None
        if SIDECAR in names:
            names.remove(SIDECAR)
            identity, about = _said(folder / SIDECAR)
        identity = check_identity(identity)
    except (ValueError, OSError, RecursionError) as error:
        return Unusable(folder.name, str(error))
    return Person(identity, folder, tuple(names), about)


def _said(path: Path) -> tuple[str, About | None]:
    """Raises ValueError or OSError if it cannot be read."""
    if path.stat().st_size > _MAX_SIDECAR_BYTES:
        raise ValueError(f"{SIDECAR} has more than {_MAX_SIDECAR_BYTES} bytes")
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict) or not isinstance(content.get("identity"), str):
        raise ValueError(f"{SIDECAR} names no identity")
    consent = content.get("consent")
    if not (consent is None or (isinstance(consent, str) and len(consent) <= 256)):
        raise ValueError(f"{SIDECAR}: consent is a text of at most 256 characters")
    try:
        metadata = _METADATA.validate_python(content.get("metadata"))
    except ValidationError as error:
        raise ValueError(f"{SIDECAR}: metadata cannot be used") from error
    about = About(consent, metadata or {})
    return content["identity"], None if about == About() else about


def _is_seen(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".")
