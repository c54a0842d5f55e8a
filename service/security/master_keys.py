"""The master keys: what they are read from, and what they wrap.

The first is in use; those behind it still open what they wrapped, until `keys rotate`
has wrapped everything anew. A master key is 32 random bytes, written as base64url.

    environment   SEMBLANCE_MASTER_KEY          keys, one after the other, the newest first
    file          SEMBLANCE_MASTER_KEY_FILE     the same, one a line
    command       SEMBLANCE_MASTER_KEY_COMMAND  prints the same; so a key service fits
    none of them  master.key in the data folder, made at the first start, mode 0600
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import secrets
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.core.secrecy import MasterKeyError

KEY_BYTES: Final = 32
FILE_NAME: Final = "master.key"
_COMMAND_LIMIT_S: Final = 30
_VERSION: Final = b"\x01"
_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12


@dataclass(frozen=True)
class MasterKeySource:
    """Where the keys come from; the first that is given counts.

    Attributes:
        text: The keys themselves.
        file: Of the keys; None for `default_file`, which is made if it is missing.
        command: As in a shell, but run without one.
    """

    default_file: Path
    text: str | None = None
    file: Path | None = None
    command: str | None = None

    @property
    def changeable_file(self) -> Path | None:
        """The file that a new key can be added to; None if the keys come from elsewhere."""
        if self.text or self.command:
            return None
        return self.file or self.default_file

    def read(self, *, make: bool = True) -> tuple[bytes, ...]:
        """The keys, the newest first.

        Args:
            make: Make the default file if it is used and not there.

        Raises:
            MasterKeyError: If there is none, or what was read is none.
        """
        if self.text:
            return parse_keys(self.text, "SEMBLANCE_MASTER_KEY")
        if self.command:
            return parse_keys(_printed(self.command), "SEMBLANCE_MASTER_KEY_COMMAND")
        path = self.file or self.default_file
        if self.file is None and make:
            _make(path)
        try:
            content = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise MasterKeyError(f"the master key cannot be read from '{path.name}'") from error
        return parse_keys(content, f"'{path.name}'")

    def version(self) -> object:
        """Another one whenever the file of keys was replaced; None if they are in none."""
        path = self.changeable_file
        try:
            found = path.stat() if path else None
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size) if found else None


def new_master_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def parse_keys(text: str, where: str) -> tuple[bytes, ...]:
    """Raises MasterKeyError; the text says where, never what."""
    keys = []
    for word in text.replace(",", " ").split():
        try:
            key = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise MasterKeyError(
                f"{where} holds something that is no master key: {KEY_BYTES} bytes as base64url, "
                "such as `python -m service keys new-master` prints"
            )
        keys.append(key)
    if not keys:
        raise MasterKeyError(f"{where} holds no master key")
    return tuple(keys)


def write_keys(path: Path, keys: tuple[bytes, ...]) -> None:
    """Replaces a file of keys in one step; mode 0600."""
    lines = "".join(f"{base64.urlsafe_b64encode(key).decode()}\n" for key in keys)
    staging = _written(path, lines)
    try:
        os.replace(staging, path)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise


class MasterKeys:
    """Wraps and unwraps keys; any thread may use it.

    Args:
        read: The keys as they are now, the newest first; read again when something
            was wrapped by none of those known, since another process may have rotated.
        version: Of what `read` reads, where that is known without reading it: nothing
            new is wrapped by a key that a file has no more.
    """

    def __init__(
        self,
        read: Callable[[], tuple[bytes, ...]],
        version: Callable[[], object] = lambda: None,
    ) -> None:
        self._read = read
        self._version = version
        self._seen = version()
        self._keys = read()

    def wrap(self, key: bytes, about: bytes) -> bytes:
        """A key under the newest master key.

        Args:
            about: What the key is for; unwrapping must name the same.
        """
        master = self._newest()
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _VERSION + key_id(master)
        return head + nonce + AESGCM(master).encrypt(nonce, key, head + about)

    def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        """Raises MasterKeyError if no key that is known wrapped it, or for something else."""
        found = self._opening(wrapped)
        if found is None:
            self._keys = self._read()
            found = self._opening(wrapped)
        if found is None:
            raise MasterKeyError("the data were encrypted under another master key")
        at = len(_VERSION) + _ID_BYTES
        nonce, sealed = wrapped[at : at + _NONCE_BYTES], wrapped[at + _NONCE_BYTES :]
        try:
            return bytes(AESGCM(found).decrypt(nonce, sealed, wrapped[:at] + about))
        # ValueError: it is too short to hold a nonce.
        except (InvalidTag, ValueError) as error:
            raise MasterKeyError("a key was changed or belongs to something else") from error

    def is_newest(self, wrapped: bytes) -> bool:
        return wrapped[len(_VERSION) : len(_VERSION) + _ID_BYTES] == key_id(self._keys[0])

    def newest_id(self) -> bytes:
        """Of the key that now wraps what is new; see `key_id`."""
        return key_id(self._newest())

    def derived(self, wanted_id: bytes, salt: bytes, purpose: bytes) -> bytes:
        """A key for one purpose, 32 bytes; HKDF-SHA256 (RFC 5869) of the master key of this id.

        Args:
            salt: Random, another one for each key that is derived.

        Raises:
            MasterKeyError: If no key that is known has this id.
        """
        found = self._of_id(wanted_id)
        if found is None:
            self._keys = self._read()
            found = self._of_id(wanted_id)
        if found is None:
            raise MasterKeyError(f"the master key of the id {wanted_id.hex()} is not known here")
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=purpose).derive(found)

    def _newest(self) -> bytes:
        version = self._version()
        if version != self._seen:
            self._keys, self._seen = self._read(), version
        return self._keys[0]

    def _opening(self, wrapped: bytes) -> bytes | None:
        return self._of_id(wrapped[len(_VERSION) : len(_VERSION) + _ID_BYTES])

    def _of_id(self, wanted_id: bytes) -> bytes | None:
        return next((key for key in self._keys if key_id(key) == wanted_id), None)


def key_id(key: bytes) -> bytes:
    """Tells keys apart and nothing about them."""
    return hashlib.sha256(b"semblance master key" + key).digest()[:_ID_BYTES]


def _make(path: Path) -> None:
    """A file with a new key, unless there is one; whole from the first moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        return
    staging = _written(path, new_master_key() + "\n")
    try:
        # Another process may have made it since: then theirs is the key.
        with contextlib.suppress(FileExistsError):
            os.link(staging, path)
    finally:
        staging.unlink()


def _written(path: Path, text: str) -> Path:
    """A file beside `path`, mode 0600, on the disk."""
    staging = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    handle = os.open(staging, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
    return staging


def _printed(command: str) -> str:
    try:
        done = subprocess.run(
            shlex.split(command),
            capture_output=True,
            text=True,
            timeout=_COMMAND_LIMIT_S,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        # What it printed may hold a key.
        raise MasterKeyError(
            "SEMBLANCE_MASTER_KEY_COMMAND failed, or took longer than "
            f"{_COMMAND_LIMIT_S} seconds ({type(error).__name__})"
        ) from None
    return done.stdout
