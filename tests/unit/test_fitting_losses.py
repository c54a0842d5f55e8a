"""The losses against sums written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from model.types import Array
from training.fitting.losses import (
    ARCFACE_SCALE,
    arcface_loss,
    bce_loss,
    contrastive_loss,
    triplet_loss,
)


def unit_rows(count: int, size: int, seed: int) -> Array:
    rows = np.random.default_rng(seed).normal(size=(count, size))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(unit, dtype=np.float32)


def test_cross_entropy_is_minus_the_log_of_the_probability_given_to_the_truth() -> None:
    logits = np.array([-3.0, -0.5, 0.0, 2.0], dtype=np.float32)
    same = np.array([0, 1, 1, 1], dtype=np.float32)
    score = 1 / (1 + np.exp(-logits))
    expected = -np.log(np.where(same > 0, score, 1 - score))
    np.testing.assert_allclose(bce_loss(logits, same).numpy(), expected, rtol=1e-5)


def test_contrastive_loss_is_the_written_out_one() -> None:
    a, b = unit_rows(6, 5, 1), unit_rows(6, 5, 2)
    same = np.array([1, 0, 1, 0, 0, 1], dtype=np.float32)
    distance = np.linalg.norm(a - b, axis=1)
    expected = np.where(same > 0, distance**2, np.maximum(0, 1.2 - distance) ** 2)
    found = contrastive_loss(tf.constant(a), tf.constant(b), tf.constant(same), 1.2)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_contrastive_loss_has_a_slope_where_a_chip_meets_itself() -> None:
    a = tf.Variable(unit_rows(2, 4, 3))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(contrastive_loss(a, tf.identity(a), tf.constant([0.0, 0.0]), 1.0))
    assert np.isfinite(tape.gradient(loss, a).numpy()).all()


def test_triplet_loss_takes_the_hardest_of_each_kind() -> None:
    embeddings = unit_rows(9, 4, 4)
    who = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3])
    # The last but one only fills up the batch; 3 has no partner.
    real = np.array([True] * 7 + [False, True])
    expected = np.zeros(9)
    for a in range(9):
        if not real[a]:
            continue
        own = [
            float(np.linalg.norm(embeddings[a] - embeddings[p]))
            for p in range(9)
            if p != a and real[p] and who[p] == who[a]
        ]
        others = [
            float(np.linalg.norm(embeddings[a] - embeddings[n]))
            for n in range(9)
            if real[n] and who[n] != who[a]
        ]
        if own and others:
            expected[a] = max(0.0, 0.3 + max(own) - min(others))
    assert (expected > 0).sum() >= 3
    found = triplet_loss(tf.constant(embeddings), tf.constant(who), tf.constant(real), 0.3)
    np.testing.assert_allclose(found.numpy()[real], expected[real], atol=1e-4)


@pytest.mark.parametrize("margin", [0.0, 0.4])
def test_arcface_is_a_softmax_with_a_wider_own_angle(margin: float) -> None:
    embeddings, centres = unit_rows(5, 6, 5), unit_rows(4, 6, 6)
    own = np.array([0, 1, 2, 3, 1])
    angles = np.arccos(np.clip(embeddings @ centres.T, -1, 1))
    angles[np.arange(5), own] = np.minimum(np.pi, angles[np.arange(5), own] + margin)
    logits = ARCFACE_SCALE * np.cos(angles)
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(chance[np.arange(5), own])
    # Centres count by their direction only.
    found = arcface_loss(
        tf.constant(embeddings), tf.constant(3 * centres), tf.constant(own), margin
    )
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=1e-4)
