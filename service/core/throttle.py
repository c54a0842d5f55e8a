"""A verifier is an oracle for guessing; this makes guessing slow.

After `throttle_after` verifications of an identity in vain, one after the other, it
cannot be tried again at once: 1 s, then 2, 4, ... and 15 minutes at most. After
`lock_after` it is locked until an administrator unlocks it. A verification that
succeeds forgets them all. Counted in the store, so that neither another process nor
a restart begins anew.
"""

from __future__ import annotations

import math
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from service.core.core import Core
from service.core.errors import IdentityLocked, TooManyFailures, UnknownIdentity
from service.core.ports import Standing

LONGEST_WAIT_S: Final = 900
_NOTED_EVERY_S: Final = 86_400


def admit(core: Core, identity: str) -> Standing:
    """How verifications of it went, if it may be tried now.

    Raises:
        UnknownIdentity, TooManyFailures, IdentityLocked
    """
    standing = core.store.standing(identity)
    policy = core.policy
    if policy.lock_after and standing.failures >= policy.lock_after:
        raise IdentityLocked(
            f"{standing.failures} verifications in vain; an administrator can unlock the identity"
        )
    now = datetime.now(UTC)
    left_s = wait_s(standing, policy.throttle_after, now)
    if left_s > 0:
        if standing.failed_at and standing.failed_at > now:
            # The clock was set back, by a year perhaps: the wait begins now, and ends.
            core.store.redate_failure(identity)
        raise TooManyFailures(
            f"{standing.failures} verifications in vain; try again in {left_s} s", left_s
        )
    return standing


def recheck(core: Core, identity: str, before: Standing) -> None:
    """Nothing, unless others have failed since and the identity may not be tried now.

    Raises:
        UnknownIdentity, TooManyFailures, IdentityLocked
    """
    counted = bool(core.policy.throttle_after or core.policy.lock_after)
    if counted and core.store.standing(identity).failures > before.failures:
        admit(core, identity)


def settle(core: Core, identity: str, before: Standing, *, verified: bool) -> None:
    """Counts a verdict, or forgets the failures before it and notes the use.

    Raises:
        TooManyFailures, IdentityLocked: If others have failed meanwhile: guesses made
            at once get no more answers than guesses made one after the other.
    """
    now = core.store.standing(identity)
    counted = bool(core.policy.throttle_after or core.policy.lock_after)
    if counted and now.failures > before.failures:
        admit(core, identity)
    if verified:
        if now.failures or _is_to_be_noted(now):
            core.store.note_use(identity)
    elif counted:
        core.store.add_failure(identity)


def wait_s(standing: Standing, throttle_after: int, now: datetime) -> int:
    """Seconds until the identity may be tried again; 0 if it may be now."""
    beyond = standing.failures - throttle_after
    if not throttle_after or beyond < 0 or standing.failed_at is None:
        return 0
    pause_s = min(2.0 ** min(beyond, 20), LONGEST_WAIT_S)
    # Less than 0 when the clock was set back.
    since_s = max(0.0, (now - standing.failed_at).total_seconds())
    return max(0, math.ceil(pause_s - since_s))


def note_identified(core: Core, identity: str) -> None:
    """Notes that somebody was recognised among all: a use, as a verification is.

    Failures were made by who claimed to be this identity, so they stay, and a lock does.
    """
    with suppress(UnknownIdentity):
        before = core.store.standing(identity)
        if not before.failures and _is_to_be_noted(before):
            core.store.note_use(identity)


def _is_to_be_noted(standing: Standing) -> bool:
    """Whether its latest use is a day ago: a write each time would cost more than it tells."""
    if standing.used_at is None:
        return True
    # Less than 0 when the clock was set back.
    return abs((datetime.now(UTC) - standing.used_at).total_seconds()) > _NOTED_EVERY_S
