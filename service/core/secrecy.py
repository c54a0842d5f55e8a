"""Encryption as the store needs it.

`service.security` implements it; each identity has a data key of its own, and without
that key what is stored of the identity is noise, wherever a copy of it lies.
"""

from __future__ import annotations

from typing import Protocol

from model.errors import SemblanceError


class MasterKeyError(SemblanceError):
    """The master key cannot be had, or is not the one that wrapped a key."""


class DataKey(Protocol):
    """The key of one identity."""

    def seal(self, plain: bytes, about: bytes) -> bytes:
        """Encrypts.

        Args:
            about: What this is and whose; opening it must name the same.
        """
        ...

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """Raises DamagedData if it was changed, or is about something else."""
        ...

    def digest(self, data: bytes) -> str:
        """64 hex digits that tell, with this key alone, whether data are the same."""
        ...


class ServiceKeys(Protocol):
    """Keys of the service itself, by name; one for all replicas. Called from any thread."""

    def service_key(self, name: str) -> DataKey:
        """The key of this name; made at its first use. Raises MasterKeyError."""
        ...

    def service_key_names(self, prefix: str) -> list[str]:
        """Names that begin so, of keys that there are; in order."""
        ...


class Vault(Protocol):
    """Makes data keys and wraps them. Called from any thread."""

    def make(self, about: bytes) -> tuple[DataKey, bytes]:
        """A new data key, and the same wrapped, to be stored."""
        ...

    def unwrap(self, wrapped: bytes, about: bytes) -> DataKey:
        """Raises MasterKeyError if no master key that is known wrapped it."""
        ...

    def rewrapped(self, wrapped: bytes, about: bytes) -> bytes | None:
        """The same key under the newest master key; None if it is already."""
        ...
