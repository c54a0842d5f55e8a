"""The artifact of passive liveness: what tells a face from a print or a screen, and how well.

    presentation/
      manifest.json      what it was trained and measured on, threshold, error rates, SHA-256
      saved_model/       signature `judge`: features of crops (N, 216) -> scores (N,)

Higher is more like an attack. Rates as in ISO/IEC 30107-3: APCER, the share of attacks of
the worst kind that pass; BPCER, the share of live people that are flagged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.artifact import (
    SAVED_MODEL_NAME,
    ArtifactError,
    check_file,
    read_manifest,
    write_folder,
)
from model.contract import Rate, RelativeName, Sha256
from model.faces import Face
from model.types import AnyArray, Image

SIDE_PX: Final = 128
_CONTEXT: Final = 1.6
"""Side of the square that is looked at, in longer sides of the face's box: edges of a sheet
or a screen are beside the face."""

SIGNATURE: Final = "judge"
_KIND: Final = "presentation"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Measured(_Frozen):
    """A rate with its 95 % interval, counted by person, and on how many frames."""

    rate: Rate
    interval: tuple[Rate, Rate]
    frames: Annotated[int, Field(ge=0)]


class PresentationManifest(_Frozen):
    """What an artifact of passive liveness promises.

    Attributes:
        trained_on: In words.
        measured_on: In words; said beside every flag.
        simulated: Whether the attacks were rendered and not photographed.
        threshold: Scores above it are flagged.
        apcer: By kind of attack.
        bpcer: Of live people.
        eer: Where both are equal, over all kinds.
        people: Trained on, chosen the threshold by, measured on.
    """

    kind: Literal["presentation"]
    version: Literal[1]
    made_on: str
    trained_on: Annotated[str, Field(min_length=1, max_length=400)]
    measured_on: Annotated[str, Field(min_length=1, max_length=400)]
    simulated: bool
    threshold: Rate
    apcer: dict[str, Measured]
    bpcer: Measured
    eer: Rate
    people: tuple[int, int, int]
    files: dict[RelativeName, Sha256]


@dataclass(frozen=True)
class PresentationArtifact:
    """A checked artifact on disk."""

    folder: Path
    manifest: PresentationManifest

    @property
    def saved_model(self) -> Path:
        return self.folder / "saved_model"


def context_crop(image: Image, face: Face) -> Image:
    """The face with what is around it; beyond the picture its edge is mirrored.

    Args:
        image: RGB. Shape (H, W, 3), uint8.
        face: In its pixels.

    Returns:
        Shape (SIDE_PX, SIDE_PX, 3), uint8, C-contiguous.
    """
    height, width = image.shape[:2]
    side = max(2.0, _CONTEXT * max(face.width, face.height))
    x, y = face.centre
    left, top = round(x - side / 2), round(y - side / 2)
    size = max(2, round(side))
    columns = _mirrored(np.arange(left, left + size), width)
    rows = _mirrored(np.arange(top, top + size), height)
    crop = image[np.ix_(rows, columns)]
    how = cv2.INTER_AREA if size > SIDE_PX else cv2.INTER_LINEAR
    return np.ascontiguousarray(cv2.resize(crop, (SIDE_PX, SIDE_PX), interpolation=how), np.uint8)


def write_presentation(
    folder: Path, fill: Callable[[Path], None], promise: Mapping[str, Any]
) -> PresentationArtifact:
    """Makes an artifact, replacing one that is there; all or nothing.

    Args:
        fill: Writes `saved_model` into the (temporary) folder it is given.
        promise: The manifest's fields without kind, version and files.
    """

    def manifest_of(files: Mapping[str, str]) -> PresentationManifest:
        return _parse({"kind": _KIND, "version": 1, **promise, "files": files})

    manifest = write_folder(folder, fill, manifest_of, read_presentation)
    return PresentationArtifact(folder, manifest)


def read_presentation(folder: Path) -> PresentationArtifact:
    """The artifact in `folder`, every byte checked.

    Raises:
        ArtifactError: If it is none, or anything in it was changed.
    """
    content = read_manifest(
        folder, "expected passive liveness", "make one with: python -m training presentation"
    )
    manifest = _parse(content)
    if f"saved_model/{SAVED_MODEL_NAME}" not in manifest.files:
        raise ArtifactError(f"expected '{SAVED_MODEL_NAME}' among the files, found it missing")
    for name, expected in manifest.files.items():
        check_file(folder / name, name, expected)
    return PresentationArtifact(folder, manifest)


def _parse(content: object) -> PresentationManifest:
    try:
        return PresentationManifest.model_validate_json(json.dumps(content))
    except ValidationError as error:
        said = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'it'}: {item['msg']}" for item in error.errors()
        )
        raise ArtifactError(f"the manifest of passive liveness is not valid: {said}") from error


def _mirrored(places: AnyArray, length: int) -> AnyArray:
    """Places outside of 0 .. length - 1, mirrored back into it, however far outside."""
    period = max(1, 2 * (length - 1))
    folded = np.abs(places) % period
    return np.asarray(np.minimum(folded, period - folded))
