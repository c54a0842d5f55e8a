"""Retention: who was enrolled too long ago, or is not used any more, is erased."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from service.core.errors import UnknownIdentity
from service.core.policy import Policy
from service.core.ports import Store

_PAGE: Final = 100


def erase_expired(
    store: Store,
    policy: Policy,
    erase: Callable[[str, str], object],
    now: datetime | None = None,
) -> Iterator[tuple[str, str]]:
    """Erases those whose time is over; collection and name of each, when it is gone.

    `Policy.retention_days` counts from the latest enrolment, `retention_unused_days`
    from the latest use or enrolment.

    Args:
        erase: Erases an identity, by collection and name; may raise UnknownIdentity.
    """
    now = now or datetime.now(UTC)
    enrolled_before = _before(now, policy.retention_days)
    used_before = _before(now, policy.retention_unused_days)
    if enrolled_before is None and used_before is None:
        return
    for collection in store.collections():
        within = store.within(collection)
        while found := within.expired(
            enrolled_before=enrolled_before, used_before=used_before, limit=_PAGE
        ):
            for identity in found:
                try:
                    erase(collection, identity)
                except UnknownIdentity:  # somebody else was quicker
                    continue
                yield collection, identity


def _before(now: datetime, days: int) -> datetime | None:
    return now - timedelta(days=days) if days else None
