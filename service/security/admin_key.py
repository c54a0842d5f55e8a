"""The first key: made when there is none, kept in a file that its owner alone may read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from service.core.access import DEFAULT_COLLECTION, Doorkeeper, KeyStore
from service.core.errors import WrongKey
from service.core.secrecy import DataKey
from service.security.api_keys import new_key

FILE_NAME: Final = "admin.key"


def make_admin_key(store: KeyStore, pepper: DataKey, data_dir: Path) -> str:
    """A key that may do everything in the default collection, as text.

    Raises:
        OSError: If the file cannot be written; there is no key then.
    """
    text, key = new_key(
        pepper,
        name="made at the first start",
        scopes=frozenset({"admin"}),
        collection=DEFAULT_COLLECTION,
    )
    path = data_dir / FILE_NAME
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    store.add_key(key)
    return text


def kept_admin_key(keeper: Doorkeeper, data_dir: Path) -> str | None:
    """The key of that file, if it is there and still opens something."""
    try:
        text = (data_dir / FILE_NAME).read_text(encoding="ascii").strip()
        keeper.recognise(text)
    except (OSError, UnicodeDecodeError, WrongKey):
        return None
    return text
