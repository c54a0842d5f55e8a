"""The manifest: what an artifact promises to whoever loads it.

A threshold in here is a measured result. It carries its false match rate (FMR)
and false non-match rate (FNMR) after ISO/IEC 19795-1, with 95 % intervals, the
data set, the protocol and the date.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from model.types import Array

MANIFEST_VERSION = 1
DEFAULT_FMR = 1e-4
DEFAULT_VERIFICATION_THRESHOLD = 0.5
"""The paper's: more than half of the references must match."""

Fusion = Literal["share", "max", "mean", "centroid"]
"""How the scores of several references become one verdict; see model.fusion."""

Landmarks = Literal["detector", "second look"]
"""Where the landmarks of a chip come from: the detector's look at the picture, or a
second one at the face alone; see model.landmarks."""

Interpolation = Literal["linear", "cubic"]
"""How a chip's pixels are taken from the picture's."""

Precision = Literal["float32", "8-bit"]
"""How exactly a tower computes; see model.backbones.eight_bit."""

Rate = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
# A name below the artifact's folder: no part begins with a dot, so none leads out.
RelativeName = Annotated[str, Field(pattern=r"^\w[\w.\-]*(/\w[\w.\-]*)*$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class OperatingPoint(_Frozen):
    """One row of the FMR table: scores above `threshold` match.

    Attributes:
        fmr: The nominal rate of the row, such as 1e-4.
        fmr_measured: Impostor pairs above `threshold`, as a share; at most `fmr`.
        fnmr: Genuine pairs not above it, as a share.
        fmr_interval, fnmr_interval: 95 %, (low, high).
    """

    fmr: Rate
    threshold: Rate
    fmr_measured: Rate
    fmr_interval: tuple[Rate, Rate]
    fnmr: Rate
    fnmr_interval: tuple[Rate, Rate]


class VerdictPoint(_Frozen):
    """One row of the verdict table: a whole verdict on k references.

    Attributes:
        fusion: The rule.
        references: Of the identity, k.
        fmr: The nominal rate of the row: verdicts "verified" on other people.
        threshold: Of one reference's score for `share`, of the fused score for the others.
        verification_threshold: For `share` alone; the other rules have none.
        fmr_measured: At most `fmr`.
        fnmr: Verdicts "not verified" on the identity's own probes, as a share.
        fmr_interval, fnmr_interval: 95 %, (low, high), by bootstrap over identities.
    """

    fusion: Fusion
    references: Annotated[int, Field(gt=0)]
    fmr: Rate
    threshold: Rate
    verification_threshold: Rate | None = None
    fmr_measured: Rate
    fmr_interval: tuple[Rate, Rate]
    fnmr: Rate
    fnmr_interval: tuple[Rate, Rate]

    @model_validator(mode="after")
    def _share_alone(self) -> VerdictPoint:
        if (self.fusion == "share") != (self.verification_threshold is not None):
            raise ValueError("`share` has a verification_threshold, the other rules have none")
        return self


class Calibration(_Frozen):
    """Where the thresholds come from.

    Attributes:
        protocol: Which pairs, how the intervals were made, and what `accuracy` is of.
        accuracy: Share of right verdicts: mean over folds of pairs (LFW's own ten, or
            folds that share no identity), each with the threshold that is best on
            the others; `protocol` says which folds.
        points: The FMR table of single pairs, the loosest row first.
        verdicts: The same of whole verdicts; empty where it was not measured.
        verdict_protocol: Which pictures and draws the verdict table is of.
    """

    dataset: str
    protocol: str
    measured_on: str
    impostor_pairs: Annotated[int, Field(gt=0)]
    genuine_pairs: Annotated[int, Field(gt=0)]
    identities: Annotated[int, Field(gt=1)]
    accuracy: Rate
    accuracy_standard_error: Rate
    points: Annotated[tuple[OperatingPoint, ...], Field(min_length=1)]
    verdicts: tuple[VerdictPoint, ...] = ()
    verdict_protocol: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Calibration:
        rates = [point.fmr for point in self.points]
        thresholds = [point.threshold for point in self.points]
        if rates != sorted(rates, reverse=True) or thresholds != sorted(thresholds):
            raise ValueError("the FMR table must run from loose to strict")
        return self

    def at_fmr(self, fmr: float) -> OperatingPoint:
        """The loosest row whose rate is at most `fmr`.

        Raises:
            ValueError: If `fmr` is stricter than the whole table.
        """
        for point in self.points:
            if point.fmr <= fmr * (1 + 1e-9):
                return point
        raise ValueError(f"no threshold was measured for an FMR of {fmr:g}")

    def fmr_of(self, threshold: float) -> float | None:
        """The strictest row that `threshold` reaches: an upper bound of its FMR.

        None if the threshold is looser than the whole table.
        """
        reached = [point.fmr for point in self.points if point.threshold <= threshold]
        return min(reached, default=None)

    def fnmr_of(self, threshold: float) -> float | None:
        """The loosest row that is no looser than `threshold`: an upper bound of its FNMR.

        None if the threshold is stricter than the whole table.
        """
        beyond = [point.fnmr for point in self.points if point.threshold >= threshold]
        return min(beyond, default=None)


class WeightsSource(_Frozen):
    """A file that the artifact's numbers were taken from."""

    file: str
    sha256: Sha256
    source: str
    licence: str


class Manifest(_Frozen):
    """What is in an artifact and what its numbers mean.

    Attributes:
        fingerprint: Of everything that decides an embedding (tower weights,
            chip size, template, detector). Embeddings of two fingerprints must
            not be compared; two builds of the same model share one.
        input_size: (height, width) of a chip, in pixels.
        alignment_template: Where the five landmarks lie in a chip, (x, y) in
            pixels. Shape (5, 2).
        landmarks: Which landmarks are laid on it.
        interpolation: How the chip is cut.
        precision: Of the tower, and so the one that `calibration` was measured in.
        files: SHA-256 by name below the artifact's folder.
    """

    manifest_version: Literal[1]
    name: str
    version: str
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    input_size: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]]
    alignment_template: Annotated[
        tuple[tuple[float, float], ...], Field(min_length=5, max_length=5)
    ]
    landmarks: Landmarks = "detector"
    interpolation: Interpolation = "linear"
    precision: Precision = "float32"
    embedding_size: Annotated[int, Field(gt=0)]
    saved_model: RelativeName
    detector: RelativeName
    detection_threshold: Rate
    verification_threshold: Rate
    files: dict[RelativeName, Sha256]
    weights: tuple[WeightsSource, ...]
    calibration: Calibration

    @property
    def template(self) -> Array:
        """`alignment_template` as an array. Shape (5, 2), float32."""
        return np.array(self.alignment_template, dtype=np.float32)
