"""The plots of the siamese network: its loss, and the distances of held-out pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training.scratch.plots import LINE, NEGATIVE, POSITIVE, new_axes
from training.scratch.types import Float

_SMOOTHED = 50


def plot_losses(losses: list[float], path: Path) -> None:
    """Loss by iteration, and its running mean."""
    figure, axes = new_axes("Loss of each batch", "iteration", "loss")
    axes.plot(losses, color=NEGATIVE, alpha=0.35, linewidth=0.8, label="each batch")
    window = min(_SMOOTHED, len(losses))
    mean = np.convolve(losses, np.full(window, 1.0 / window), mode="valid")
    across = np.arange(window - 1, len(losses))
    axes.plot(across, mean, color=POSITIVE, label=f"mean of {window}")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper right")
    figure.savefig(path, format="png")


def plot_distances(d: Float, same: Float, threshold: float, path: Path) -> None:
    """How far apart held-out pairs of one person and of two people lie.

    Args:
        d: Distances. Shape (n,).
        same: 1 for pairs of one person, else 0. Shape (n,).
        threshold: Where they are told apart.
    """
    figure, axes = new_axes("Distances of held-out pairs", "distance", "pairs")
    edges = np.linspace(0.0, float(d.max()), 51)
    for label, colour, name in ((1, POSITIVE, "one person"), (0, NEGATIVE, "two people")):
        mine = d[same == label]
        axes.hist(mine, bins=list(edges), color=colour, alpha=0.6, label=f"{name} ({len(mine)})")
    axes.axvline(threshold, color=LINE, linestyle="--", label="threshold (of training pairs)")
    axes.legend(loc="best", framealpha=0.9)
    figure.savefig(path, format="png")
