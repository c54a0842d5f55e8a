"""Make the default artifact from published weights and fitted numbers."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np

import model
from model.artifact import Artifact, write_artifact
from model.backbones import sface
from model.contract import DEFAULT_FMR, DEFAULT_VERIFICATION_THRESHOLD, Calibration, WeightsSource
from model.frame import tight_frame
from model.siamese import Siamese, export_saved_model
from model.templates import ARCFACE_112
from model.zoo import SFACE, SFACE_SMALL, YUNET, YUNET_SMALL, Weights
from training.fetch import fetch
from training.head import Head, read_head
from training.onnx_files import read_tensors, write_plain

LICENCES = Path(model.__file__).parent / "licences"
FITTED = Path(__file__).parent / "fitted"
HEAD_FILE = FITTED / "sface_head.json"
CALIBRATION_FILE = FITTED / "sface_calibration.json"
NAME, VERSION = "sface", "1.0.0"
DETECTOR_NAME = "detector.onnx"


def build(
    folder: Path,
    *,
    given: Path | None = None,
    small: bool = False,
    head: Head | None = None,
    calibration: Calibration | None = None,
) -> Artifact:
    """Writes the artifact: SFace with the siamese head, YuNet, the manifest.

    Args:
        folder: Where to; replaced if there.
        given: A file or folder to take the weights from instead of fetching.
        small: The block-quantised files instead of the float32 ones.
        head, calibration: Instead of those kept in the repository.

    Raises:
        FetchError: If weights cannot be had or are not the published ones.
        ArtifactError: If what was written does not read back.
    """
    tower_weights, detector_weights = (SFACE_SMALL, YUNET_SMALL) if small else (SFACE, YUNET)
    tower_file = fetch(tower_weights, given)
    # One given file can only be the tower's; a folder may hold both.
    detector_file = fetch(detector_weights, given if given and given.is_dir() else None)
    head = head or read_head(HEAD_FILE)
    calibration = calibration or read_calibration(CALIBRATION_FILE)
    tower = sface.load_sface(read_tensors(tower_file))
    frame = tight_frame(sface.EMBEDDING_SIZE)
    siamese = Siamese(tower, frame, head.weights(frame.shape[1]), head.bias)

    def fill(staging: Path) -> None:
        export_saved_model(siamese, staging / "saved_model")
        write_plain(detector_file, staging / DETECTOR_NAME)
        notice = f"{tower_weights.notice}\n{detector_weights.notice}\n"
        (staging / "NOTICE").write_text(notice, encoding="utf-8")
        shutil.copytree(LICENCES, staging / "licences")

    promise = {
        "name": NAME,
        "version": VERSION,
        "fingerprint": fingerprint(tower, detector_weights),
        "input_size": sface.CHIP_SIZE,
        "alignment_template": ARCFACE_112.tolist(),
        "embedding_size": siamese.embedding_size,
        "saved_model": "saved_model",
        "detector": DETECTOR_NAME,
        "detection_threshold": calibration.at_fmr(DEFAULT_FMR).threshold,
        "verification_threshold": DEFAULT_VERIFICATION_THRESHOLD,
        "weights": [source(tower_weights).model_dump(), source(detector_weights).model_dump()],
        "calibration": calibration.model_dump(),
    }
    return write_artifact(folder, fill, promise)


def fingerprint(tower: keras.Model, detector: Weights) -> str:
    """16 hex digits of all that decides an embedding.

    Computed from the numbers, not from the SavedModel's bytes, which differ from
    one export to the next.
    """
    digest = hashlib.sha256()
    facts: dict[str, Any] = {
        "architecture": sface.ARCHITECTURE,
        "input_size": sface.CHIP_SIZE,
        "template": [[round(float(x), 4) for x in point] for point in ARCFACE_112],
        "detector": detector.sha256,
    }
    digest.update(json.dumps(facts, sort_keys=True).encode())
    for tensor in tower.get_weights():
        digest.update(np.ascontiguousarray(tensor, dtype="<f4").tobytes())
    return digest.hexdigest()[:16]


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
