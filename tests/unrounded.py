"""The built artifacts in float32: as exact as networks that a user imports."""

from __future__ import annotations

from pathlib import Path

from model.artifact import Artifact
from training.build import build, read_calibration
from training.head import read_head
from training.options import ProfileName
from training.profiles import profile, unrounded


def build_unrounded(name: ProfileName, folder: Path) -> Artifact:
    """A profile's artifact without rounding and without the projection."""
    chosen = profile(name)
    return build(
        folder,
        unrounded(chosen),
        head=read_head(chosen.head_file),
        calibration=read_calibration(chosen.calibration_file),
    )
