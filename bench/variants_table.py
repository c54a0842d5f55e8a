"""The variants: which crops of a face each network sees, and how the scores are made."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.variants_features import Crop
from bench.variants_fits import (
    Fit,
    centred,
    cosines,
    distances,
    normalised,
    plda,
    projected,
)
from bench.variants_networks import DLIB_IN_CHIP, SFACE_ALONE, SFACE_IN_CHIP

FIRST = (Crop(SFACE_ALONE, "first", interpolation="linear"),)
ALONE = (Crop(SFACE_ALONE),)
SFACE = (Crop(SFACE_IN_CHIP),)
SFACE_BOTH = (*SFACE, Crop(SFACE_IN_CHIP, mirrored=True))
DLIB_FIRST = (Crop(DLIB_IN_CHIP, "first"),)
DLIB = (Crop(DLIB_IN_CHIP),)
DLIB_BOTH = (*DLIB, Crop(DLIB_IN_CHIP, mirrored=True))
BOTH = (SFACE_BOTH, DLIB_BOTH)
BOTH_LINEAR = tuple(tuple(replace(crop, interpolation="linear") for crop in half) for half in BOTH)


@dataclass(frozen=True)
class Variant:
    """A row of the table.

    Attributes:
        halves: Of each network, crops whose embeddings are added up.
    """

    name: str
    halves: tuple[tuple[Crop, ...], ...]
    fit: Fit

    @property
    def crops(self) -> list[Crop]:
        return [crop for half in self.halves for crop in half]


def _scaled(network: str, scale: float) -> Crop:
    return Crop(network, scale=scale)


ONE = cosines(1)
VARIANTS: tuple[Variant, ...] = (
    Variant("SFace, first look (profile fast)", (FIRST,), ONE),
    Variant("SFace, second look", (ALONE,), ONE),
    Variant("SFace, second look, window in the chip", (SFACE,), ONE),
    Variant("SFace, mirrored", (SFACE_BOTH,), ONE),
    Variant("SFace, mirrored, projected 0.6", (SFACE_BOTH,), projected((1,), 0.6)),
    Variant("dlib, first look", (DLIB_FIRST,), ONE),
    Variant("dlib, second look", (DLIB,), ONE),
    Variant("dlib, mirrored", (DLIB_BOTH,), ONE),
    *(Variant(f"sum of cosines 1 : {w}", (SFACE, DLIB), cosines(1, w)) for w in (1, 2, 3, 4, 6)),
    *(Variant(f"both mirrored, 1 : {w}", BOTH, cosines(1, w)) for w in (2, 3, 4)),
    Variant("mirrored, centred, 1 : 0.5", BOTH, centred(1, 0.5)),
    *(
        Variant(f"mirrored, projected {shrink}, 1 : 4", BOTH, projected((1, 4), shrink, None))
        for shrink in (0.3, 0.6, 0.8)
    ),
    *(
        Variant(f"mirrored, projected 0.6, 1 : {w}", BOTH, projected((1, w), 0.6, None))
        for w in (2, 3, 5, 6)
    ),
    Variant("projected 0.6, 1 : 4, not mirrored", (SFACE, DLIB), projected((1, 4), 0.6, None)),
    Variant(
        "projected 0.6, 1 : 4, dlib alone mirrored",
        (SFACE, DLIB_BOTH),
        projected((1, 4), 0.6, None),
    ),
    Variant(
        "mirrored, projected 0.6, 1 : 4, cut linearly", BOTH_LINEAR, projected((1, 4), 0.6, None)
    ),
    *(
        Variant(
            f"mirrored, projected 0.6, 1 : 4, halves by their norms ^ {power}",
            BOTH,
            projected((1, 4), 0.6, None, power=power),
        )
        for power in (0.5, 1, 2)
    ),
    *(
        Variant(f"mirrored, both projected (dlib {shrink})", BOTH, projected((1, 1), 0.6, shrink))
        for shrink in (0.9, 0.97)
    ),
    *(
        Variant(f"mirrored, sum of distances 1 : {w}", BOTH, distances((1, w), 0.6, None))
        for w in (1, 1.5, 2)
    ),
    *(
        Variant(
            f"mirrored, SFace also at scale {scale}",
            ((*SFACE_BOTH, _scaled(SFACE_IN_CHIP, scale)), DLIB_BOTH),
            projected((1, 4), 0.6, None),
        )
        for scale in (1.08, 0.93)
    ),
    *(
        Variant(
            f"mirrored, dlib also at scale {scale}",
            (SFACE_BOTH, (*DLIB_BOTH, _scaled(DLIB_IN_CHIP, scale))),
            projected((1, 4), 0.6, None),
        )
        for scale in (1.05, 0.95)
    ),
    *(
        Variant(
            f"mirrored, normalised by {nearest or 'all'} of a cohort",
            BOTH,
            normalised((1, 4), nearest, 0.6, None),
        )
        for nearest in (None, 60, 20)
    ),
    *(Variant(f"mirrored, PLDA, shrink {s}", BOTH, plda((1, 1), s)) for s in (0.3, 0.6)),
)
