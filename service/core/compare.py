"""Compare: do two images show one person? Nothing is enrolled."""

from __future__ import annotations

import numpy as np

from service.core.core import Core
from service.core.perceive import perceive
from service.core.results import Comparison, FaceChoice
from service.core.thresholds import detection_threshold


def compare(
    core: Core,
    image_a: bytes,
    image_b: bytes,
    *,
    detection: float | None = None,
    fmr: float | None = None,
    choice: FaceChoice = "error",
) -> Comparison:
    """Scores two images against each other.

    While two models are loaded, by the one that is to go: its scores are those that a
    caller knows.

    Raises:
        InvalidRequest, ImageError, NoFace, SeveralFaces
    """
    manifest = core.model.manifest
    threshold = detection_threshold(manifest, core.policy, detection, fmr)
    with core.stopwatch() as watch:
        percept_a = perceive(core, image_a, choice, watch)
        percept_b = perceive(core, image_b, choice, watch)
        with watch.stage("embed"):
            embeddings = core.model.embed(np.stack([percept_a.chip, percept_b.chip]))
        with watch.stage("score"):
            score = float(core.model.score(embeddings[0], embeddings[1:])[0])
    return Comparison(
        score=score,
        threshold=threshold,
        fmr=manifest.calibration.fmr_of(threshold.value),
        verified=score > threshold.value,
        found_a=percept_a.found,
        found_b=percept_b.found,
        timings_ms=watch.read_ms(),
        manifest=manifest,
    )
