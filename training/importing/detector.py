"""The detector of an artifact that is there, to go into the new one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from model.artifact import Artifact, read_artifact
from model.contract import WeightsSource
from model.zoo import YUNET, YUNET_SMALL
from training.build import DETECTOR_NAME, LICENCES, source

_KNOWN = {weights.sha256: weights for weights in (YUNET, YUNET_SMALL)}


@dataclass(frozen=True)
class BorrowedDetector:
    """A detector file with its origin.

    Attributes:
        origin: Where its numbers come from; its SHA-256 goes into the fingerprint.
        notice: Who made it.
    """

    artifact: Artifact
    origin: WeightsSource
    notice: str

    def copy_to(self, folder: Path) -> None:
        """The detector and its licence, into the folder of a new artifact."""
        shutil.copy(self.artifact.detector, folder / DETECTOR_NAME)
        licences = folder / "licences"
        if self.origin.sha256 in _KNOWN:
            licences.mkdir()
            shutil.copy(LICENCES / "yunet-MIT.txt", licences)
        elif (self.artifact.folder / "licences").is_dir():
            shutil.copytree(self.artifact.folder / "licences", licences)


def borrow_detector(folder: Path) -> BorrowedDetector:
    """The detector of the artifact in `folder`.

    Raises:
        ArtifactError: If there is no whole artifact.
    """
    artifact = read_artifact(folder)
    manifest = artifact.manifest
    for weights in manifest.weights:
        if weights.sha256 in _KNOWN:
            known = _KNOWN[weights.sha256]
            return BorrowedDetector(artifact, source(known), known.notice)
    origin = WeightsSource(
        file=manifest.detector,
        sha256=manifest.files[manifest.detector],
        source=f"the artifact {manifest.name} {manifest.version}",
        licence="as in licences/",
    )
    return BorrowedDetector(artifact, origin, f"Detector of {manifest.name} {manifest.version}.")
