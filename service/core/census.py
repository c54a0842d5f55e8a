"""What the core asks about the models behind all that is stored.

`service.storage` implements it; only `service.app` and the commands know that.
"""

from __future__ import annotations

from typing import Protocol


class Census(Protocol):
    """By which models the references of all collections are, by their fingerprints."""

    def counts(self) -> dict[str, int]:
        """References by fingerprint."""
        ...

    def has(self, fingerprint: str) -> bool:
        """Whether there is a reference by this model."""
        ...

    def other_than(self, fingerprint: str) -> str | None:
        """A model by which there is a reference, other than this one; None if there is none."""
        ...
