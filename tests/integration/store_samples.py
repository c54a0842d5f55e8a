"""References to enrol, made from a tag: the same tag, the same bytes, and no two alike."""

from __future__ import annotations

import hashlib

import numpy as np

from service.core.ports import NewReference

EMBEDDING_LENGTH = 128


def sample_bytes(tag: str, length: int) -> bytes:
    """Bytes that occur nowhere else by chance."""
    return hashlib.shake_256(tag.encode()).digest(length)


def new_reference(
    tag: str, *, image_bytes: int | None = 9000, filename: str | None = None
) -> NewReference:
    """A reference with a picture of `image_bytes`, or with none."""
    numbers = np.frombuffer(sample_bytes(f"embedding {tag}", EMBEDDING_LENGTH * 2), np.int16)
    embedding = numbers.astype(np.float32)
    landmarks = np.frombuffer(sample_bytes(f"landmarks {tag}", 20), np.uint16)
    landmarks_px = landmarks.astype(np.float32).reshape(5, 2)
    return NewReference(
        content_hash=hashlib.sha256(tag.encode()).hexdigest(),
        embedding=embedding / np.linalg.norm(embedding),
        fingerprint="model 1",
        image=None if image_bytes is None else sample_bytes(f"image {tag}", image_bytes),
        image_type=None if image_bytes is None else "image/jpeg",
        landmarks=landmarks_px * np.float32(1 / 16),
        quality=float(landmarks[0]) / 2**16,
        filename=filename,
    )
