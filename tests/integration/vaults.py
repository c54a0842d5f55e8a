"""Vaults for tests of the store: a real one with a key of its own, and one of glass."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from service.core.secrecy import Vault
from service.security.master_keys import MasterKeys
from service.security.vault import AesVault
from service.storage import open_store as opening
from service.storage.databases import Place
from service.storage.sql_store import SqlStore

MASTER_KEY = b"not a secret: only tests use it."
VAULT = AesVault(MasterKeys(lambda: (MASTER_KEY,)))


def open_store(data_dir: Path, vault: Vault = VAULT, address: str | None = None) -> SqlStore:
    """Of SQLite's files in a folder, or of the PostgreSQL database at an address."""
    return opening.open_store(Place(data_dir, address), vault)


class GlassKey:
    """Leaves everything readable: what a deletion leaves in a file can be looked for."""

    def seal(self, plain: bytes, about: bytes) -> bytes:
        return plain

    def open(self, sealed: bytes, about: bytes) -> bytes:
        return sealed

    def digest(self, data: bytes) -> str:
        return hmac.new(b"glass", data, hashlib.sha256).hexdigest()


class GlassVault:
    def make(self, about: bytes) -> tuple[GlassKey, bytes]:
        return GlassKey(), b"glass"

    def unwrap(self, wrapped: bytes, about: bytes) -> GlassKey:
        return GlassKey()

    def rewrapped(self, wrapped: bytes, about: bytes) -> bytes | None:
        return None
