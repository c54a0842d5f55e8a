"""Sessions and tokens as texts: sealed, so that any replica can open them, each for one use.

    session    may be begun once, by the key that asked for it, for one identity
    token      one verification of that identity by that key; holds who was live

    text     base64url of a sealed (claims, embedding)
    bound    what it is, key, collection and, of a token, identity: it opens for nothing else

The embedding is that of the face that was live, and a probe is compared with it: else one could
be live with one's own face, and show a photograph of another's afterwards. What was used
is on a list that all replicas share, until it would be too old anyway.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

import numpy as np

from model.types import Array
from service.core.errors import (
    DamagedData,
    LivenessExpired,
    LivenessUsed,
    SessionExpired,
    SessionUsed,
    WrongLiveness,
)
from service.core.secrecy import DataKey

KEY_NAME: Final = "liveness"
MOST_CHARACTERS: Final = 16_384
_KEPT: Final = timedelta(days=1)
"""Beyond its end: the clock may be set back."""
_NUMBER: Final = "<f2"


class Spent(Protocol):
    """What was used. Each method is one transaction, durable on return."""

    def spend(self, spent_id: str, until: datetime) -> bool:
        """Whether it had not been used before; of several at once, one is told so."""
        ...

    def forget(self, before: datetime) -> int:
        """Drops what could not be used again from then on; answers how many."""
        ...


@dataclass(frozen=True)
class Holder:
    """Who may use a ticket.

    Attributes:
        key_id: Of the API key; empty where none is asked for.
    """

    key_id: str
    collection: str


@dataclass(frozen=True)
class Ticket:
    text: str
    expires_at: datetime


@dataclass(frozen=True)
class Token:
    """An opened token; not used yet.

    Attributes:
        fingerprint: Of the model that made `embedding`.
        embedding: Of the face that was live. Shape (D,), float32.
    """

    token_id: str
    expires_at: datetime
    fingerprint: str
    embedding: Array


class Tickets:
    """Makes and takes sessions and tokens; any thread may use it.

    Args:
        key: What they are sealed with; the same at all replicas.
        valid_s: How long a session may be begun, and a token used.
    """

    def __init__(
        self,
        key: DataKey,
        spent: Spent,
        valid_s: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._key, self._spent, self._now = key, spent, now
        self._valid = timedelta(seconds=valid_s)

    def new_session(self, holder: Holder, identity: str) -> Ticket:
        return self._new(_session_of(holder), {"identity": identity})

    def begin(self, text: str, holder: Holder) -> str:
        """The identity of a session, which is used up by this.

        Raises:
            WrongLiveness, SessionExpired, SessionUsed
        """
        claims, _, expires_at = self._opened(text, _session_of(holder))
        if self._now() >= expires_at:
            raise SessionExpired("the session was not begun in time; ask for a new one")
        if not self._spent.spend(claims["id"], expires_at + _KEPT):
            raise SessionUsed("a session can be begun once; ask for a new one")
        return str(claims["identity"])

    def new_token(
        self, holder: Holder, identity: str, fingerprint: str, embedding: Array
    ) -> Ticket:
        """A token for one verification of who was live.

        Args:
            embedding: Shape (D,), float32, by the model of this fingerprint.
        """
        claims = {"fingerprint": fingerprint}
        return self._new(_token_of(holder, identity), claims, embedding.astype(_NUMBER).tobytes())

    def open(self, text: str, holder: Holder, identity: str) -> Token:
        """A token that this key may use for this identity.

        Raises:
            WrongLiveness, LivenessExpired
        """
        claims, rest, expires_at = self._opened(text, _token_of(holder, identity))
        if self._now() >= expires_at:
            raise LivenessExpired("the token came too late; show again that you are there")
        embedding = np.frombuffer(rest, _NUMBER).astype(np.float32)
        return Token(claims["id"], expires_at, claims["fingerprint"], embedding)

    def spend(self, token: Token) -> None:
        """Raises LivenessUsed."""
        if not self._spent.spend(token.token_id, token.expires_at + _KEPT):
            raise LivenessUsed("a token counts for one verification; show again that you are there")

    def forget_old(self) -> int:
        """Drops from the list what is too old to be used; answers how many."""
        return self._spent.forget(self._now())

    def _new(self, bound: bytes, claims: dict[str, Any], rest: bytes = b"") -> Ticket:
        expires_at = self._now() + self._valid
        all_claims = {"id": secrets.token_hex(16), "until": expires_at.timestamp(), **claims}
        plain = json.dumps(all_claims).encode() + b"\n" + rest
        text = base64.urlsafe_b64encode(self._key.seal(plain, bound)).decode()
        return Ticket(text, expires_at)

    def _opened(self, text: str, bound: bytes) -> tuple[dict[str, Any], bytes, datetime]:
        try:
            sealed = base64.b64decode(text[:MOST_CHARACTERS], altchars=b"-_", validate=True)
            plain = self._key.open(sealed, bound)
        except (binascii.Error, ValueError, DamagedData):
            raise WrongLiveness(
                "it was not made here, or for another key, collection or identity"
            ) from None
        head, _, rest = plain.partition(b"\n")
        claims: dict[str, Any] = json.loads(head)
        return claims, rest, datetime.fromtimestamp(claims["until"], UTC)


def _session_of(holder: Holder) -> bytes:
    return json.dumps(["liveness session 1", holder.key_id, holder.collection]).encode()


def _token_of(holder: Holder, identity: str) -> bytes:
    return json.dumps(["liveness token 1", holder.key_id, holder.collection, identity]).encode()
