"""Whether memory stays level: `python -m bench.soak --verifications 100000`.

A real service with keys and an audit log is asked by a few clients for as long as it
takes: verifications of several people by pictures of several sizes, and among them
enrolments, deletions, strangers, unknown names and files that are no picture. The
number of people who are enrolled stays the same.

Resident memory, open files and threads are looked at every second. Growth is that of
the median of the last tenth over the median of as many samples after the first 5,000
verifications. Exit status 1 if memory grew by more than 2 %, or files or threads by
more than `_FEW`.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from PIL import Image

from bench.service import Measured, warm_service
from bench.speed.http_bytes import Connection, post_form
from tests.faces import faces
from tests.pictures import encoded, rgb

WARM = 5_000
ALLOWED_PERCENT = 2.0
_FEW = 4
_CLIENTS = 4
_ROWS = 20
_SAMPLE_S = 1.0
_SIDES_PX = (340, 480, 640, 960)
_FILES = {
    "obama": ("obama.jpg", "obama2.jpg", "obama3.jpg"),
    "biden": ("biden.jpg",),
    "astronaut": ("astronaut.png",),
}
_CHANGES_EVERY = 25
"""Verifications of a client for each enrolment, and each deletion."""


@dataclass(frozen=True)
class Sample:
    """The service at one moment."""

    verifications: int
    resident_mib: float
    files: int
    threads: int


@dataclass
class Progress:
    """What the clients have done so far."""

    wanted: int
    verifications: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failure: BaseException | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def goes_on(self) -> bool:
        return self.verifications < self.wanted and self.failure is None

    def count(self, what: str) -> None:
        with self.lock:
            self.counts[what] += 1
            self.verifications += what == "verified"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=Path, default=Path("models/fused"))
    parser.add_argument("--verifications", type=int, default=100_000)
    parser.add_argument("--allowed", type=float, default=ALLOWED_PERCENT, metavar="PERCENT")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        begun = time.monotonic()
        with warm_service(Path(name), artifact=options.artifact) as service:
            progress = Progress(options.verifications)
            samples = soak(service, progress)
        minutes = (time.monotonic() - begun) / 60
    print(f"{options.verifications} verifications in {minutes:.1f} minutes; all answers:")
    print(", ".join(f"{count} {what}" for what, count in sorted(progress.counts.items())))
    return report(samples, min(WARM, options.verifications // 2), options.allowed)


def soak(service: Measured, progress: Progress) -> list[Sample]:
    """Asks until enough was verified.

    Raises:
        AssertionError: If an answer is not the one expected.
    """
    pictures = {
        person: [sized(name, side) for name in names for side in _SIDES_PX]
        for person, names in _FILES.items()
    }
    threads = [
        threading.Thread(target=_guarded, args=(_Client(service, pictures, number), progress))
        for number in range(_CLIENTS)
    ]
    for thread in threads:
        thread.start()
    samples = []
    while any(thread.is_alive() for thread in threads):
        samples.append(sample(service.pid, progress.verifications))
        time.sleep(_SAMPLE_S)
    for thread in threads:
        thread.join()
    if progress.failure is not None:
        raise progress.failure
    return samples


def sized(name: str, side_px: int) -> bytes:
    picture = Image.fromarray(rgb(faces().read(name)))
    scale = side_px / max(picture.size)
    size = (round(picture.width * scale), round(picture.height * scale))
    return encoded(picture.resize(size), "JPEG", quality=90)


def sample(pid: int, verifications: int) -> Sample:
    process = psutil.Process(pid)
    with process.oneshot():
        resident_mib = process.memory_info().rss / 2**20
        return Sample(verifications, resident_mib, process.num_fds(), process.num_threads())


def report(samples: list[Sample], warm: int, allowed_percent: float) -> int:
    """Prints a table and what has grown; exit status 1 if something has."""
    print(f"{'verifications':>13} {'MiB':>8} {'files':>6} {'threads':>8}")
    for one in samples[:: max(1, len(samples) // _ROWS)]:
        print(f"{one.verifications:13} {one.resident_mib:8.1f} {one.files:6} {one.threads:8}")
    after = [one for one in samples if one.verifications >= warm]
    few = max(1, len(after) // 10)
    first, last = after[:few], after[-few:]

    def both(value: Callable[[Sample], float]) -> tuple[float, float]:
        return statistics.median(map(value, first)), statistics.median(map(value, last))

    before_mib, now_mib = both(lambda one: one.resident_mib)
    growth = 100 * (now_mib / before_mib - 1)
    print(f"after the first {warm}: {before_mib:.1f} MiB, at the end {now_mib:.1f} MiB")
    print(f"growth of resident memory: {growth:+.2f} % (allowed: {allowed_percent:g} %)")
    level = growth <= allowed_percent
    for what, (before, now) in (
        ("open files", both(lambda one: one.files)),
        ("threads", both(lambda one: one.threads)),
    ):
        print(f"{what}: {before:g}, at the end {now:g}")
        level = level and now <= before + _FEW
    return 0 if level else 1


class _Client:
    """Asks over one connection; three people of its own stay, and one comes and goes."""

    def __init__(self, service: Measured, pictures: dict[str, list[bytes]], number: int) -> None:
        self._connection = Connection(int(service.url.rsplit(":", 1)[1]))
        self._key, self._pictures, self._number = service.key, pictures, number
        self._chance = random.Random(number)
        self._guests = 0

    def run(self, progress: Progress) -> None:
        for person in self._pictures:
            self._enrol(person, f"{person}-{self._number}", progress)
        turn = 0
        while progress.goes_on():
            turn += 1
            person = self._chance.choice(list(self._pictures))
            self._verify(person, f"{person}-{self._number}", progress)
            if turn % _CHANGES_EVERY == 0:
                self._guest(person, progress)
                self._others(person, progress)
        self._connection.close()

    def _enrol(self, person: str, identity: str, progress: Progress) -> None:
        some = self._chance.sample(self._pictures[person], 3)
        answer = self._post("/v1/enroll", identity, [("images", one) for one in some])
        assert answer in (201,), answer
        progress.count("enrolled")

    def _verify(self, person: str, identity: str, progress: Progress) -> None:
        one = self._chance.choice(self._pictures[person])
        assert self._post("/v1/verify", identity, [("image", one)]) == 200
        progress.count("verified")

    def _guest(self, person: str, progress: Progress) -> None:
        self._guests += 1
        identity = f"guest-{self._number}-{self._guests}"
        self._enrol(person, identity, progress)
        self._verify(person, identity, progress)
        head = f"DELETE /v1/identities/{identity} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        answer = self._connection.ask(f"{head}X-API-Key: {self._key}\r\n\r\n".encode())
        assert answer.status == 200, answer
        progress.count("deleted")

    def _others(self, person: str, progress: Progress) -> None:
        """What must be refused, or is not who he says."""
        one = self._chance.choice(self._pictures[person])
        assert self._post("/v1/verify", "nobody", [("image", one)]) == 404
        assert self._post("/v1/verify", f"{person}-{self._number}", [("image", b"no")]) == 422
        stranger = next(name for name in self._pictures if name != person)
        one = self._chance.choice(self._pictures[stranger])
        assert self._post("/v1/verify", f"{person}-{self._number}", [("image", one)]) == 200
        progress.count("strangers")
        for _ in range(2):
            progress.count("refused")

    def _post(self, path: str, identity: str, files: list[tuple[str, bytes]]) -> int:
        request = post_form(path, self._key, {"identity": identity}, files)
        return self._connection.ask(request).status


def _guarded(client: _Client, progress: Progress) -> None:
    try:
        client.run(progress)
    except BaseException as error:
        progress.failure = progress.failure or error


if __name__ == "__main__":
    sys.exit(main())
