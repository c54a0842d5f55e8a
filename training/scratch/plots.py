"""The paper's three plots: loss, accuracy, decision boundary, as PNG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from training.scratch.learning import History
from training.scratch.network import forward_propagation, layers
from training.scratch.plane import Plane
from training.scratch.types import Float, Parameters

NEGATIVE, POSITIVE, LINE = "#4a6fa5", "#d1603d", "#333333"
_TINTS = LinearSegmentedColormap.from_list("tints", ["#b9cbe4", "#ffffff", "#f3c6b5"])
_GRID = 200


def plot_loss(history: History, path: Path) -> None:
    """Log loss by iteration."""
    figure, axes = new_axes("Log loss on the training examples", "iteration", "log loss")
    axes.plot(history.iterations, history.losses, color=NEGATIVE)
    axes.set_ylim(bottom=0)
    figure.savefig(path, format="png")


def plot_accuracy(history: History, path: Path) -> None:
    """Share of right predictions by iteration."""
    figure, axes = new_axes("Accuracy on the training examples", "iteration", "accuracy")
    axes.plot(history.iterations, history.accuracies, color=POSITIVE)
    axes.set_ylim(min(0.5, *history.accuracies) - 0.02, 1.02)
    figure.savefig(path, format="png")


def plot_boundary(
    X: Float,
    y: Float,
    parameters: Parameters,
    plane: Plane,
    *,
    names: tuple[str, str],
    path: Path,
) -> None:
    """Where on the plane the network says 1, and where the examples fall.

    Args:
        y: Labels; the first output is drawn. Shape (output_size, m).
        names: What labels 0 and 1 are called.
    """
    at = plane.project(X)
    low, high = at.min(axis=1), at.max(axis=1)
    margin = 0.08 * np.maximum(high - low, 1e-9)
    across = np.linspace(low[0] - margin[0], high[0] + margin[0], _GRID)
    up = np.linspace(low[1] - margin[1], high[1] + margin[1], _GRID)
    grid = np.stack([axis.ravel() for axis in np.meshgrid(across, up)])
    last = forward_propagation(plane.points(grid), parameters)[f"A{layers(parameters)}"]
    height = last[0].reshape(_GRID, _GRID)

    figure, axes = new_axes(f"Decision boundary: {plane.title}", *plane.names)
    filled = axes.contourf(across, up, height, levels=np.linspace(0, 1, 11), cmap=_TINTS)
    figure.colorbar(filled, ax=axes, label=f"output: {names[1]}")
    if height.min() < 0.5 < height.max():
        axes.contour(across, up, height, levels=[0.5], colors=LINE, linewidths=1.5)
    # The rarer kind last: it would vanish under the others.
    order = np.argsort([np.sum(y[0] == 0), np.sum(y[0] == 1)])[::-1]
    for label in order:
        mine = at[:, y[0] == label]
        colour = (NEGATIVE, POSITIVE)[label]
        axes.scatter(
            mine[0],
            mine[1],
            s=14,
            color=colour,
            edgecolors="white",
            linewidths=0.4,
            label=f"{names[label]} ({mine.shape[1]})",
        )
    axes.legend(loc="best", framealpha=0.9)
    figure.savefig(path, format="png")


def new_axes(title: str, across: str, up: str) -> tuple[Figure, Axes]:
    """A figure of one diagram in the style of this folder."""
    figure = Figure(figsize=(7, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=11)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.25)
    return figure, axes
