"""The same person from the first frame to the last, by the model's own thresholds.

    held still              as strict as a verification is
    turned away, or moving  looser, since the score of such a face is lower

An embedding costs more than all the rest of a frame: one is made every `EVERY_S`, and where
something is decided.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from model.contract import Manifest
from model.types import Array
from service.core.core import Core
from service.core.liveness.ending import Ended

EVERY_S: Final = 0.2
STRICT_FMR: Final = 1e-4
_FRONT_FMR: Final = 1e-3
_TURNED_FMR: Final = 1e-2
_UNLIKE_FRAMES: Final = 2


def threshold(manifest: Manifest, fmr: float) -> float:
    """The score measured for a false match rate, or for the nearest that was measured."""
    calibration = manifest.calibration
    try:
        return calibration.at_fmr(fmr).threshold
    except ValueError:
        return calibration.points[-1].threshold


class Person:
    """Who the session began with.

    Args:
        core: By the model that embedded them.
        embeddings: Of frames from the front. Shape (N, D).
    """

    def __init__(self, core: Core, embeddings: Array) -> None:
        self._core = core
        mean = embeddings.mean(axis=0)
        self.embedding: Array = np.asarray(mean / np.linalg.norm(mean), np.float32)
        self._unlike = 0

    def see(self, embedding: Array, *, turned: bool) -> bool:
        """Whether it is surely the same person, as far as such a face can tell.

        Args:
            turned: Away from the camera, or moving.

        Raises:
            Ended: If two frames in a row are not alike.
        """
        score = float(self._core.model.score(embedding, self.embedding[None])[0])
        manifest = self._core.model.manifest
        alike = score > threshold(manifest, _TURNED_FMR if turned else _FRONT_FMR)
        self._unlike = 0 if alike else self._unlike + 1
        if self._unlike >= _UNLIKE_FRAMES:
            raise Ended("another_person")
        return alike if turned else score > threshold(manifest, STRICT_FMR)


def one_person(core: Core, embeddings: Array) -> bool:
    """Whether all embeddings (N, D), N >= 2, are alike by the strict threshold."""
    least = threshold(core.model.manifest, STRICT_FMR)
    return all(
        float(core.model.score(one, embeddings[number + 1 :]).min()) > least
        for number, one in enumerate(embeddings[:-1])
    )
