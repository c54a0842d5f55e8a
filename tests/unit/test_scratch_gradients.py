"""Gradients of the NumPy network against finite differences and against TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from training.scratch.activations import sigmoid
from training.scratch.dropout import dropout_masks
from training.scratch.network import (
    back_propagation,
    forward_propagation,
    init_dl,
    layers,
    log_loss,
)
from training.scratch.types import Float, Parameters

ARCHITECTURES = [[3, 1], [2, 4, 1], [5, 7, 6, 1], [4, 3, 5, 3, 2]]
STEP, TOLERANCE = 1e-5, 1e-6


def case(
    dimensions: list[int], dropout: float
) -> tuple[Float, Float, Parameters, dict[str, Float]]:
    """Examples, parameters and masks; one draw of the masks, held fixed."""
    generator = np.random.default_rng(3)
    X = generator.standard_normal((dimensions[0], 8))
    y = generator.integers(0, 2, (dimensions[-1], 8)).astype(np.float64)
    return X, y, init_dl(dimensions), dropout_masks(dimensions, 8, dropout, generator)


def gradients_of(dimensions: list[int], dropout: float) -> Parameters:
    X, y, parameters, masks = case(dimensions, dropout)
    return back_propagation(y, forward_propagation(X, parameters, masks), parameters, 1 - dropout)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("dimensions", ARCHITECTURES, ids=str)
def test_every_gradient_is_the_finite_difference(dimensions: list[int], dropout: float) -> None:
    X, y, parameters, masks = case(dimensions, dropout)
    gradients = gradients_of(dimensions, dropout)
    assert len(gradients) == 2 * (len(dimensions) - 1)

    def loss() -> float:
        return log_loss(forward_propagation(X, parameters, masks)[f"A{layers(parameters)}"], y)

    for name, array in parameters.items():
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + STEP
            above = loss()
            array[place] = kept - STEP
            below = loss()
            array[place] = kept
            assert (above - below) / (2 * STEP) == pytest.approx(
                gradients[f"d{name}"][place], abs=TOLERANCE
            )


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("dimensions", ARCHITECTURES, ids=str)
def test_every_gradient_and_the_loss_are_tensorflows(dimensions: list[int], dropout: float) -> None:
    X, y, parameters, masks = case(dimensions, dropout)
    variables = {name: tf.Variable(array) for name, array in parameters.items()}
    with tf.GradientTape() as tape:
        A = tf.constant(X)
        for i in range(1, len(dimensions)):
            Z = tf.matmul(variables[f"W{i}"], A) + variables[f"b{i}"]
            A = tf.sigmoid(Z) * masks.get(f"D{i}", 1.0)
        # TensorFlow's own loss from the logits, so that nothing of ours is in it.
        each = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=Z)
        loss = tf.reduce_sum(each) / X.shape[1]
    theirs = tape.gradient(loss, variables)
    last = forward_propagation(X, parameters, masks)[f"A{layers(parameters)}"]
    assert log_loss(last, y) == pytest.approx(float(loss), abs=TOLERANCE)
    for name, gradient in gradients_of(dimensions, dropout).items():
        np.testing.assert_allclose(gradient, theirs[name[1:]].numpy(), atol=TOLERANCE, rtol=0)


def test_the_sigmoid_neither_overflows_nor_loses_digits() -> None:
    Z = np.array([-np.inf, -1e4, -745.0, -30.0, -1.0, 0.0, 1.0, 30.0, 1e4, np.inf])
    with np.errstate(all="raise", under="ignore"):
        A = sigmoid(Z)
    assert (A[0], A[1], A[5], A[8], A[9]) == (0.0, 0.0, 0.5, 1.0, 1.0)
    assert A[3] == pytest.approx(np.exp(-30.0), rel=1e-12)
    np.testing.assert_allclose(A + sigmoid(-Z), 1.0)


def test_the_loss_is_finite_where_the_network_is_wholly_wrong() -> None:
    assert log_loss(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])) == pytest.approx(
        34.54, abs=0.01
    )
    assert log_loss(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]])) == pytest.approx(0.0, abs=1e-12)


def test_dropout_keeps_the_mean_and_silences_its_share() -> None:
    masks = dropout_masks([5, 400, 300, 1], 100, 0.25, np.random.default_rng(1))
    assert set(masks) == {"D1", "D2"}
    assert masks["D1"].shape == (400, 100)
    assert set(np.unique(masks["D1"])) == {0.0, 1 / 0.75}
    assert masks["D1"].mean() == pytest.approx(1.0, abs=0.01)
    assert dropout_masks([5, 4, 1], 9, 0.0, np.random.default_rng(1)) == {}
    with pytest.raises(ValueError, match="expected a dropout from 0 to below 1, found 1"):
        dropout_masks([5, 4, 1], 9, 1.0, np.random.default_rng(1))
