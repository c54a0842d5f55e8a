"""Which cells a run measures, and in which order; who is who."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.speed.pictures import ALONE, GROUP, REFUSED, SIZES
from bench.speed.samples import Cell
from bench.speed.subjects import MOST_REFERENCES


@dataclass(frozen=True)
class Profile:
    """A profile of the model, and the names of who is measured with it."""

    name: str
    artifact: Path

    @property
    def service(self) -> str:
        return f"{self.name}, service"

    @property
    def one_thread(self) -> str:
        return f"{self.name}, in process, 1 thread"

    @property
    def two_threads(self) -> str:
        return f"{self.name}, in process, 1 request on 2 threads"

    @property
    def two_loops(self) -> str:
        return f"{self.name}, in process, 2 requests on 1 thread each"

    @property
    def two_processes(self) -> str:
        return f"{self.name}, 2 processes of 1 thread"

    @property
    def tensorflow(self) -> str:
        return f"{self.name}, TensorFlow runtime, 1 request on 2 threads"

    @property
    def in_process(self) -> tuple[str, ...]:
        return self.one_thread, self.two_threads, self.two_loops, self.two_processes


FAST = Profile("fast", Path("models/sface"))
ACCURATE = Profile("accurate", Path("models/fused"))
PROFILES = (FAST, ACCURATE)

OPENCV = "OpenCV YuNet + SFace, 1 process of 2 threads"
OPENCV_TWICE = "OpenCV YuNet + SFace, 2 processes of 1 thread"
DEEPFACE = "deepface, SFace and YuNet"
FACE_RECOGNITION = "face_recognition (dlib)"
PEERS = (OPENCV, OPENCV_TWICE, DEEPFACE, FACE_RECOGNITION)

SMALL, USUAL, WIDE, HUGE = SIZES
SATURATING = (8, 32)
CLIENTS = (1, 2, *SATURATING)


def cells() -> list[Cell]:
    """All cells of one round: what is compared with each other stands together."""
    return [cell for picture in SIZES for cell in _of(picture)] + list(_extra())


def _of(picture: str) -> Iterator[Cell]:
    for profile in PROFILES:
        for subject in profile.in_process:
            yield Cell(subject, picture)
        if picture == USUAL:
            yield Cell(profile.service, picture, references=MOST_REFERENCES)
        # The whole range of clients at the usual size, the two that count elsewhere.
        for clients in CLIENTS if picture == USUAL else (1, 8):
            yield Cell(profile.service, picture, clients)
        yield Cell(profile.tensorflow, picture)
    for peer in PEERS:
        # The search for a face in twelve megapixels takes dlib a minute.
        if not (peer == FACE_RECOGNITION and picture == HUGE):
            yield Cell(peer, picture)


def _extra() -> Iterator[Cell]:
    for profile in PROFILES:
        yield Cell(profile.service, ALONE)
        yield Cell(profile.service, GROUP)
        for picture in REFUSED:
            yield Cell(profile.service, picture)
