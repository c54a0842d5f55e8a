"""Encryption of what is stored: a data key for each identity, wrapped by the master key.

AES-256-GCM throughout. With every piece goes, as associated data, what it is and whose,
so that a row copied to another place does not open there.

    sealed   0x01, nonce (12 bytes), ciphertext with tag
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.core.errors import DamagedData
from service.security.master_keys import KEY_BYTES, MasterKeys

_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12
_DIGEST_LABEL: Final = b"semblance digest"


class AesDataKey:
    """`service.core.secrecy.DataKey` by AES-256-GCM and HMAC-SHA256."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._digest_key = derived(key, _DIGEST_LABEL)

    def seal(self, plain: bytes, about: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plain, about)

    def open(self, sealed: bytes, about: bytes) -> bytes:
        start = len(_VERSION) + _NONCE_BYTES
        if sealed[: len(_VERSION)] != _VERSION:
            raise DamagedData("stored data are of a form that this version does not know")
        try:
            return self._cipher.decrypt(sealed[len(_VERSION) : start], sealed[start:], about)
        # ValueError: it is too short to hold a nonce.
        except (InvalidTag, ValueError) as error:
            raise DamagedData("stored data were changed, or belong to something else") from error

    def digest(self, data: bytes) -> str:
        return hmac.digest(self._digest_key, data, "sha256").hex()


class AesVault:
    """`service.core.secrecy.Vault` under master keys."""

    def __init__(self, masters: MasterKeys) -> None:
        self._masters = masters

    def make(self, about: bytes) -> tuple[AesDataKey, bytes]:
        key = secrets.token_bytes(KEY_BYTES)
        return AesDataKey(key), self._masters.wrap(key, about)

    def unwrap(self, wrapped: bytes, about: bytes) -> AesDataKey:
        return AesDataKey(self._masters.unwrap(wrapped, about))

    def rewrapped(self, wrapped: bytes, about: bytes) -> bytes | None:
        if self._masters.is_newest(wrapped):
            return None
        return self._masters.wrap(self._masters.unwrap(wrapped, about), about)


def derived(key: bytes, label: bytes) -> bytes:
    """A key for one purpose, 32 bytes; HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=label).derive(key)
