"""Passive liveness: whether a face looks like a print or a screen. A flag, no more.

It changes no verdict and stops nothing: what it is worth is what it was measured on, which
is said beside it. Off until an artifact is installed (docs/presentation.md).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from model.faces import Face
from model.presentation import PresentationManifest
from model.types import Image

_log = logging.getLogger("semblance")


class PresentationJudge(Protocol):
    """Looks at one face at a time; called from worker threads, several at once."""

    @property
    def manifest(self) -> PresentationManifest: ...

    def score(self, image: Image, face: Face) -> float:
        """In [0, 1]; higher is more like an attack.

        Args:
            image: RGB. Shape (H, W, 3), uint8.
            face: In its pixels; may reach outside.
        """
        ...


@dataclass(frozen=True)
class Presentation:
    """What it seems to be.

    Attributes:
        attack: Whether the score is above the threshold.
        score: In [0, 1]; higher is more like an attack.
        measured_on: In words.
    """

    attack: bool
    score: float
    measured_on: str


def judged(judge: PresentationJudge | None, image: Image, face: Face) -> Presentation | None:
    """The flag; None where none is installed, or if it fails: then the log says so."""
    if judge is None:
        return None
    try:
        score = judge.score(image, face)
    except Exception:
        # A flag must not keep anybody out, whatever is wrong with it.
        _log.warning("passive liveness failed on a face", exc_info=True)
        return None
    manifest = judge.manifest
    return Presentation(score > manifest.threshold, score, manifest.measured_on)
