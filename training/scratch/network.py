"""The paper's deep neural network: dense layers, sigmoids, gradient descent.

    Z_i = W_i A_{i-1} + b_i      A_i = sigmoid(Z_i)      A_0 = X

Names and shapes are the paper's; an example is a column. Where its listing is
misprinted, the right form stands here with a comment that begins "Misprint".
"""

from __future__ import annotations

import numpy as np

from training.scratch.activations import sigmoid
from training.scratch.types import Float, Parameters

_SMALLEST = 1e-15


def init_dl(dimensions: list[int], seed: int = 1) -> Parameters:
    """W_i of shape (n_i, n_{i-1}) and b_i of shape (n_i, 1), standard normal.

    The legacy generator, which `np.random.seed(1)` of the paper seeds: a run of
    the paper's own listing starts from these very numbers.
    """
    generator = np.random.RandomState(seed)
    parameters: Parameters = {}
    for i in range(1, len(dimensions)):
        parameters[f"W{i}"] = generator.standard_normal((dimensions[i], dimensions[i - 1]))
        parameters[f"b{i}"] = generator.standard_normal((dimensions[i], 1))
    return parameters


def forward_propagation(
    X: Float, parameters: Parameters, masks: dict[str, Float] | None = None
) -> dict[str, Float]:
    """The activations A0 = X, A1, ..., AN; A_i has shape (n_i, m).

    Args:
        X: Features. Shape (input_size, m).
        masks: D_i of `dropout_masks` by which hidden A_i is multiplied.
    """
    activations = {"A0": X}
    for i in range(1, layers(parameters) + 1):
        Z = parameters[f"W{i}"] @ activations[f"A{i - 1}"] + parameters[f"b{i}"]
        # Misprint: the listing has 1 + (1 + exp(-Z)) for the sigmoid.
        A = sigmoid(Z)
        activations[f"A{i}"] = A * masks[f"D{i}"] if masks and f"D{i}" in masks else A
    return activations


def back_propagation(
    y: Float, activations: dict[str, Float], parameters: Parameters, keep: float = 1.0
) -> Parameters:
    """The gradients dW_i and db_i of `log_loss`, shaped as W_i and b_i.

    Misprint: the listing's caller hands parameters and activations over the
    other way round.

    Args:
        y: Labels, 0 or 1. Shape (output_size, m).
        keep: 1 - dropout, if the activations were made with masks.
    """
    m = y.shape[1]
    gradients: Parameters = {}
    N = layers(parameters)
    dZ = activations[f"A{N}"] - y
    for i in range(N, 0, -1):
        gradients[f"dW{i}"] = dZ @ activations[f"A{i - 1}"].T / m
        gradients[f"db{i}"] = dZ.sum(axis=1, keepdims=True) / m
        # Misprint: the listing asks `if i > 0`, and so goes on to a dZ of the input.
        if i > 1:
            A = activations[f"A{i - 1}"]
            # A = S * D, where D is 0 or 1 / keep, so the slope D * S * (1 - S) is
            # A * (1 - keep * A); without dropout that is the paper's A * (1 - A).
            dZ = parameters[f"W{i}"].T @ dZ * A * (1.0 - keep * A)
    return gradients


def log_loss(A: Float, y: Float) -> float:
    """-mean(y log A + (1 - y) log(1 - A)) over the examples.

    Misprint: the listing has log(1 - y) in the second term. Several outputs are
    added up, which is what `back_propagation` is the gradient of. A is kept
    1e-15 off 0 and 1, where the logarithm has no value.
    """
    A = np.clip(A, _SMALLEST, 1.0 - _SMALLEST)
    return float(-np.sum(y * np.log(A) + (1.0 - y) * np.log(1.0 - A)) / y.shape[1])


def update(parameters: Parameters, gradients: Parameters, learning_rate: float) -> Parameters:
    """One step of gradient descent: p - learning_rate * dp."""
    return {name: p - learning_rate * gradients[f"d{name}"] for name, p in parameters.items()}


def predict(X: Float, parameters: Parameters) -> Float:
    """1 where the last activation is at least 0.5, else 0. Shape (output_size, m)."""
    A = forward_propagation(X, parameters)[f"A{layers(parameters)}"]
    return (A >= 0.5).astype(np.float64)


def layers(parameters: Parameters) -> int:
    """N, the number of layers that have weights."""
    return len(parameters) // 2
