"""A picture as a caller has it, and as a form sends it."""

from __future__ import annotations

import os
from pathlib import Path

Picture = bytes | str | os.PathLike[str]
"""The bytes of an encoded picture, or the path of a file."""

FilePart = tuple[str, tuple[str, bytes]]


def part(field: str, picture: Picture) -> FilePart:
    """A part of a form. Raises OSError if the file cannot be read."""
    if isinstance(picture, bytes):
        return field, ("image", picture)
    path = Path(picture)
    return field, (path.name, path.read_bytes())
