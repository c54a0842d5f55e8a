"""Liveness sessions with real frames, on a clock of their own: no waiting, no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from model.artifact import Artifact
from model.runtimes.compiled import CompiledNetworks
from model.types import Image
from service.core.core import Core
from service.core.enrol import Upload, enrol
from service.core.gallery_cache import GalleryCache
from service.core.liveness.challenges import Challenge, Movement, random_challenges
from service.core.liveness.session import Asked, Session
from service.core.policy import Policy
from service.runtime.load import Way, load
from service.storage.memory_store import MemoryStore
from tests.head_motion import Follower, Stance, jpeg
from tests.kept_networks import keep, lend

IDENTITY = "ada"
_BEGIN_S = 1000.0
_MOST_S = 80.0

Film = list[tuple[float, bytes]]
"""Frames as JPEG with the seconds since the first."""


@dataclass(frozen=True)
class Shot:
    """What a frame is made of.

    Attributes:
        asked: What is asked for.
        passed: Challenges that were passed before.
        at: Seconds since the beginning.
    """

    stance: Stance
    asked: Asked
    passed: int
    at: float


@dataclass(frozen=True)
class Outcome:
    """How a session went.

    Attributes:
        why: None if it was passed.
        film: All frames that were shown.
    """

    session: Session
    film: Film
    seconds: float

    @property
    def live(self) -> bool:
        return self.session.live

    @property
    def why(self) -> str | None:
        return self.session.ended


def core_of(artifact: Artifact) -> Core:
    """A core on a store in memory that forgets."""
    with TemporaryDirectory() as name:
        lend(Path(name))
        loaded = load(artifact, Way("openvino", 0, 0.7, CompiledNetworks(Path(name) / "compiled")))
        loaded.detector.prepare((480, 640))
        keep(Path(name))
    return Core(loaded.model, loaded.detector, MemoryStore(), Policy())


def enrolled(core: Core, picture: bytes, *, throttle_after: int = 0, lock_after: int = 0) -> Core:
    """The same with a store of its own, and somebody in it: a session is of an identity."""
    policy = Policy(gate="off", throttle_after=throttle_after, lock_after=lock_after)
    core = replace(core, store=MemoryStore(), policy=policy, galleries=GalleryCache())
    enrol(core, IDENTITY, [Upload(picture)], "largest", None)
    return core


def of(*movements: Movement, wait_s: float = 0.7) -> list[Challenge]:
    return [Challenge(movement, wait_s) for movement in movements]


def acted(
    core: Core,
    show: Callable[[Shot], Image | bytes],
    *,
    follower: Follower | None = None,
    challenges: Sequence[Challenge] | None = None,
    rate: float = 6.0,
) -> Outcome:
    """Goes through a session.

    Args:
        show: The frame to show: BGR, or encoded.
        challenges: None for random ones.
        rate: Frames a second.
    """
    now = [_BEGIN_S]
    session = Session(core, IDENTITY, challenges or random_challenges(), lambda: now[0])
    follower = follower or Follower()
    asked = session.first
    follower.told(asked.kind, 0.0)
    film: Film = []
    while not session.live and session.ended is None and now[0] < _BEGIN_S + _MOST_S:
        at = now[0] - _BEGIN_S
        shown = show(Shot(follower.stance(at), asked, session.passed, at))
        frame = shown if isinstance(shown, bytes) else jpeg(shown)
        film.append((at, frame))
        seen = session.look(frame, now[0])
        if seen.asked is not None:
            asked = seen.asked
            follower.told(asked.kind, at)
        now[0] += 1 / rate
    return Outcome(session, film, now[0] - _BEGIN_S)


def played(film: Film, at: float) -> bytes:
    """The frame that a film shows at a time; the last one when it is over."""
    return next((frame for when, frame in reversed(film) if when <= at), film[0][1])
