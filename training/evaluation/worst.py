"""The pairs that a model is most wrong about, as pictures to look at."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from model.types import Image
from training.evaluation.comparisons import MISSED_ROW, Comparisons
from training.evaluation.corpus import Corpus

COUNT = 12
# One mislabelled picture would fill the page by itself.
_EACH_AT_MOST = 2
_SIDE_PX = 112
_LOOKED_AT = 5000


@dataclass(frozen=True)
class WorstPair:
    """Two pictures and their score.

    Attributes:
        names: Of the pictures.
        thumbnails: The chips that the model saw, as `data:` addresses.
    """

    score: float
    names: tuple[str, str]
    thumbnails: tuple[str, str]


def worst_false_matches(corpus: Corpus, comparisons: Comparisons) -> list[WorstPair]:
    """The impostor pairs that score highest, the worst first."""
    return _pairs(corpus, comparisons, ~comparisons.same, -1)


def worst_false_non_matches(corpus: Corpus, comparisons: Comparisons) -> list[WorstPair]:
    """The genuine pairs that score lowest, the worst first."""
    return _pairs(corpus, comparisons, comparisons.same, 1)


def _pairs(
    corpus: Corpus, comparisons: Comparisons, kind: NDArray[np.bool_], sign: int
) -> list[WorstPair]:
    places = np.flatnonzero(kind & (comparisons.rows != MISSED_ROW).all(axis=1))
    order = sign * comparisons.scores[places]
    if len(places) > _LOOKED_AT:
        nearest = np.argpartition(order, _LOOKED_AT)[:_LOOKED_AT]
        places, order = places[nearest], order[nearest]
    shown: dict[int, int] = {}
    chosen = []
    for place in places[np.argsort(order, kind="stable")]:
        rows = [int(row) for row in comparisons.rows[place]]
        if all(shown.get(row, 0) < _EACH_AT_MOST for row in rows):
            for row in rows:
                shown[row] = shown.get(row, 0) + 1
            chosen.append((float(comparisons.scores[place]), rows))
        if len(chosen) == COUNT:
            break
    names = corpus.embedded.names
    return [
        WorstPair(
            score=score,
            names=(names[one], names[other]),
            thumbnails=(_thumbnail(corpus, names[one]), _thumbnail(corpus, names[other])),
        )
        for score, (one, other) in chosen
    ]


def _thumbnail(corpus: Corpus, name: str) -> str:
    chip = corpus.chip_of(name)
    return "" if chip is None else jpeg_address(chip)


def jpeg_address(chip: Image) -> str:
    """A picture as a `data:` address, small enough to put many on a page."""
    picture = PillowImage.fromarray(chip)
    picture.thumbnail((_SIDE_PX, _SIDE_PX))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
