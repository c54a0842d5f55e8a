"""When a call is made again, and after how long.

What makes a second attempt safe differs:

    ANY       reading, and enrolling: the same picture is stored once, so that a lost
              answer, too, can be asked for again
    UNDONE    judging a face: each attempt may count against an identity. Again only
              where the first was refused at the door (429, 503) or never arrived
    NEVER_IN  renaming, merging, deleting: a second time is another request. Again only
              where the first never arrived, or the key had no request left (429)

`Retry-After` is obeyed; who asks for more than `longest_wait_s` is not waited for.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import Final

import httpx

from semblance_client.errors import retry_after_s

# Of these no byte of a request has reached anybody.
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_GATEWAY: Final = {502, 504}
"""A proxy that lost the service: whether it did the work, nobody knows."""


class Repeat(Enum):
    """What makes a second attempt of a call safe."""

    ANY = "any"
    UNDONE = "undone"
    NEVER_IN = "never in"


_AGAIN: Final = {
    Repeat.ANY: {429, 503} | _GATEWAY,
    Repeat.UNDONE: {429, 503},
    Repeat.NEVER_IN: {429},
}


@dataclass(frozen=True)
class Retries:
    """How patient a client is.

    Attributes:
        attempts: At most, the first included; 1 never tries again.
        first_wait_s: After the first attempt, if nothing was said; then twice that, ...
        longest_wait_s: Before one attempt.
    """

    attempts: int = 4
    first_wait_s: float = 0.25
    longest_wait_s: float = 30.0

    def after_error(self, repeat: Repeat, error: httpx.TransportError, made: int) -> float | None:
        """Seconds to wait after so many attempts; None to give up."""
        if repeat is Repeat.ANY or isinstance(error, _NEVER_SENT):
            return self._wait_s(made, None)
        return None

    def after_answer(self, repeat: Repeat, response: httpx.Response, made: int) -> float | None:
        """The same; also None if there is an answer to give."""
        if response.status_code in _AGAIN[repeat]:
            return self._wait_s(made, retry_after_s(response))
        return None

    def _wait_s(self, made: int, asked_s: float | None) -> float | None:
        if made >= self.attempts:
            return None
        if asked_s is not None and asked_s > self.longest_wait_s:
            return None
        # Not all at the same moment again: a crowd that was refused together came together.
        spread = 1 + random.random() / 2  # noqa: S311
        doubled_s = self.first_wait_s * 2.0 ** (made - 1) * spread
        return max(asked_s or 0.0, min(doubled_s, self.longest_wait_s))
