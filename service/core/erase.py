"""Erase an identity or a reference: from the store, and from memory at once."""

from __future__ import annotations

from service.core.core import Core


def erase_identity(core: Core, identity: str) -> int:
    """Erases an identity; answers how many references went. Raises UnknownIdentity."""
    try:
        return core.store.delete_identity(identity)
    finally:
        core.galleries.drop(core.held_as(identity))


def erase_reference(core: Core, identity: str, reference_id: str) -> None:
    """Erases one reference; the identity goes with its last one.

    Raises:
        UnknownIdentity, UnknownReference
    """
    try:
        core.store.delete_reference(identity, reference_id)
    finally:
        core.galleries.drop(core.held_as(identity))
