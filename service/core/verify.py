"""Verify: is the face of a probe the one that enrolled?"""

from __future__ import annotations

from service.core.core import Core
from service.core.decide import decide
from service.core.gallery import matrix, references_of
from service.core.perceive import perceive
from service.core.results import FaceChoice, ScoredReference, Verification
from service.core.stopwatch import Stopwatch
from service.core.thresholds import detection_threshold, verification_threshold


def verify(
    core: Core,
    identity: str,
    probe: bytes,
    *,
    detection: float | None = None,
    verification: float | None = None,
    fmr: float | None = None,
    choice: FaceChoice = "error",
) -> Verification:
    """Decides by the paper's rule on one forward pass of the tower.

    Args:
        detection, verification: Thresholds instead of the defaults, in [0, 1].
        fmr: Take the detection threshold measured for this false match rate.

    Raises:
        InvalidRequest, UnknownIdentity, ModelMismatch, ImageError, NoFace,
        SeveralFaces
    """
    watch = Stopwatch()
    manifest = core.model.manifest
    above = detection_threshold(manifest, core.policy, detection, fmr)
    share = verification_threshold(manifest, core.policy, verification)
    with watch.stage("references"):
        references = references_of(core, identity)
    percept = perceive(core, probe, choice, watch)
    with watch.stage("embed"):
        embedding = core.model.embed(percept.chip[None])[0]
    with watch.stage("score"):
        scores = core.model.score(embedding, matrix(references))
    decision = decide(scores, above.value, share.value)
    return Verification(
        identity=identity,
        verified=decision.verified,
        matched=decision.matched,
        references=tuple(
            ScoredReference(reference.reference_id, float(score), matched)
            for reference, score, matched in zip(references, scores, decision.matches, strict=True)
        ),
        share=decision.share,
        detection_threshold=above,
        verification_threshold=share,
        fmr=manifest.calibration.fmr_of(above.value),
        found=percept.found,
        timings_ms=watch.read_ms(),
    )
