"""Give an identity another name, or put two that are one person together.

What was counted against an identity goes with it: neither makes a guess cheaper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from service.core.errors import InvalidRequest

if TYPE_CHECKING:
    from service.core.core import Core


class Regrouping(Protocol):
    """The part of `service.core.ports.Store` that this needs; one transaction each."""

    def rename(self, identity: str, to: str) -> None:
        """Gives an identity another name; all else stays, its references' ids too.

        Raises:
            UnknownIdentity
            IdentityExists: If somebody has that name.
        """
        ...

    def merge(self, identity: str, into: str, *, limit: int) -> int:
        """Moves all references of an identity to another, and erases what is left of it.

        A picture that both have is kept once. Of the failures and their time the worse
        of both stays, of uses the later. What was said about the other stays as it is;
        only if nothing was, what was said about this one takes its place.

        Returns:
            How many references were moved; those that the other had already were erased.

        Raises:
            UnknownIdentity: If either is not there.
            TooManyReferences: If the other would have more than `limit`.
            ModelMismatch: If they are by several models, and of one no picture is kept,
                so that it could not be embedded again.
        """
        ...


def rename_identity(core: Core, identity: str, to: str) -> None:
    """Raises InvalidRequest if both names are one, and as `Regrouping.rename`."""
    _check_different(identity, to)
    try:
        core.store.rename(identity, to)
    finally:
        _forget(core, identity, to)


def merge_identities(core: Core, identity: str, into: str) -> int:
    """How many references were moved.

    Raises InvalidRequest if both names are one, and as `Regrouping.merge`.
    """
    _check_different(identity, into)
    try:
        return core.store.merge(identity, into, limit=core.policy.max_references)
    finally:
        _forget(core, identity, into)


def _check_different(identity: str, other: str) -> None:
    if identity == other:
        raise InvalidRequest("both names are the same")


def _forget(core: Core, *identities: str) -> None:
    """Drops the galleries in memory; other processes notice by the revision."""
    for identity in identities:
        core.galleries.drop(core.held_as(identity))
