"""Verify a person by a row of frames: one verdict, counted once.

    look, look, look ...    each frame is compared by itself, and adds to the evidence
    end                     the verdict counts, as that of one verification

Whoever leaves before the end has failed, if a frame with a face did not match: else a
row could be broken off before it counts, and begun again for ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from model import quality
from model.errors import SemblanceError
from model.image import ImageError
from model.quality import Reason
from service.core.core import Core
from service.core.errors import LivenessMismatch, NoFace, SeveralFaces
from service.core.gallery import gallery_of
from service.core.liveness.proof import MISMATCH, Proof
from service.core.results import Verification
from service.core.sequential import Evidence, Verdict
from service.core.throttle import admit, settle
from service.core.verify import Asked, compared, count


@dataclass(frozen=True)
class Look:
    """What one frame has shown.

    Attributes:
        result: None if there is no verdict on it.
        problem: Why not; or that it is not who was live.
        objections: What is wrong with the face as a picture; such a frame counts only if
            it matches.
        counted: Whether it added to the evidence.
    """

    result: Verification | None
    problem: SemblanceError | None = None
    objections: tuple[Reason, ...] = ()
    counted: bool = False


class Row:
    """The frames of one person, in their order; used by one thread at a time.

    Args:
        clock: Seconds that never go back.
        proof: That somebody was live, who must be the one of every frame; is used up.

    Raises:
        UnknownIdentity, TooManyFailures, IdentityLocked, ModelMismatch
        WrongLiveness, LivenessUsed
    """

    def __init__(
        self,
        core: Core,
        identity: str,
        asked: Asked,
        clock: Callable[[], float] = time.monotonic,
        *,
        proof: Proof | None = None,
    ) -> None:
        self.identity = identity
        self._core, self._asked = core, asked
        self._clock, self._proof = clock, proof
        self._first: float | None = None
        # Who is not there, or must wait, hears of it before the first frame.
        by_model, _ = gallery_of(core, identity)
        self._standing = admit(core, identity)
        if proof is not None:
            proof.use(by_model)
        self._settled = False
        self.evidence = Evidence()
        self.last: Verification | None = None

    def look(self, frame: bytes) -> Look:
        """Compares a frame with the references as they are now.

        Raises:
            InvalidRequest, UnknownIdentity, ModelMismatch
            WrongLiveness: If the model was changed since somebody was live.
        """
        core, gallery = gallery_of(self._core, self.identity)
        try:
            with core.stopwatch() as watch:
                result = compared(
                    *(core, self.identity, gallery, frame),
                    asked=self._asked,
                    watch=watch,
                    proof=self._proof,
                )
        except (ImageError, NoFace, SeveralFaces) as error:
            # Such frames come with every stream, and say nothing about who it is.
            return Look(None, error)
        # Of a token for another person nothing is to be had, whatever the picture is like.
        unlike = result.live is False
        problem = LivenessMismatch(MISMATCH) if unlike else None
        objections = quality.reasons(result.found.quality, "standard")
        counted = result.verified or unlike or not objections
        if counted:
            self._count(result)
        return Look(result, problem, objections, counted)

    @property
    def verdict(self) -> Verdict:
        since_s = 0.0 if self._first is None else self._clock() - self._first
        return self.evidence.verdict(since_s)

    def _count(self, result: Verification) -> None:
        if self._first is None:
            self._first = self._clock()
        calibration = result.manifest.calibration
        self.evidence.add(
            result.verified,
            fmr=result.fmr if result.verdict_fmr is None else result.verdict_fmr,
            fnmr=calibration.fnmr_of(result.detection_threshold.value),
        )
        self.last = result

    def end(self, *, verified: bool) -> None:
        """Counts the verdict; a second call does nothing.

        Raises:
            TooManyFailures, IdentityLocked: If others have failed meanwhile.
        """
        if self._settled:
            return
        self._settled = True
        missed = self.evidence.frames - self.evidence.matching
        if self.last is not None:
            count(self._core, replace(self.last, verified=verified))
        if verified or missed:
            settle(self._core, self.identity, self._standing, verified=verified)
