"""The rounds: each goes over everybody in turn, so that a busy moment hits all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.service import warm_service
from bench.speed.cast import Cast
from bench.speed.pictures import Pictures
from bench.speed.plan import ACCURATE, PROFILES, SMALL, USUAL, WIDE, cells
from bench.speed.process import WorkerFailed, resident_mb
from bench.speed.results import Memory, Results, Start
from bench.speed.samples import Cell
from bench.speed.subjects import PATIENCE_S, Service, load_generator

_MANY_CLIENTS = 8
_LOOKS = 20


def measure_rounds(
    cast: Cast, results: Results, rounds: int, seconds: float, say: Callable[[str], None]
) -> None:
    """Measures every cell once a round, and a start of each service.

    Args:
        seconds: Of one cell; twice that with many clients, whose requests take longer.
    """
    planned = [cell for cell in cells() if cell.subject in cast.subjects]
    for number in range(1, rounds + 1):
        for place, cell in enumerate(planned, 1):
            if cell.subject in results.failures:
                continue
            say(f"round {number} of {rounds}, {place} of {len(planned)}: {_shown(cell)}")
            long = seconds * (2 if cell.clients >= _MANY_CLIENTS else 1)
            try:
                sample = cast.subjects[cell.subject].measure(cell, long)
            except WorkerFailed as error:
                if isinstance(cast.subjects[cell.subject], Service):
                    raise
                results.failures[cell.subject] = f"{cell.picture}: {error}"
                continue
            results.samples.setdefault(cell, []).append(sample)
        for profile in PROFILES:
            if profile.service in cast.subjects:
                say(f"round {number} of {rounds}: start of {profile.service}")
                results.starts.setdefault(profile.name, []).append(_start(profile.artifact))


def measure_memory(pictures: Pictures, requests: int, say: Callable[[str], None]) -> Memory:
    """Resident memory of the default profile's service while it answers so many requests.

    Eight clients, pictures of three sizes in turn.
    """
    client = load_generator()
    try:
        service = Service(ACCURATE.artifact, pictures, client)
    except BaseException:
        client.close()
        raise
    try:
        found = {0: service.ready_mb}
        service.enrol()
        paths = [
            str(service.request(Cell(ACCURATE.service, size))) for size in (SMALL, USUAL, WIDE)
        ]
        done = 0
        for look in range(1, _LOOKS + 1):
            say(f"memory: {done:,} of {requests:,} requests")
            part = requests * look // _LOOKS - done
            service.load({"requests": paths, "clients": _MANY_CLIENTS, "count": part})
            done += part
            if look in (1, _LOOKS // 2, _LOOKS):
                found[done] = service.resident_mb
        return Memory(ACCURATE.name, found)
    finally:
        service.close()
        client.close()


def _start(artifact: Path) -> Start:
    with (
        tempfile.TemporaryDirectory() as data,
        warm_service(Path(data), artifact=artifact, queue_timeout_s=PATIENCE_S) as service,
    ):
        return Start(service.ready_s, resident_mb(service.pid))


def _shown(cell: Cell) -> str:
    many = f", {cell.references} references" if cell.references > 1 else ""
    return f"{cell.subject}, {cell.picture}, {cell.clients} at once{many}"
