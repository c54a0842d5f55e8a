"""`export`: the artifact of a run, measured on chips it was not trained on."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.artifact import Artifact, sha256_of, write_artifact
from model.backbones import koch, sface
from model.contract import DEFAULT_VERIFICATION_THRESHOLD, Calibration, WeightsSource
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.siamese import Siamese, export_saved_model
from model.zoo import SFACE
from training.artifact_files import check_place, copying
from training.build import DETECTOR_NAME, LICENCES, source
from training.data.chips import Tower, chip_form
from training.data.errors import DataError, saying_disk_full
from training.evaluation.calibrating import calibration_from, default_threshold, embed_prepared
from training.fitting.checkpoints import WEIGHTS, read_weights
from training.fitting.chip_set import ChipSet, read_chip_set
from training.fitting.network import Network
from training.fitting.settings import FitSettings, read_data, read_settings
from training.importing.detector import BorrowedDetector, borrow_detector
from training.parity import Parity, check_parity
from training.uncalibrated import uncalibrated

_ARCHITECTURES = {Tower.KOCH: koch.ARCHITECTURE, Tower.SFACE: sface.ARCHITECTURE}
_COMPARED = 16
VERSION = "1.0.0"


@dataclass(frozen=True)
class Exported:
    """What was written, and how far the two runtimes are apart on it."""

    artifact: Artifact
    parity: Parity


def export(
    run: Path,
    folder: Path,
    *,
    prepared: Path | None,
    split: str,
    detector_from: Path,
    threshold: float | None,
    quiet: bool,
) -> Exported:
    """Writes the artifact of a finished run.

    Args:
        prepared: The chips the run was made with, if they lie elsewhere now.
        split: Whose chips the error rates are measured on.
        detector_from: The artifact whose detector and alignment the chips came from.
        threshold: The detection threshold; None for the one at FMR 1e-4, or at the
            strictest rate with ten expected false matches.

    Raises:
        DataError: If the run is not finished, the chips are not its own or too few
            to measure on, or the disk is full.
        ArtifactError: If what was written does not read back alike on both runtimes.
    """
    settings = read_settings(run)
    known = read_data(run)
    chips = read_chip_set(prepared or Path(known["prepared"]))
    if chips.digest() != known["chips"]:
        raise DataError(
            f"expected the chips that '{run.name}' was made with, found others in "
            f"'{chips.folder.name}'"
        )
    check_place(folder)
    network = Network(settings, int(chips.identities.max()) + 1)
    read_weights(run, network)
    detector = borrow_detector(detector_from)
    siamese = network.siamese()
    promise = _promise(run, settings, siamese, detector)
    with saying_disk_full("free some space and export again"), tempfile.TemporaryDirectory() as at:
        first = Path(at) / "first"

        def fill(staging: Path) -> None:
            export_saved_model(siamese, staging / "saved_model")
            detector.copy_to(staging)
            if settings.tower is Tower.SFACE:
                shutil.copytree(LICENCES, staging / "licences", dirs_exist_ok=True)
            (staging / "NOTICE").write_text(_notice(settings, detector), encoding="utf-8")

        written = write_artifact(first, fill, promise | _thresholds(uncalibrated(), 0.5))
        parity = check_parity(written, chips.read(_some(chips)))
        calibration = _measured(written, chips, run, split, quiet=quiet)
        chosen = default_threshold(calibration) if threshold is None else threshold
        artifact = write_artifact(
            folder,
            copying(written),
            promise | _thresholds(calibration, chosen),
        )
    return Exported(artifact, parity)


def _measured(
    written: Artifact, chips: ChipSet, run: Path, split: str, *, quiet: bool
) -> Calibration:
    runtime = OpenVinoRuntime(written)
    embedded = embed_prepared(chips.folder, split, runtime, quiet=quiet)
    by = json.loads((chips.folder / "report.json").read_text(encoding="utf-8"))["split"]["by"]
    whom = "people trained on" if by == "image" else "people not trained on"
    dataset = f"chips of the split '{split}' of {chips.folder.name}, {whom}, for the run {run.name}"
    return calibration_from(embedded, runtime, dataset, quiet=quiet)


def _promise(
    run: Path, settings: FitSettings, siamese: Siamese, detector: BorrowedDetector
) -> dict[str, Any]:
    """The manifest but for its thresholds."""
    template = chip_form(settings.tower, detector.artifact.manifest).template
    trained = WeightsSource(
        file=WEIGHTS,
        sha256=sha256_of(run / WEIGHTS),
        source=f"trained here: fit --tower {settings.tower} --loss {settings.loss}",
        licence="as the pictures it was trained on allow",
    )
    origins = [trained, *([source(SFACE)] if settings.tower is Tower.SFACE else [])]
    return {
        "name": f"{settings.tower}-{settings.loss}",
        "version": VERSION,
        "fingerprint": _fingerprint(settings, siamese, template, detector),
        "input_size": siamese.input_size,
        "alignment_template": [[float(x) for x in point] for point in template],
        "embedding_size": siamese.embedding_size,
        "saved_model": "saved_model",
        "detector": DETECTOR_NAME,
        "verification_threshold": DEFAULT_VERIFICATION_THRESHOLD,
        "weights": [one.model_dump() for one in (*origins, detector.origin)],
    }


def _thresholds(calibration: Calibration, detection: float) -> dict[str, Any]:
    return {"detection_threshold": detection, "calibration": calibration.model_dump()}


def _fingerprint(
    settings: FitSettings, siamese: Siamese, template: Any, detector: BorrowedDetector
) -> str:
    """16 hex digits of all that decides an embedding."""
    facts = {
        "architecture": _ARCHITECTURES[settings.tower],
        "unit": siamese.unit is not None,
        "input_size": siamese.input_size,
        "template": [[round(float(x), 4) for x in point] for point in template],
        "detector": detector.origin.sha256,
    }
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for tensor in siamese.tower.get_weights():
        digest.update(np.ascontiguousarray(tensor, dtype="<f4").tobytes())
    return digest.hexdigest()[:16]


def _notice(settings: FitSettings, detector: BorrowedDetector) -> str:
    tower = [SFACE.notice] if settings.tower is Tower.SFACE else []
    return "\n".join([*tower, detector.notice, ""])


def _some(chips: ChipSet) -> np.ndarray:
    """Rows of a few chips, spread over all."""
    count = min(_COMPARED, len(chips.names))
    return np.linspace(0, len(chips.names) - 1, count).astype(int)
