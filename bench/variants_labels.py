"""Which pictures of celeba300 the variants are judged on: those that are rightly named.

CelebA has wrongly named pictures, and each counts as a genuine pair that no model can
match. A picture is left out if it agrees with the others of its folder too little:

    agreement = cosine by SFace + 0.6 cosine by dlib's network, centred; the median
                over the folder's other pictures

An identity goes altogether if more than a quarter of its pictures agree little, and so
does one of two that are one person. The same pictures for every variant: a picture on which
both networks fail in all of its pairs is left out with the wrongly named, so the table's rates are
lower than true ones; which variant is better they still say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.variants_fits import unit
from model.types import AnyArray, Array

LEAST = 0.40
LITTLE = 0.60
_LITTLE_SHARE = 0.25
# 7393 shows the person of 7392.
TWICE = ("7393",)


def rightly_named(sface: Array, dlib: Array, identities: AnyArray) -> NDArray[np.bool_]:
    """Mask of the pictures to judge on.

    Args:
        sface, dlib: Raw embeddings. Shape (N, 128) each.

    Returns:
        Shape (N,).
    """
    ours, theirs = unit(sface), unit(dlib)
    theirs = unit(theirs - theirs.mean(axis=0))
    agreement = np.zeros(len(identities))
    dropped = list(TWICE)
    for name in np.unique(identities):
        rows = np.flatnonzero(identities == name)
        table = ours[rows] @ ours[rows].T + 0.6 * theirs[rows] @ theirs[rows].T
        np.fill_diagonal(table, np.nan)
        if len(rows) > 1:
            agreement[rows] = np.nanmedian(table, axis=1)
        if np.mean(agreement[rows] < LITTLE) > _LITTLE_SHARE:
            dropped.append(str(name))
    return (agreement >= LEAST) & ~np.isin(identities, dropped)
