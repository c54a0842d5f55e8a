"""Which group a pair of pictures belongs to, by what is known of the two.

    groups    a pair is of a group when both pictures are
    numbers   "NAME difference": by |a - b|, in two halves; and
              "NAME, the lower": by min(a, b), in four quarters, unless the column has
              negative numbers: of a direction, such as yaw, the lower says nothing

Halves and quarters are of the genuine pairs; impostor pairs are sorted by the
same edges. A pair of which one picture's value is not known is in no group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from model.types import AnyArray
from training.attributes.table import AttributeTable
from training.evaluation.comparisons import MISSED_ROW, Comparisons

_HALVES, _QUARTERS = 2, 4


@dataclass(frozen=True)
class PairGroup:
    """Some pairs.

    Attributes:
        attribute: Such as "group", "yaw difference" or "eyes_px, the lower".
        group: The value, or the bin with its edges.
        pairs: Mask. Shape (P,).
    """

    attribute: str
    group: str
    pairs: NDArray[np.bool_]


def pair_groups(
    table: AttributeTable, keys: AnyArray, comparisons: Comparisons
) -> Iterator[PairGroup]:
    """The groups of each attribute, one at a time: a mask of all pairs is large.

    Args:
        keys: Identity or picture, as the table's rows are about, of each picture
            that was compared. Shape (N,).
    """
    for attribute in table.attributes:
        if attribute.groups is not None:
            names = [attribute.groups.get(str(key), "") for key in keys]
            yield from _same_value(attribute.name, np.array(names), comparisons)
        elif attribute.numbers is not None:
            numbers = [attribute.numbers.get(str(key), np.nan) for key in keys]
            yield from _by_number(attribute.name, np.array(numbers), comparisons)


def edges_of(values: AnyArray, bins: int) -> NDArray[np.float64]:
    """Upper edges of all bins but the last, by quantiles; fewer where values are the same.

    A value on an edge is in the lower bin.
    """
    shares = np.arange(1, bins) / bins
    edges = np.unique(np.quantile(values, shares, method="lower"))
    return np.asarray(edges[edges < values.max()], dtype=np.float64)


def _same_value(name: str, values: AnyArray, comparisons: Comparisons) -> Iterator[PairGroup]:
    for value in np.unique(values):
        if value:
            yield PairGroup(name, str(value), comparisons.pairs_within(values == value))


def _by_number(name: str, values: AnyArray, comparisons: Comparisons) -> Iterator[PairGroup]:
    one, other = _of_pairs(values, comparisons.rows)
    yield from _bins(f"{name} difference", np.abs(one - other), comparisons.same, _HALVES)
    if not (values < 0).any():
        yield from _bins(f"{name}, the lower", np.minimum(one, other), comparisons.same, _QUARTERS)


def _of_pairs(values: AnyArray, rows: NDArray[np.int32]) -> tuple[AnyArray, AnyArray]:
    """Values of both pictures of each pair; NaN where one is not known. Shapes (P,)."""
    padded = np.append(values, np.nan).astype(np.float32)
    assert MISSED_ROW == -1, "a missed picture is the last of the padded values"
    return padded[rows[:, 0]], padded[rows[:, 1]]


def _bins(name: str, values: AnyArray, same: AnyArray, bins: int) -> Iterator[PairGroup]:
    known = np.isfinite(values)
    genuine = values[known & same]
    if not len(genuine):
        return
    edges = edges_of(genuine, bins)
    number = np.searchsorted(edges, values, side="left")
    labels = _labels(edges)
    for place, label in enumerate(labels):
        yield PairGroup(name, label, known & (number == place))


def _labels(edges: AnyArray) -> list[str]:
    """Such as "up to 0.2", "0.2 .. 0.4", "above 0.4"; the upper edge belongs to the bin."""
    if not len(edges):
        return ["all"]
    shown = [f"{edge:.4g}" for edge in edges]
    middle = [f"{low} .. {high}" for low, high in pairwise(shown)]
    return [f"up to {shown[0]}", *middle, f"above {shown[-1]}"]
