"""What the store's tests run in processes of their own.

They are forked from a server that has imported this file once, so that fifty of
them start in less time than one interpreter takes.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

from service.core.errors import NotReady, UnknownIdentity
from tests.integration.store_samples import new_reference
from tests.integration.vaults import open_store

IMAGE_BYTES = 6000
MAX_IMAGES = 3
LIMIT = 10**6


def process_context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    # Of a test run the main module is pytest's, which each child imports again.
    context.set_forkserver_preload([__name__, "pytest"])
    return context


def start(target: Callable[..., None], *args: object) -> ForkServerProcess:
    process = process_context().Process(target=target, args=args, daemon=True)
    process.start()
    return process


def enrol_until_killed(
    data_dir: Path, turn: int, answers: Connection, address: str | None = None
) -> None:
    """Enrols for ever; sends (identity, file name, reference ids) after each answer.

    Every other call is for an identity of its own. The file name tells the call
    and how many images it had, so that half of a call can be recognised.
    """
    store = open_store(data_dir, address=address)
    for call in count():
        images = call % MAX_IMAGES + 1
        identity = f"shared {turn % 5}" if call % 2 else f"own {turn} {call}"
        filename = f"{turn}-{call}-{images}"
        given = [
            new_reference(f"{filename} {index}", image_bytes=IMAGE_BYTES, filename=filename)
            for index in range(images)
        ]
        try:
            enrolled = store.enrol(identity, given, limit=LIMIT)
        except NotReady:
            # The server was killed first; this is killed next.
            signal.pause()
            raise
        answers.send((identity, filename, [one.reference.reference_id for one in enrolled]))


def open_and_enrol(
    data_dir: Path, worker: int, turns: int, ready: Barrier, address: str | None = None
) -> None:
    """Opens a store at the same moment as others do and enrols into one identity."""
    ready.wait()
    store = open_store(data_dir, address=address)
    for turn in range(turns):
        (enrolled,) = store.enrol("shared", [new_reference(f"{worker} {turn}")], limit=LIMIT)
        assert not enrolled.duplicate
        (again,) = store.enrol("shared", [new_reference(f"of all {turn}")], limit=LIMIT)
        assert again.reference.has_image
    store.close()


def change(data_dir: Path, identity: str, what: str) -> None:
    """Changes the references of an identity in one of five ways."""
    with closing(open_store(data_dir)) as store:
        first = store.references(identity)[0]
        match what:
            case "enrol":
                store.enrol(identity, [new_reference("of another")], limit=LIMIT)
            case "embedding":
                store.update_embedding(first.reference_id, -first.embedding, first.fingerprint)
            case "reference":
                store.delete_reference(identity, first.reference_id)
            case "identity":
                store.delete_identity(identity)
            case "again":
                store.delete_identity(identity)
                store.enrol(identity, [new_reference("1"), new_reference("2")], limit=LIMIT)


def enrol_and_delete(
    data_dir: Path, worker: int, turns: int, ready: Barrier, address: str | None = None
) -> None:
    """Enrols, reads and deletes the same identities as others do, all the while."""
    with closing(open_store(data_dir, address=address)) as store:
        ready.wait()
        for turn in range(turns):
            identity = f"of all {turn % 3}"
            store.enrol(identity, [new_reference(f"{worker} {turn}")], limit=LIMIT)
            with suppress(UnknownIdentity):
                assert store.references(identity)
            with suppress(UnknownIdentity):
                store.note_use(identity)
            if turn % 4 == worker % 4:
                with suppress(UnknownIdentity):
                    store.delete_identity(identity)
