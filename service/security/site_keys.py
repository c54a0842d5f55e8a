"""Keys of results for other sites: Ed25519 signatures, one key for all replicas.

The private key is derived from a key of the service that lies wrapped by the master key
beside the others, so it is made once, backed up, moved and wrapped anew as they are.

    "results 0"            the first
    "results 1764144000"   made by a rotation, at that second since 1970

A new key is published at once and signs from `SETTLES_S` later: by then every replica
publishes it, and nobody meets a signature whose key he cannot find.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.core.secrecy import DataKey, ServiceKeys

SETTLES_S: Final = 30
_LOOKS_S: Final = 5.0
"""How long a rotation by another process may go unnoticed."""

_PREFIX: Final = "results "
_FIRST: Final = f"{_PREFIX}0"
_SESSIONS: Final = "site sessions"
_SEED_LABEL: Final = b"ed25519 seed"
TYPE: Final = "semblance-result+jwt"


@dataclass(frozen=True)
class _SigningKey:
    """Attributes: made_at: Seconds since 1970; 0 of the first."""

    made_at: int
    private: Ed25519PrivateKey
    jwk: dict[str, str]

    @property
    def kid(self) -> str:
        return self.jwk["kid"]


class Ed25519SiteKeys:
    """`service.core.sites.SiteKeys`; any thread may use it.

    Args:
        keys: Where they are kept.
        clock: Seconds since 1970.
    """

    def __init__(self, keys: ServiceKeys, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._clock = clock
        self._lock = threading.Lock()
        self._ring: dict[str, _SigningKey] = {}
        self._looked_at: float | None = None
        self._session_key: DataKey | None = None

    def sign(self, claims: Mapping[str, object]) -> str:
        ring = self._current()
        settled = [key for key in ring if key.made_at + SETTLES_S <= self._clock()]
        key = max(settled or ring[:1], key=lambda one: one.made_at)
        header = {"alg": "EdDSA", "kid": key.kid, "typ": TYPE}
        text = f"{_base64(_json(header))}.{_base64(_json(claims))}"
        return f"{text}.{_base64(key.private.sign(text.encode()))}"

    def public_keys(self) -> list[dict[str, str]]:
        return [dict(key.jwk) for key in self._current()]

    def session_key(self) -> DataKey:
        if self._session_key is None:
            self._session_key = self._keys.service_key(_SESSIONS)
        return self._session_key

    def _current(self) -> list[_SigningKey]:
        """The oldest first; at least one."""
        with self._lock:
            now = time.monotonic()
            if self._looked_at is None or now - self._looked_at > _LOOKS_S:
                names = self._keys.service_key_names(_PREFIX) or [_FIRST]
                self._ring = {
                    name: self._ring.get(name) or _signing_key(name, self._keys.service_key(name))
                    for name in names
                }
                self._looked_at = now
            return sorted(self._ring.values(), key=lambda key: key.made_at)


def rotate(keys: ServiceKeys, *, now: float) -> list[str]:
    """Makes a new signing key; names of all that were there before, the oldest first."""
    # Who has never signed has none that would be checked with.
    before = keys.service_key_names(_PREFIX)
    keys.service_key(f"{_PREFIX}{int(now)}" if before else _FIRST)
    return sorted(before, key=_made_at)


def _signing_key(name: str, key: DataKey) -> _SigningKey:
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key.digest(_SEED_LABEL)))
    public = _base64(private.public_key().public_bytes_raw())
    needed = {"crv": "Ed25519", "kty": "OKP", "x": public}
    # Its name is a hash of it (RFC 7638), so that it says nothing else.
    kid = _base64(hashlib.sha256(_json(needed)).digest())
    return _SigningKey(
        _made_at(name), private, {**needed, "kid": kid, "use": "sig", "alg": "EdDSA"}
    )


def _made_at(name: str) -> int:
    return int(name.removeprefix(_PREFIX))


def _json(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
