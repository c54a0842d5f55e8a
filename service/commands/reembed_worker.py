"""One worker of `reembed`: a process that does batches until nothing is left for it.

    walk    from a place of its own to the end, and round to where it began

Workers on SQLite see each other only by what is done already. So each begins somewhere
else, and one that meets another goes on at any other place.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
from sqlalchemy.exc import SQLAlchemyError

from model.artifact import read_artifact
from model.errors import Overloaded, SemblanceError
from model.faces import Detector
from model.image import ImageError
from model.runtimes.compiled import CompiledNetworks
from model.types import Array
from service.core.errors import DamagedData, UnknownIdentity, UnknownReference
from service.core.ports import FaceModel
from service.core.remade import chip_of_kept, embeddings_of
from service.opening import opened
from service.runtime.load import load_runtime
from service.settings import read_settings
from service.storage.reembedding import Batch, Fault, Pictures, Reembedding

_BUSY_S = 0.5
_MOST_BUSY = 60


@dataclass(frozen=True)
class Order:
    """What a worker is to do.

    Attributes:
        artifact: Folder of the new model.
        share: In [0, 1): where in the gallery it begins.
        batch: Identities of one transaction.
    """

    artifact: Path
    share: float
    batch: int


def run(order: Order, reports: Connection) -> None:
    """Sends each `Batch`, and what went wrong as text; the end of the connection is its end.

    On SIGTERM it ends after the batch it is at. It ends as well when nobody reads.
    """
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    try:
        _run(order, reports.send, lambda: bool(stopped))
    except BrokenPipeError:
        sys.exit(1)
    except (SemblanceError, SQLAlchemyError, OSError) as error:
        reports.send(str(error))
        sys.exit(1)


def _run(order: Order, report: Callable[[Batch], None], stopped: Callable[[], bool]) -> None:
    settings = read_settings()
    # The workers themselves are what uses the cores.
    cv2.setNumThreads(1)
    artifact = read_artifact(order.artifact)
    networks = CompiledNetworks(settings.data_dir / "compiled")
    model = load_runtime(settings.runtime, artifact, 1, networks=networks)
    detector = Detector(
        artifact.detector,
        threads=1,
        min_confidence=settings.face_confidence,
        networks=networks,
        integers=False if settings.runtime == "openvino-float32" else None,
    )
    found = opened(settings, make_master_key=False)
    try:
        store = found.store
        work = Reembedding(store.engine, store.data_keys, model.manifest.fingerprint)
        for batch in batches(work, maker(model, detector), order):
            report(batch)
            if stopped():
                return
    finally:
        found.close()


def batches(
    work: Reembedding,
    make: Callable[[Sequence[Pictures]], list[Array | Fault]],
    order: Order,
) -> Iterator[Batch]:
    """Batch by batch, until a walk all the way round had to put nothing off."""
    share, busy = order.share, 0
    while True:
        low, high = work.extent()
        begin = low - 1 + int(share * (high - low + 1))
        after, until, put_off = begin, None, 0
        while True:
            try:
                done = work.batch(make, after=after, until=until, limit=order.batch)
            except Overloaded:
                busy += 1
                if busy > _MOST_BUSY:
                    raise
                time.sleep(_BUSY_S)
                continue
            busy = 0
            if done.position is not None:
                yield done
                after, put_off = done.position, put_off + done.put_off
                if done.put_off:
                    break
            elif until is None:
                after, until = 0, begin
            else:
                break
        if not put_off:
            return
        share = random.random()  # noqa: S311  # no secret


def maker(
    model: FaceModel, detector: Detector
) -> Callable[[Sequence[Pictures]], list[Array | Fault]]:
    """What makes the embeddings of a batch, all in one call of the model."""

    def make(people: Sequence[Pictures]) -> list[Array | Fault]:
        chips, ends, faults = [], [], []
        for pictures in people:
            fault: Fault | None = None
            own = []
            try:
                own = [chip_of_kept(model, detector, picture) for picture in pictures]
            except (UnknownIdentity, UnknownReference):
                fault = "changed"
            except (DamagedData, ImageError, ValueError):
                # ValueError: landmarks that no chip can be cut by.
                fault = "damaged"
            chips += [] if fault else own
            ends.append(len(chips))
            faults.append(fault)
        embeddings = embeddings_of(model, chips)
        begins = [0, *ends[:-1]]
        return [
            fault or embeddings[begin:end]
            for fault, begin, end in zip(faults, begins, ends, strict=True)
        ]

    return make
