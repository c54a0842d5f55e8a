"""Where the five landmarks of an aligned face lie."""

from __future__ import annotations

import numpy as np

from model.types import Array

ARCFACE_112: Array = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float32,
)
"""(x, y) in pixels of a 112 x 112 chip, in the order of `model.faces.LANDMARKS`.

Source:
    The template that ArcFace and the networks after it, SFace too, were trained
    with (Deng et al., 2019).
"""
