"""The loop that teaches the network, and what it writes down on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from rich.progress import track

from training.scratch.architecture import dnn_architecture
from training.scratch.dropout import dropout_masks
from training.scratch.network import (
    back_propagation,
    forward_propagation,
    init_dl,
    layers,
    log_loss,
    update,
)
from training.scratch.types import Float, Parameters

RECORD_EVERY = 10


@dataclass
class History:
    """Loss and accuracy before iteration 0, 10, 20, ... and after the last."""

    iterations: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)

    def record(self, i: int, X: Float, y: Float, parameters: Parameters) -> None:
        # Always without dropout: the curves show the network that would be used.
        A = forward_propagation(X, parameters)[f"A{layers(parameters)}"]
        self.iterations.append(i)
        self.losses.append(log_loss(A, y))
        self.accuracies.append(float(np.mean((A >= 0.5) == (y >= 0.5))))


def deep_neural_network(
    X: Float,
    y: Float,
    learning_rate: float = 0.001,
    n_iter: int = 1000,
    *,
    hidden: list[int] | None = None,
    dropout: float = 0.0,
    seed: int = 1,
    quiet: bool = False,
) -> tuple[Parameters, History]:
    """The learned parameters, and the loss and accuracy of every 10th iteration.

    Args:
        X, y: Features (input_size, m) and labels 0 or 1 (output_size, m).
        hidden: Neurons of each hidden layer; None asks for them.
        dropout: Share of hidden neurons silenced in each iteration.
        quiet: No progress bar.
    """
    dimensions = dnn_architecture(X, y, hidden)
    parameters, history = init_dl(dimensions, seed), History()
    generator = np.random.default_rng(seed)
    for i in track(range(n_iter), "learn", disable=quiet):
        if i % RECORD_EVERY == 0:
            history.record(i, X, y, parameters)
        masks = dropout_masks(dimensions, X.shape[1], dropout, generator)
        activations = forward_propagation(X, parameters, masks)
        gradients = back_propagation(y, activations, parameters, keep=1.0 - dropout)
        parameters = update(parameters, gradients, learning_rate)
    history.record(n_iter, X, y, parameters)
    return parameters, history
