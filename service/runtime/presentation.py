"""Passive liveness that the setting names, loaded and warm."""

from __future__ import annotations

from pathlib import Path

from model.presentation import read_presentation
from model.runtimes.presentation_runtime import OpenVinoPresentation
from service.runtime.load import Way


def load_presentation(folder: Path | None, way: Way) -> OpenVinoPresentation | None:
    """None where none is installed.

    Raises:
        ArtifactError: If the folder holds none, or anything in it was changed: what is
            asked for and cannot be had keeps the service from starting.
    """
    if folder is None:
        return None
    return OpenVinoPresentation(
        read_presentation(folder),
        threads=way.threads,
        several=way.several,
        networks=way.networks,
    )
