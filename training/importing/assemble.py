"""What a user asks to be imported, put together as the files and manifest of an artifact."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from model.artifact import Artifact, write_artifact
from model.contract import (
    DEFAULT_FMR,
    DEFAULT_VERIFICATION_THRESHOLD,
    Calibration,
    WeightsSource,
)
from model.siamese import Siamese, export_saved_model
from training.build import DETECTOR_NAME
from training.importing.detector import BorrowedDetector
from training.importing.head import FittedHead, frame_of
from training.importing.network import Network
from training.importing.preprocessing import Preprocessing
from training.importing.source import sha256_of_network
from training.importing.template import template_of
from training.importing.tower import Tower
from training.uncalibrated import uncalibrated

IMPORTER = "import-2"
"""Goes into the fingerprint: another way of converting gives other embeddings."""


@dataclass(frozen=True)
class Request:
    """What a user asks to be imported.

    Attributes:
        data: Folder of identities to fit and measure on.
        size: (height, width) of the pictures, where the file leaves it open.
        template: As for `training.importing.template.template_of`.
        output: Name of the embedding among several outputs.
        licence: Of the network, in the user's words.
        unit: Whether embeddings are brought to unit length.
        fmr: Of the default threshold; the strictest that was measured if that is
            not as strict.
    """

    network: Path
    data: Path
    preprocessing: Preprocessing
    size: tuple[int, int] | None
    template: str
    output: str | None
    detector_from: Path
    name: str
    version: str
    licence: str
    unit: bool
    fmr: float = DEFAULT_FMR


@dataclass(frozen=True)
class Making:
    """The parts of an artifact that do not change while it is made."""

    request: Request
    detector: BorrowedDetector
    network: Network

    def write(self, folder: Path, head: FittedHead | None) -> Artifact:
        """An artifact to work with; its tower is final, its calibration is none."""
        size = self.network.embedding_size
        frame = None if head is None else frame_of(size)
        directions = size if frame is None else frame.shape[1]
        weight, bias = (1.0, 0.0) if head is None else (head.weight, head.bias)
        siamese = Siamese(
            Tower(self.network, self.request.preprocessing),
            frame,
            np.full(directions, weight, dtype=np.float32),
            bias,
            unit=self.request.unit,
        )

        def fill(staging: Path) -> None:
            _export(siamese, staging / "saved_model")
            self.detector.copy_to(staging)
            (staging / "NOTICE").write_text(self._notice(), encoding="utf-8")

        return write_artifact(folder, fill, self.promise(uncalibrated(), 0.5))

    def promise(self, calibration: Calibration, threshold: float) -> dict[str, Any]:
        """The manifest's fields."""
        request = self.request
        return {
            "name": request.name,
            "version": request.version,
            "fingerprint": self._fingerprint(),
            "input_size": self.network.size,
            "alignment_template": self._template(),
            "embedding_size": self.network.embedding_size,
            "saved_model": "saved_model",
            "detector": DETECTOR_NAME,
            "detection_threshold": threshold,
            "verification_threshold": DEFAULT_VERIFICATION_THRESHOLD,
            "weights": [self._origin().model_dump(), self.detector.origin.model_dump()],
            "calibration": calibration.model_dump(),
        }

    def _template(self) -> list[list[float]]:
        points: list[list[float]] = template_of(self.request.template, self.network.size).tolist()
        return points

    def _origin(self) -> WeightsSource:
        path, prepared = self.request.network, self.request.preprocessing
        return WeightsSource(
            file=path.name,
            sha256=sha256_of_network(path),
            source=(
                f"imported; preprocessing (value - {_listed(prepared.mean)}) * "
                f"{_listed(prepared.scale)}, {prepared.channels}"
            ),
            licence=self.request.licence,
        )

    def _notice(self) -> str:
        return (
            f"{self.request.network.name}, imported. Licence: {self.request.licence}\n"
            f"{self.detector.notice}\n"
        )

    def _fingerprint(self) -> str:
        """16 hex digits of all that decides an embedding."""
        prepared = self.request.preprocessing
        facts = {
            "importer": IMPORTER,
            "network": self._origin().sha256,
            "output": self.request.output,
            "mean": prepared.mean,
            "scale": prepared.scale,
            "channels": prepared.channels,
            "unit": self.request.unit,
            "input_size": self.network.size,
            "template": [[round(x, 4) for x in point] for point in self._template()],
            "detector": self.detector.origin.sha256,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _export(siamese: Siamese, folder: Path) -> None:
    try:
        export_saved_model(siamese, folder)
    except tf.errors.ResourceExhaustedError as error:
        raise OSError(errno.ENOSPC, "no space left") from error  # TensorFlow's word for it


def _listed(values: Sequence[float]) -> str:
    return f"{values[0]:g}" if len(set(values)) == 1 else ", ".join(f"{v:g}" for v in values)
