"""What a route does, written into the audit log with its outcome.

    with audited(running, "verify", body.identity) as note:
        result = core_verify.verify(...)
        note.outcome = verdict(result.verified)
        note.details = verification_details(result, scores=...)

To be used in the threads of routes, never on the event loop: it may wait for the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from model.errors import SemblanceError
from service.api.problems import INTERNAL, TABLE
from service.api.state import Running
from service.core.audit import NOT_DURABLE, Action, AuditEntry
from service.core.audit_details import Details, rejection_details
from service.core.errors import IdentityConflict, NoneAccepted


@dataclass
class Note:
    """What the log is to say; a problem has its own code as outcome.

    Attributes:
        subject: Name of the identity, where it was known only in the end.
    """

    outcome: str = "ok"
    subject: str | None = None
    details: Details = field(default_factory=dict)


@contextmanager
def audited(running: Running, action: Action, subject: str | None = None) -> Iterator[Note]:
    """Writes one entry at the end, however it ends.

    Args:
        subject: Name of the identity.

    Raises:
        StorageFull, Overloaded, DamagedData, NotReady: Before anything is done, if the
            log could not be written last; at the end, if it cannot be now. The answer
            must not be given then.
    """
    log, note = running.audit, Note()
    if log is None:
        yield note
        return
    log.check()
    try:
        yield note
    except BaseException as error:
        note.outcome = code_of(error)
        if isinstance(error, NoneAccepted | IdentityConflict):
            note.details = rejection_details(error.rejected)
        raise
    finally:
        entry = AuditEntry(
            action,
            note.outcome,
            running.core.collection,
            actor=running.caller.key_id,
            subject=subject or note.subject,
            details=note.details,
            request_id=running.request_id,
        )
        log.record(entry, durable=action not in NOT_DURABLE)


@contextmanager
def audited_both(running: Running, action: Action, first: str, second: str) -> Iterator[Note]:
    """The same under two names: which one is asked for later, nobody knows."""
    with audited(running, action, second) as other, audited(running, action, first) as note:
        note.details["name"], other.details["name"] = "old", "new"
        yield note


def code_of(error: BaseException) -> str:
    """The code of the problem that this error is answered with."""
    kind = TABLE.get(type(error)) if isinstance(error, SemblanceError) else None
    return (kind or INTERNAL).code
