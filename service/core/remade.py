"""A kept picture as chip and embedding, by whatever model.

The stored picture is the truth and the embedding is derived from it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.chip import chip_of, located
from model.faces import Detector, Face
from model.image import Limits, decode
from model.types import Array, Image
from service.core.ports import FaceModel, StoredImage

# What was accepted once is read again whatever the limits are now.
_NO_LIMITS = Limits(max_image_bytes=2**31, max_image_pixels=2**31, min_side_px=1)


def chip_of_kept(model: FaceModel, detector: Detector, kept: StoredImage) -> Image:
    """The chip that a model wants, cut by the landmarks that were kept.

    No face is looked for again: it is the one that was enrolled. Shape
    (*input_size, 3), uint8.

    Raises:
        ImageError: If the picture is damaged.
    """
    manifest = model.manifest
    image = decode(kept.data, _NO_LIMITS)
    face = located(detector, image, _face_at(kept.landmarks), manifest)
    return chip_of(image, face, manifest)


def embeddings_of(model: FaceModel, chips: Sequence[Image]) -> Array:
    """Embeddings of chips, in one call. Shape (N, D); (0, 0) of none."""
    return model.embed(np.stack(chips)) if chips else np.empty((0, 0), np.float32)


def _face_at(landmarks: Array) -> Face:
    """A face of which only the landmarks are kept."""
    (x, y), (right, bottom) = landmarks.min(axis=0), landmarks.max(axis=0)
    return Face(float(x), float(y), float(right - x), float(bottom - y), landmarks, 1.0)
