"""Verify: is the face of a probe the one that enrolled?"""

from __future__ import annotations

from dataclasses import dataclass

from model.contract import Fusion
from model.fusion import fuse
from model.types import Array
from service.core.core import Core
from service.core.decide import decide
from service.core.errors import LivenessMismatch
from service.core.gallery import gallery_of
from service.core.gallery_cache import Gallery
from service.core.liveness.proof import MISMATCH, Proof
from service.core.perceive import perceive
from service.core.results import FaceChoice, ScoredReference, Verification
from service.core.stopwatch import Stopwatch
from service.core.thresholds import detection_threshold, verification_threshold
from service.core.throttle import admit, settle
from service.core.verdict_table import Verdict, verdict_fmr


@dataclass(frozen=True)
class Asked:
    """What a caller wants instead of the operator's choices.

    Attributes:
        detection, verification: Thresholds, in [0, 1].
        fmr: Take the detection threshold measured for this false match rate.
        fusion: The rule.
    """

    detection: float | None = None
    verification: float | None = None
    fmr: float | None = None
    fusion: Fusion | None = None
    choice: FaceChoice = "error"


def verify(
    core: Core,
    identity: str,
    probe: bytes,
    *,
    detection: float | None = None,
    verification: float | None = None,
    fmr: float | None = None,
    fusion: Fusion | None = None,
    choice: FaceChoice = "error",
    proof: Proof | None = None,
) -> Verification:
    """Decides on one forward pass of the tower; other arguments as of `Asked`.

    Args:
        proof: That somebody was live, who must be the one of the probe; is used up.

    Raises:
        InvalidRequest, UnknownIdentity, TooManyFailures, IdentityLocked,
        ModelMismatch, ImageError, NoFace, SeveralFaces
        WrongLiveness, LivenessUsed
        LivenessMismatch: Which counts as a verification in vain.
    """
    with core.stopwatch() as watch:
        with watch.stage("references"):
            # From here on all is of the one model that this identity's references are of.
            core, gallery = gallery_of(core, identity)
            standing = admit(core, identity)
        if proof is not None:
            proof.use(core)
        asked = Asked(detection, verification, fmr, fusion, choice)
        result = compared(core, identity, gallery, probe, asked=asked, watch=watch, proof=proof)
    count(core, result)
    settle(core, identity, standing, verified=result.verified)
    if result.live is False:
        raise LivenessMismatch(MISMATCH)
    return result


def count(core: Core, result: Verification) -> None:
    """Adds a verdict to what is counted: by its model, with the best of its scores."""
    verdict = "not_live" if result.live is False else "accepted" if result.verified else "rejected"
    best = max(reference.score for reference in result.references)
    core.meters.score.observe(best, result.manifest.fingerprint, verdict)


def compared(
    core: Core,
    identity: str,
    gallery: Gallery,
    probe: bytes,
    *,
    asked: Asked,
    watch: Stopwatch,
    proof: Proof | None = None,
) -> Verification:
    """The verdict on one probe, which counts nowhere.

    Args:
        core: By the model of `gallery`.
        proof: Used up already. Whoever is not the one who was live is not verified.

    Raises:
        InvalidRequest, ImageError, NoFace, SeveralFaces
    """
    manifest = core.model.manifest
    rule = asked.fusion or core.policy.fusion
    share = verification_threshold(manifest, core.policy, asked.verification)
    verdict = Verdict(rule, len(gallery.reference_ids), share.value)
    above = detection_threshold(manifest, core.policy, asked.detection, asked.fmr, verdict)
    percept = perceive(core, probe, asked.choice, watch)
    with watch.stage("embed"):
        embedding = core.model.embed(percept.chip[None])[0]
    with watch.stage("score"):
        scores, fused_score = _scores(core, embedding, gallery, rule)
        is_live = None if proof is None else proof.is_of(core, embedding)
    decision = decide(scores, above.value, share.value, fused_score=fused_score)
    return Verification(
        identity=identity,
        verified=decision.verified and is_live is not False,
        matched=decision.matched,
        references=tuple(
            map(ScoredReference, gallery.reference_ids, scores.tolist(), decision.matches)
        ),
        fusion=rule,
        fused_score=decision.fused_score,
        share=decision.share,
        detection_threshold=above,
        verification_threshold=share,
        fmr=manifest.calibration.fmr_of(above.value),
        verdict_fmr=verdict_fmr(manifest.calibration, verdict, above.value),
        found=percept.found,
        timings_ms=watch.read_ms(),
        manifest=manifest,
        live=is_live,
    )


def _scores(
    core: Core, embedding: Array, gallery: Gallery, rule: Fusion
) -> tuple[Array, float | None]:
    """Scores against each reference, (M,), and the fused one; in one call of the model."""
    if rule == "centroid":
        scores = core.model.score(embedding, gallery.rows)
        return scores[:-1], float(scores[-1])
    scores = core.model.score(embedding, gallery.embeddings)
    return scores, None if rule == "share" else float(fuse(rule, scores))
