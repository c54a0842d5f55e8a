"""Make an artifact of a profile from published weights and fitted numbers."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

import model
from model.artifact import Artifact, write_artifact
from model.backbones import yunet
from model.backbones.eight_bit import Rounding
from model.contract import DEFAULT_FMR, DEFAULT_VERIFICATION_THRESHOLD, Calibration, WeightsSource
from model.siamese import Siamese, export_detector, export_saved_model
from model.zoo import Weights
from training.fetch import fetch
from training.head import Head, read_head
from training.profiles import Profile, profile

LICENCES = Path(model.__file__).parent / "licences"
DETECTOR_NAME = "detector.pb"


def build(
    folder: Path,
    chosen: Profile | None = None,
    *,
    given: Path | None = None,
    head: Head | None = None,
    calibration: Calibration | None = None,
) -> Artifact:
    """Writes the artifact: the tower with the siamese head, YuNet, the manifest.

    Args:
        folder: Where to; replaced if there.
        chosen: What of; the accurate profile if None.
        given: A file or folder to take weights from instead of fetching.
        head, calibration: Instead of those kept in the repository.

    Raises:
        FetchError: If weights cannot be had or are not the published ones.
        ArtifactError: If what was written does not read back.
    """
    chosen = chosen or profile("accurate")
    files = [
        fetch(weights, given if _offers(given, weights, chosen) else None)
        for weights in chosen.weights
    ]
    head = head or read_head(chosen.head_file)
    calibration = calibration or read_calibration(chosen.calibration_file)
    tower = chosen.load(*files[:-1])
    detector = chosen.load_detector(files[-1])
    siamese = Siamese(
        tower, "every direction", np.array([head.weight], dtype=np.float32), head.bias
    )

    def fill(staging: Path) -> None:
        export_saved_model(siamese, staging / "saved_model")
        export_detector(detector, staging / DETECTOR_NAME)
        notice = "".join(f"{weights.notice}\n" for weights in chosen.weights)
        (staging / "NOTICE").write_text(notice, encoding="utf-8")
        shutil.copytree(LICENCES, staging / "licences")

    promise = {
        "name": chosen.artifact,
        "version": chosen.version,
        "fingerprint": fingerprint(tower, detector, chosen),
        "input_size": chosen.chip_size,
        "alignment_template": chosen.template.tolist(),
        "landmarks": chosen.landmarks,
        "interpolation": chosen.interpolation,
        "precision": chosen.precision,
        "embedding_size": siamese.embedding_size,
        "saved_model": "saved_model",
        "detector": DETECTOR_NAME,
        "detection_threshold": calibration.at_fmr(DEFAULT_FMR).threshold,
        "verification_threshold": DEFAULT_VERIFICATION_THRESHOLD,
        "weights": [source(weights).model_dump() for weights in chosen.weights],
        "calibration": calibration.model_dump(),
    }
    return write_artifact(folder, fill, promise)


def fingerprint(tower: keras.Model, detector: keras.Model, chosen: Profile) -> str:
    """16 hex digits of all that decides an embedding.

    Computed from the numbers, not from the SavedModel's bytes, which differ from
    one export to the next.
    """
    digest = hashlib.sha256()
    facts: dict[str, Any] = {
        "architecture": chosen.architecture,
        "input_size": chosen.chip_size,
        "template": [[round(float(x), 4) for x in point] for point in chosen.template],
        "detector": [yunet.ARCHITECTURE, chosen.detector.sha256],
        "bounds": [*_bounds(tower), *_bounds(detector)],
    }
    if chosen.landmarks != "detector":
        facts["landmarks"] = chosen.landmarks
    if chosen.interpolation != "linear":
        facts["interpolation"] = chosen.interpolation
    digest.update(json.dumps(facts, sort_keys=True).encode())
    for tensor in [*tower.get_weights(), *detector.get_weights()]:
        digest.update(np.ascontiguousarray(tensor, dtype="<f4").tobytes())
    return digest.hexdigest()[:16]


def _bounds(network: keras.Model) -> Iterator[tuple[float, float]]:
    """Of all that it rounds, networks within it too."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _bounds(layer)
        elif isinstance(layer, Rounding):
            yield layer.bounds


def source(weights: Weights) -> WeightsSource:
    return WeightsSource(
        file=weights.file,
        sha256=weights.sha256,
        source=weights.upstream,
        licence=weights.licence,
    )


def read_calibration(path: Path) -> Calibration:
    """The calibration stored in a JSON file."""
    return Calibration.model_validate_json(path.read_text(encoding="utf-8"))


def _offers(given: Path | None, weights: Weights, chosen: Profile) -> bool:
    """Whether what the user gave is where these weights are to come from."""
    if given is None or given.is_dir():
        return given is not None
    # One file is of the weights that have its name; of the first tower under any other.
    known = {item.file for item in chosen.weights}
    name = given.name if given.name in known else chosen.towers[0].file
    return name == weights.file
