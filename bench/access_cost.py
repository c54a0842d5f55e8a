"""What keys, audit and encryption cost a verification: `python -m bench.access_cost`.

Two services side by side, one that asks for a key and keeps count of failures, one that
does neither, asked in turn over kept connections. Then what an entry of the audit log
takes, and what opening a sealed reference takes: a verification does that only when the
gallery is not in memory.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from bench.service import Measured, warm_service
from bench.speed.http_bytes import Connection, post_form
from bench.speed.pictures import Pictures
from model.artifact import read_artifact
from model.faces import Detector
from service.core.audit import AuditEntry
from service.security.vault import AesDataKey
from service.storage.audit_place import make_audit_tables
from service.storage.databases import Place, open_databases
from service.storage.sealing import Details, Seal
from service.storage.sql_audit import SqlAudit

_SIZE = "640 x 480"
_BLOCK = 10
_EMBEDDING = 256
_REPEATS = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=Path, default=Path("models/fused"))
    parser.add_argument("--rounds", type=int, default=30, help=f"of {_BLOCK} requests to each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "pictures").mkdir()
        detector = Detector(read_artifact(options.artifact).detector)
        pictures = Pictures(folder / "pictures", detector)
        ways: dict[str, dict[str, object]] = {
            "open": {"insecure": True, "throttle_after": 0, "lock_after": 0},
            "with keys": {"insecure": False},
        }
        services = {
            way: stack.enter_context(
                warm_service(folder / way, artifact=options.artifact, **settings)
            )
            for way, settings in ways.items()
        }
        asked = {way: _Asked(service, pictures) for way, service in services.items()}
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(options.rounds):
            for way, one in asked.items():
                times[way] += one.block_ms()
    medians = {way: statistics.median(found) for way, found in times.items()}
    for way, found in times.items():
        print(f"/verify, {_SIZE}, {way}: p50 {medians[way]:.2f} ms of {len(found)}")
    print(f"a key and the count of failures: {medians['with keys'] - medians['open']:+.2f} ms")
    print(f"an entry of the audit log: {_recording_us():.0f} us")
    print(f"opening one sealed reference: {_opening_us():.0f} us")


class _Asked:
    """One service with one person enrolled, and a kept connection to it."""

    def __init__(self, service: Measured, pictures: Pictures) -> None:
        self._connection = Connection(int(service.url.rsplit(":", 1)[1]))
        fields = {"identity": "bench"}
        enrolment = [("images", pictures.read("reference"))]
        self._connection.ask(post_form("/v1/enroll", service.key, fields, enrolment))
        probe = [("image", pictures.read(_SIZE))]
        self._request = post_form("/v1/verify", service.key, fields, probe)

    def block_ms(self) -> list[float]:
        times = []
        for _ in range(_BLOCK + 2):
            begun = time.perf_counter()
            answer = self._connection.ask(self._request)
            times.append(1000 * (time.perf_counter() - begun))
            assert answer.status == 200
        # The first two find cold caches.
        return times[2:]


def _recording_us() -> float:
    """Median of what a request waits; writing it to the disk is behind that."""
    entry = AuditEntry("verify", "verified", "default", subject="bench", details={"fmr": 1e-4})
    times = []
    with (
        tempfile.TemporaryDirectory() as name,
        closing(open_databases(Place(Path(name)))) as databases,
        closing(_audit(databases.audit)) as log,
    ):
        for _ in range(_REPEATS):
            begun = time.perf_counter()
            log.record(entry, durable=False)
            times.append(1e6 * (time.perf_counter() - begun))
            # As between requests.
            time.sleep(0.001)
    return statistics.median(times)


def _audit(engine: Engine) -> SqlAudit:
    make_audit_tables(engine)
    return SqlAudit(engine, AesDataKey(bytes(32)))


def _opening_us() -> float:
    seal = Seal(AesDataKey(bytes(32)), "default/bench", "0" * 32)
    embedding = seal.embedding(np.zeros(_EMBEDDING, dtype=np.float32))
    details = seal.details(Details("0" * 64, np.zeros((5, 2), dtype=np.float32), "picture.jpg"))
    begun = time.perf_counter()
    for _ in range(_REPEATS):
        seal.opened_embedding(embedding)
        seal.opened_details(details)
    return 1e6 * (time.perf_counter() - begun) / _REPEATS


if __name__ == "__main__":
    main()
