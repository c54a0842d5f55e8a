"""One session of active liveness: frames in, what to do next out, live or not at the end.

    hold still      a face from the front; everything later is measured against it
    move            as asked, after it was asked
    hold still      back to the front, for a while that nobody knows
    move ...        four movements in all

A session in which a movement was asked for counts as a verification in vain unless it is
passed, also if the caller leaves: else it could be begun again and again until the challenges
suit a film. One that is passed forgets no failures: it says that somebody is there, not who.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from model.errors import SemblanceError
from model.image import ImageError
from model.types import Array
from service.core.core import Core
from service.core.errors import NoFace
from service.core.gallery import gallery_of
from service.core.liveness.challenges import Challenge, Movement
from service.core.liveness.continuity import Continuity
from service.core.liveness.ending import Ended, Why
from service.core.liveness.movement import HOLD_S, MOVE_S, Hold, Move, Steps
from service.core.liveness.parallax import Anchor
from service.core.liveness.person import EVERY_S, Person
from service.core.liveness.start import START_S, Sighting, Start
from service.core.perceive import perceive
from service.core.results import FoundFace
from service.core.throttle import admit, recheck, settle

MOST_S: Final = 60.0
MOST_FRAMES: Final = 2400


@dataclass(frozen=True)
class Asked:
    """What the person is to do now.

    Attributes:
        number: Of the challenge, from 1; of a hold, that of the one that follows.
        seconds: In which it must be done.
    """

    number: int
    kind: Movement | Literal["hold"]
    seconds: float


@dataclass(frozen=True)
class Seen:
    """What a frame has shown.

    Attributes:
        problem: What is wrong with it; the session goes on.
        steps: None before the first hold is done, and where nothing was measured.
        progress: Of what is asked for, in [0, 1].
        passed: Number of the challenge that is done with this frame.
        asked: What is asked for from now on, if it is something new.
    """

    found: FoundFace | None = None
    problem: SemblanceError | None = None
    steps: Steps | None = None
    scale: float | None = None
    progress: float = 0.0
    passed: int | None = None
    asked: Asked | None = None


class Session:
    """The frames of one person, in their order; used by one thread at a time.

    Attributes:
        ended: Why it has failed; None as long as it has not.

    Args:
        clock: Seconds that never go back; those of the frames are of the same clock.

    Raises:
        UnknownIdentity, TooManyFailures, IdentityLocked, ModelMismatch
    """

    def __init__(
        self,
        core: Core,
        identity: str,
        challenges: Sequence[Challenge],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.identity = identity
        self._all, self._challenges, self._clock = core, challenges, clock
        # By the model that the references are of: their verification will be by it.
        self._core, _ = gallery_of(core, identity)
        self._standing = admit(core, identity)
        self._settled = False
        self.ended: Why | None = None
        self.frames = 0
        self.passed = 0
        self._begun_at = clock()
        self._start = Start(self._core, challenges[0].wait_s)
        self._anchor: Anchor | None = None
        self._person: Person | None = None
        self._continuity: Continuity | None = None
        self._doing: Hold | Move | None = None
        self._is_known = False
        self._embedded_at = self._begun_at

    @property
    def count(self) -> int:
        """Of challenges."""
        return len(self._challenges)

    @property
    def first(self) -> Asked:
        return Asked(1, "hold", START_S)

    @property
    def fingerprint(self) -> str:
        """Of the model by which the person was seen."""
        return self._core.fingerprint

    @property
    def embedding(self) -> Array:
        """Of the person who was live. Shape (D,), float32, unit length."""
        assert self._person is not None  # live or not, the first hold was done
        return self._person.embedding

    def look(self, frame: bytes, at: float) -> Seen:
        """Takes one frame in.

        Args:
            frame: Encoded picture.
            at: When it came, by the clock.
        """
        self.frames += 1
        try:
            return self._look(frame, at)
        except Ended as ended:
            self.ended = ended.why
            return Seen()

    def fail(self, why: Why) -> None:
        """Ends it, unless it has ended."""
        if not self.live and self.ended is None:
            self.ended = why

    @property
    def live(self) -> bool:
        """Whether it was passed; not if its time was over before the last frame was looked at."""
        return self.ended is None and self.passed == len(self._challenges)

    def end(self) -> None:
        """Counts how it went; a second call does nothing.

        Raises:
            TooManyFailures, IdentityLocked: If others have failed meanwhile.
        """
        if self._settled:
            return
        self._settled = True
        if self.live:
            recheck(self._all, self.identity, self._standing)
        elif self._anchor is not None:
            settle(self._all, self.identity, self._standing, verified=False)

    def _look(self, frame: bytes, at: float) -> Seen:
        if self._anchor is None and at - self._begun_at > START_S:
            raise Ended("timed_out")
        try:
            with self._core.stopwatch() as watch:
                percept = perceive(self._core, frame, "largest", watch)
        except (ImageError, NoFace) as error:
            return self._without_face(error, at)
        sighting = Sighting.of(self._core, percept)
        if self._anchor is None:
            return self._before_it_begins(sighting, at)
        assert self._continuity is not None
        self._continuity.seen(percept.faces, at)
        return self._asked_for(sighting, at)

    def _without_face(self, error: SemblanceError, at: float) -> Seen:
        if self._continuity is None:
            self._start.lost()
        else:
            self._continuity.lost(at)
            assert self._doing is not None
            self._doing.see(None, at)
        return Seen(problem=error)

    def _before_it_begins(self, sighting: Sighting, at: float) -> Seen:
        found = sighting.percept.found
        problem = self._start.objection(sighting)
        if problem is not None:
            self._start.lost()
            return Seen(found, problem)
        begun = self._start.see(sighting, at)
        if begun is None:
            return Seen(found, progress=0.5)
        self._anchor, self._person = begun
        self._continuity = Continuity(sighting.face, at)
        self._embedded_at = at
        return Seen(found, progress=1.0, asked=self._ask_to_move())

    def _asked_for(self, sighting: Sighting, at: float) -> Seen:
        assert self._anchor is not None
        assert self._doing is not None
        bearing = self._anchor.bearing(sighting.image, sighting.landmarks, sighting.magnified)
        steps = None if bearing is None else Steps.of(bearing)
        done = self._doing.see(steps, at)
        # Whoever has made a movement, or come back, must be who began.
        if at - self._embedded_at >= EVERY_S or (done and not self._is_known):
            self._recognise(sighting, steps, at)
        progress = self._doing.progress(steps) if steps else 0.0
        scale = bearing.scale if bearing else None
        seen = Seen(sighting.percept.found, None, steps, scale, progress)
        return self._next(seen) if done and self._is_known else seen

    def _recognise(self, sighting: Sighting, steps: Steps | None, at: float) -> None:
        assert self._person is not None
        self._embedded_at = at
        embedding = self._core.model.embed(sighting.percept.chip[None])[0]
        # Who moves may be blurred.
        turned = steps is None or steps.is_turned or isinstance(self._doing, Move)
        alike = self._person.see(embedding, turned=turned)
        if steps is None:
            return
        if isinstance(self._doing, Move):
            self._is_known |= alike and self._doing.progress(steps) > 0.5
        else:
            self._is_known |= alike and not turned

    def _next(self, seen: Seen) -> Seen:
        if isinstance(self._doing, Hold):
            return replace(seen, asked=self._ask_to_move())
        self.passed += 1
        if self.live:
            return replace(seen, passed=self.passed)
        return replace(seen, passed=self.passed, asked=self._ask_to_hold())

    def _ask_to_hold(self) -> Asked:
        self._doing = Hold(self._challenges[self.passed].wait_s, self._clock())
        self._is_known = False
        return Asked(self.passed + 1, "hold", HOLD_S)

    def _ask_to_move(self) -> Asked:
        movement = self._challenges[self.passed].movement
        self._doing = Move(movement, self._clock())
        self._is_known = False
        return Asked(self.passed + 1, movement, MOVE_S)
