"""Keys of a service that keeps nothing: gone when it ends."""

from __future__ import annotations

import secrets
import threading

from service.core.secrecy import DataKey
from service.security.master_keys import KEY_BYTES
from service.security.vault import AesDataKey


class PassingKeys:
    """`service.core.secrecy.ServiceKeys` in the memory of one process."""

    def __init__(self) -> None:
        self._keys: dict[str, DataKey] = {}
        self._lock = threading.Lock()

    def service_key(self, name: str) -> DataKey:
        with self._lock:
            return self._keys.setdefault(name, AesDataKey(secrets.token_bytes(KEY_BYTES)))

    def service_key_names(self, prefix: str) -> list[str]:
        with self._lock:
            return sorted(name for name in self._keys if name.startswith(prefix))
