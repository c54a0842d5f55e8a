"""The keeper of the door: recognises keys and counts their requests."""

from __future__ import annotations

from service.core.access import Allowance, ApiKey
from service.security.api_keys import Keys
from service.security.meter import Meter


class Gate:
    """`service.core.access.Doorkeeper`; any thread may use it."""

    def __init__(self, keys: Keys, meter: Meter) -> None:
        self._keys = keys
        self._meter = meter

    def known(self, text: str) -> ApiKey | None:
        return self._keys.known(text)

    def recognise(self, text: str) -> ApiKey:
        return self._keys.recognise(text)

    def of_id(self, key_id: str) -> ApiKey:
        return self._keys.of_id(key_id)

    def count(self, key: ApiKey) -> Allowance | None:
        return self._meter.count(key)

    def settle(self) -> None:
        """To be called now and then, and at the end."""
        self._meter.settle()
