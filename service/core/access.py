"""Who may do what: keys, their scopes, and the collection that each opens.

A key belongs to one collection and sees nothing of another: the core that a request
is given is bound to its key's collection (`Core.within`), and no call takes the name
of one. What a key may do is its scopes; `admin` includes the others.

    key text    smb_<id, 16 hex digits>_<secret, 43 characters>
    stored      id, a keyed hash of the text, scopes, collection, times, limits
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol, get_args

from service.core.errors import InvalidRequest

Scope = Literal["verify", "enroll", "identify", "embeddings", "metrics", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

DEFAULT_COLLECTION: Final = "default"
_COLLECTION = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class ApiKey:
    """A key as it is stored: what it may do, not what it is.

    Attributes:
        key_id: 16 hex digits; part of the key, no secret.
        digest: Keyed hash of the key's text, hex.
        name: What the operator calls it.
        collection: The one it opens.
        rate_per_minute, quota_per_day: Requests; None for no bound.
        expires_at, revoked_at: From then on it opens nothing; None for never.
    """

    key_id: str
    digest: str
    name: str
    scopes: frozenset[Scope]
    collection: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    rate_per_minute: int | None = None
    quota_per_day: int | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True)
class Caller:
    """Who makes a request.

    Attributes:
        key_id: None where no key is asked for.
    """

    key_id: str | None
    scopes: frozenset[Scope]
    collection: str = DEFAULT_COLLECTION

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or "admin" in self.scopes

    @property
    def only_asks(self) -> bool:
        """Whether it may neither enrol nor administer: verdicts are what it is for."""
        return self.scopes.isdisjoint({"enroll", "admin"})


def caller_of(key: ApiKey) -> Caller:
    return Caller(key.key_id, key.scopes, key.collection)


ANYBODY: Final = Caller(None, frozenset({"admin"}))
"""The caller of a service that asks for no key."""


@dataclass(frozen=True)
class Allowance:
    """What is left to a key, as RateLimit headers say it.

    Attributes:
        limit, remaining: Requests of the bound that is nearer.
        reset_s: Until all of it is there again.
    """

    limit: int
    remaining: int
    reset_s: int


class Doorkeeper(Protocol):
    """Tells who calls."""

    def known(self, text: str) -> ApiKey | None:
        """The key of this text if it was recognised a moment ago; never waits."""
        ...

    def recognise(self, text: str) -> ApiKey:
        """The key of this text. Raises WrongKey."""
        ...

    def of_id(self, key_id: str) -> ApiKey:
        """The key that has this id, for who had its text before. Raises WrongKey."""
        ...

    def count(self, key: ApiKey) -> Allowance | None:
        """Counts a request; None if the key has no bound. Raises RateLimited."""
        ...

    def settle(self) -> None:
        """Writes down what was counted; to be called now and then, and at the end."""
        ...


class KeyStore(Protocol):
    """Where keys are kept. Each method is one transaction, durable on return."""

    def add_key(self, key: ApiKey) -> None: ...

    def key(self, key_id: str) -> ApiKey | None:
        """The key of this id, also a revoked one; None if there is none."""
        ...

    def all_keys(self) -> list[ApiKey]:
        """All, the oldest first; revoked ones, too."""
        ...

    def revoke_key(self, key_id: str, at: datetime) -> bool:
        """Whether there was such a key that was not revoked before."""
        ...

    def count_requests(self, key_id: str, day: str, requests: int) -> int:
        """Adds to the requests of a key on a day (YYYY-MM-DD, UTC); answers the sum."""
        ...


def check_collection(name: str) -> str:
    """Raises InvalidRequest if it can be no name of a collection."""
    if not _COLLECTION.fullmatch(name):
        raise InvalidRequest(
            "a collection's name has 1 to 64 of the letters a to z, digits, - and _, "
            "and begins with a letter or digit"
        )
    return name


def check_scopes(names: Iterable[str]) -> frozenset[Scope]:
    """Raises InvalidRequest if one is no scope, or there is none."""
    given = set(names)
    unknown = given.difference(SCOPES)
    if unknown or not given:
        raise InvalidRequest(
            f"scopes are of {', '.join(SCOPES)}; found {sorted(unknown) or 'none'}"
        )
    return frozenset(scope for scope in SCOPES if scope in given)
