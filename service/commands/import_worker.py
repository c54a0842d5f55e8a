"""One worker of `import`: a process that enrols the people it is given, one after the other."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from multiprocessing import parent_process
from pathlib import Path
from typing import Final

import cv2

from model.artifact import read_artifact
from model.errors import Overloaded
from model.runtimes.compiled import CompiledNetworks
from service.commands.import_folder import Person
from service.core.audit import AuditEntry
from service.core.audit_details import enrolment_details
from service.core.core import Core
from service.core.enrol import Upload, enrol
from service.core.errors import (
    DamagedData,
    IdentityConflict,
    ModelMismatch,
    NoneAccepted,
    TooManyReferences,
    UnknownIdentity,
)
from service.core.indexes import Indexes
from service.core.results import Enrolment, FaceChoice, RejectedImage
from service.opening import Opened, opened
from service.runtime.load import Way, load
from service.settings import read_settings

_AT_ONCE: Final = 8
"""Pictures of one enrolment: all of them are in memory, decoded."""
_BUSY_S: Final = 0.5
_MOST_BUSY: Final = 60


@dataclass(frozen=True)
class Reject:
    """A picture that was not enrolled."""

    identity: str
    file: str
    code: str
    detail: str


@dataclass
class Result:
    """What became of one person's pictures.

    Attributes:
        stored: That are references now.
        known: That were before, by their file's name or their pixels.
        conflicts: Of those stored, that seem to be of somebody else.
    """

    identity: str
    stored: int = 0
    known: int = 0
    conflicts: int = 0
    rejects: list[Reject] = field(default_factory=list)

    @property
    def pictures(self) -> int:
        return self.stored + self.known + len(self.rejects)


class Worker:
    """Enrols as the service does, with the model on one core.

    Args:
        collection: Where to.
        choice: Which face to take of several.
    """

    def __init__(self, collection: str, choice: FaceChoice) -> None:
        self._settings = read_settings()
        # The workers themselves are what uses the cores.
        cv2.setNumThreads(1)
        self._opened: Opened = opened(self._settings, make_master_key=False)
        self._store = self._opened.store.within(collection)
        self._collection, self._choice = collection, choice

    @cached_property
    def _core(self) -> Core:
        """Loaded when the first picture is to be enrolled: there may be none."""
        settings = self._settings
        networks = CompiledNetworks(settings.data_dir / "compiled")
        way = Way(settings.runtime, 1, settings.face_confidence, networks)
        loaded = load(read_artifact(settings.artifact), way)
        return Core(
            loaded.model,
            loaded.detector,
            self._store,
            settings.policy(),
            collection=self._collection,
            indexes=Indexes(settings.search_bytes, settings.search_exact),
        )

    def enrol(self, person: Person) -> Result:
        """Enrols the pictures that the identity has not.

        Raises:
            StorageFull, NotReady, Overloaded
        """
        result = Result(person.identity)
        try:
            self._enrol_all(person, result)
        except (DamagedData, ModelMismatch) as error:
            # Of this one identity; all others can be enrolled.
            code = "damaged_data" if isinstance(error, DamagedData) else "model_mismatch"
            seen = {reject.file for reject in result.rejects}
            left = [name for name in person.names if name not in seen]
            result.rejects += [Reject(person.identity, name, code, str(error)) for name in left]
        return result

    def _enrol_all(self, person: Person, result: Result) -> None:
        names = self._names(person.identity)
        left = [name for name in person.names if _shown(name) not in names]
        result.known = len(person.names) - len(left)
        room = self._settings.max_references - len(names)
        for name in left[max(room, 0) :]:
            detail = f"an identity may have {self._settings.max_references} references"
            result.rejects.append(Reject(person.identity, name, "too_many_references", detail))
        left = left[: max(room, 0)]
        for at in range(0, len(left), _AT_ONCE):
            some = left[at : at + _AT_ONCE]
            uploads = [Upload(self._read(person.folder / name), _shown(name)) for name in some]
            self._enrol(person, some, uploads, result)

    def _enrol(
        self, person: Person, names: Sequence[str], uploads: Sequence[Upload], result: Result
    ) -> None:
        busy = 0
        while True:
            try:
                done = enrol(self._core, person.identity, uploads, self._choice, about=person.about)
                break
            except (NoneAccepted, IdentityConflict) as error:
                result.rejects += _rejects(person, names, error.rejected)
                self._record(person.identity, "none_accepted", None)
                return
            except TooManyReferences as error:
                code, detail = "too_many_references", str(error)
                result.rejects += [Reject(person.identity, name, code, detail) for name in names]
                return
            except Overloaded:
                # Others write to the same files.
                busy += 1
                if busy > _MOST_BUSY:
                    raise
                time.sleep(_BUSY_S)
        known = sum(image.duplicate for image in done.accepted)
        result.known += known
        result.stored += len(done.accepted) - known
        result.conflicts += len(done.conflicts)
        result.rejects += _rejects(person, names, done.rejected)
        self._record(person.identity, "ok", done)

    def _record(self, identity: str, outcome: str, done: Enrolment | None) -> None:
        details = {"by": "import"} | (enrolment_details(done) if done else {})
        entry = AuditEntry("enroll", outcome, self._collection, subject=identity, details=details)
        self._opened.audit.record(entry, durable=True)

    def _names(self, identity: str) -> set[str | None]:
        """Of the files that its references came from."""
        try:
            return {one.filename for one in self._store.references(identity)}
        except UnknownIdentity:
            return set()

    def _read(self, path: Path) -> bytes:
        """No more than is needed to see that it is too large; nothing if it cannot be read."""
        try:
            with path.open("rb") as file:
                return file.read(self._settings.max_image_bytes + 1)
        except OSError:
            return b""


def begin(collection: str, choice: FaceChoice) -> None:
    """Makes this process a worker; it ends with the one that began it."""
    # Ctrl-C goes to all: the one that began us tells us what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    global _worker  # noqa: PLW0603  # one a process, made before its first task
    _worker = Worker(collection, choice)


def enrol_one(person: Person) -> Result:
    """A task of this process."""
    assert _worker is not None
    return _worker.enrol(person)


_worker: Worker | None = None


def _end_with(parent: object) -> None:
    parent.join()  # type: ignore[attr-defined]  # a process; its type is not public
    os._exit(1)


def _shown(name: str) -> str:
    """A file's name as it is stored."""
    return "".join(c for c in name if c.isprintable())[:255]


def _rejects(
    person: Person, names: Sequence[str], rejected: Sequence[RejectedImage]
) -> list[Reject]:
    return [Reject(person.identity, names[one.index], one.code, one.detail) for one in rejected]
