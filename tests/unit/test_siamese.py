"""The siamese head by its formula."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from model.frame import tight_frame
from model.siamese import Siamese

D = 32
BIAS = 3.0


@pytest.fixture(scope="module")
def tower() -> keras.Model:
    """Not asked for anything: the head takes embeddings."""
    chips = keras.Input((2, 2, 3), dtype="uint8")
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1.0)(chips))
    return keras.Model(chips, keras.layers.Dense(D)(flat))


def test_every_direction_is_the_length(tower: keras.Model) -> None:
    weight = np.array([2.0], dtype=np.float32)
    siamese = Siamese(tower, "every direction", weight, BIAS)
    rows = np.random.default_rng(1).normal(size=(20, D)).astype(np.float32)
    found = np.asarray(siamese.score(rows[0], rows))
    apart = np.linalg.norm((rows[0] - rows).astype(np.float64), axis=1)
    expected = 1 / (1 + np.exp(2.0 * apart - BIAS))
    assert found.shape == (20,)
    assert np.abs(found - expected).max() < 1e-6
    assert found[0] == found.max() == pytest.approx(1 / (1 + np.exp(-BIAS)))


def test_a_frame_of_very_many_directions_comes_to_the_same(tower: keras.Model) -> None:
    """With the weight that belongs to the number of directions."""
    generator = np.random.default_rng(2)
    rows = generator.normal(size=(200, D)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    frame = tight_frame(D, bases=512)
    each = np.full(frame.shape[1], 2.0 / np.sqrt(2 / np.pi * frame.shape[1]), dtype=np.float32)
    wide = Siamese(tower, frame, each, BIAS)
    closed = Siamese(tower, "every direction", np.array([2.0], dtype=np.float32), BIAS)
    one, other = (np.asarray(head.score(rows[0], rows)) for head in (wide, closed))
    assert np.ptp(other) > 0.3
    assert np.abs(one - other).max() < 0.01
