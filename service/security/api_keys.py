"""API keys: made, recognised, compared.

A key is random (256 bits), so it is stored as a keyed hash of itself, not as a slow
one: there is nothing to guess. The pepper is none of the database, so that who reads
or writes the database alone can neither recognise nor make a key.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from service.core.access import ApiKey, KeyStore, Scope
from service.core.errors import WrongKey
from service.core.secrecy import DataKey

_PREFIX: Final = "smb"
_FORM = re.compile(rf"{_PREFIX}_([0-9a-f]{{16}})_[\w-]{{43}}", re.ASCII)
_NOBODY: Final = "0" * 64
_MOST_REMEMBERED: Final = 10_000

REMEMBERED_S: Final = 1.0
"""For so long a key is good that another process has revoked in the meantime."""


def new_key(
    pepper: DataKey,
    *,
    name: str,
    scopes: frozenset[Scope],
    collection: str,
    expires_at: datetime | None = None,
    rate_per_minute: int | None = None,
    quota_per_day: int | None = None,
) -> tuple[str, ApiKey]:
    """A key's text, to be shown once, and what is stored of it."""
    key_id = secrets.token_hex(8)
    text = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    return text, ApiKey(
        key_id=key_id,
        digest=_digest(pepper, text),
        name=name,
        scopes=scopes,
        collection=collection,
        created_at=datetime.now(UTC),
        expires_at=expires_at,
        rate_per_minute=rate_per_minute,
        quota_per_day=quota_per_day,
    )


class Keys:
    """Recognises keys; any thread may use it.

    Args:
        store: Where they are kept.
        pepper: Whose digests the store has of keys.
        clock: Seconds that never go back.
    """

    def __init__(
        self, store: KeyStore, pepper: DataKey, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._pepper = pepper
        self._clock = clock
        self._known: dict[str, tuple[float, ApiKey]] = {}

    def known(self, text: str) -> ApiKey | None:
        """The key, if it was recognised within the last `REMEMBERED_S`; never waits."""
        at, found = self._known.get(_id_of(text), (0.0, None))
        if found is None or self._clock() - at > REMEMBERED_S or not self._is(text, found):
            return None
        return found if found.is_good(datetime.now(UTC)) else None

    def recognise(self, text: str) -> ApiKey:
        """The key of this text, as the store has it now.

        Raises:
            WrongKey: If there is none, or it is revoked or expired: which of these it
                is, only who has the key is told.
        """
        key_id = _id_of(text)
        found = self._store.key(key_id) if key_id else None
        # Compared in either case, so that time does not tell whether an id is known.
        same = self._is(text, found)
        if found is None or not same:
            raise WrongKey("the key is not known here")
        self._check(found)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[key_id] = (self._clock(), found)
        return found

    def of_id(self, key_id: str) -> ApiKey:
        """The key of this id, as the store has it now. Raises WrongKey as `recognise`."""
        found = self._store.key(key_id)
        if found is None:
            raise WrongKey("the key is not known here")
        self._check(found)
        return found

    def _check(self, found: ApiKey) -> None:
        if not found.is_good(datetime.now(UTC)):
            self._known.pop(found.key_id, None)
            raise WrongKey("the key was revoked" if found.revoked_at else "the key has expired")

    def _is(self, text: str, key: ApiKey | None) -> bool:
        return hmac.compare_digest(_digest(self._pepper, text), key.digest if key else _NOBODY)


def any_good(store: KeyStore) -> bool:
    """Whether there is a key that opens anything."""
    now = datetime.now(UTC)
    return any(key.is_good(now) for key in store.all_keys())


def _id_of(text: str) -> str:
    form = _FORM.fullmatch(text)
    return form[1] if form else ""


def _digest(pepper: DataKey, text: str) -> str:
    return pepper.digest(text.encode("utf-8", "replace"))
