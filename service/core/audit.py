"""The audit log: who did what to whom, when, and how it ended.

An entry names neither picture, file, embedding nor secret, and no score unless a
setting says so. The name of an identity is in it on the way to the log only, which
keeps a pseudonym of it: after an erasure nothing is left that names anybody.

What is done is in the log before the answer goes out, or the answer is an error:

    durable       enrolling, erasing, keys: on the disk when `record` returns
    not durable   verifying, reading: on the disk a moment later

So a power cut loses what was looked at in the last moment, never what was changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

Action = Literal[
    "enroll",
    "verify",
    "identify",
    "embeddings",
    "compare",
    "detect",
    "liveness",
    "list",
    "read_identity",
    "image",
    "delete_identity",
    "delete_reference",
    "rename",
    "site_session",
    "signing_key_rotate",
    "merge",
    "unlock",
    "export",
    "import",
    "erase",
    "retention",
    "key_create",
    "key_revoke",
    "audit_export",
    "audit_prune",
    "model_change",
    "backup",
    "restore",
    "migrate_store",
]

NOT_DURABLE: Final[frozenset[Action]] = frozenset(
    {"verify", "identify", "compare", "detect", "liveness", "list", "read_identity"}
)
"""What changes nothing and hands nothing out. All other actions are durable."""

Detail = str | int | float | bool | None | Sequence[float] | Sequence[str]


@dataclass(frozen=True)
class AuditEntry:
    """One thing that was done, or tried.

    Attributes:
        actor: Id of the API key; None without one, as at the command line.
        subject: Name of the identity; None where there is none.
        outcome: "verified", "not_verified", "identified", "not_identified", "passed",
            "failed", "ok", or the code of a problem; "begun" and "stopped" of what takes its time.
        details: Thresholds, rule, counts: numbers and words of ours, no names.
        request_id: As in the answer's header; the caller may have chosen it.
        at: UTC, with time zone.
    """

    action: Action
    outcome: str
    collection: str
    actor: str | None = None
    subject: str | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)
    request_id: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class AuditState:
    """How the writing of this process stands.

    Attributes:
        waiting: Entries that are not on the disk yet.
        written: Entries that are.
        failed: Attempts to write that failed.
        is_failing: Whether the last one did.
    """

    waiting: int
    written: int
    failed: int
    is_failing: bool


class AuditLog(Protocol):
    """Takes entries, from any thread but the event loop's: it may wait."""

    def check(self) -> None:
        """Returns if entries can be written, as far as is known; asked before each action.

        Raises:
            StorageFull, Overloaded, DamagedData, NotReady: If the last attempt failed.
        """
        ...

    def record(self, entry: AuditEntry, *, durable: bool) -> None:
        """Adds an entry; a durable one is on the disk on return.

        Raises:
            StorageFull, Overloaded, DamagedData, NotReady: If it is not, or if entries
                before it could not be written. The caller must not be given the answer
                of what was done. The entry is not lost: it is tried again.
        """
        ...

    def state(self) -> AuditState:
        """Waits for nothing."""
        ...

    def close(self) -> None:
        """Writes what is left. Raises as `record` if that cannot be done."""
        ...
