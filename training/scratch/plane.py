"""A plane through feature space, on which a network's decision can be drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from training.scratch.types import Float


@dataclass(frozen=True)
class Plane:
    """The points origin + a * axes[0] + b * axes[1].

    Attributes:
        origin: Shape (input_size, 1).
        axes: Two directions of length 1 at right angles. Shape (2, input_size).
        names: What to write along the two axes of a plot.
        title: How the plane lies.
    """

    origin: Float
    axes: Float
    names: tuple[str, str]
    title: str

    def project(self, X: Float) -> Float:
        """Where on the plane the examples (input_size, m) fall. Shape (2, m)."""
        return np.asarray(self.axes @ (X - self.origin))

    def points(self, at: Float) -> Float:
        """The features (input_size, m) of places (2, m) on the plane."""
        return np.asarray(self.origin + self.axes.T @ at)


def plane_of(text: str, X: Float) -> Plane:
    """The plane that "pca" or two numbers of features such as "0,3" name.

    Raises:
        ValueError: If it is neither, or X has no such features.
    """
    size = X.shape[0]
    if size < 2:
        raise ValueError("expected at least two features to draw a boundary over, found one")
    mean = X.mean(axis=1, keepdims=True)
    if text == "pca":
        # The left singular vectors of the centred examples are the components.
        directions, spread, _ = np.linalg.svd(X - mean, full_matrices=True)
        share = np.zeros(size)
        share[: len(spread)] = spread**2 / max(float((spread**2).sum()), np.finfo(float).tiny)
        return Plane(
            mean,
            directions[:, :2].T,
            (
                f"principal component 1 ({share[0]:.0%} of variance)",
                f"principal component 2 ({share[1]:.0%})",
            ),
            "the trained network on the plane through the mean\nspanned by two components",
        )
    found = re.fullmatch(r"(\d{1,6}),(\d{1,6})", text, re.ASCII)
    if not found:
        raise ValueError(f"expected the plane pca or two features such as 0,1, found '{text[:40]}'")
    first, second = (int(number) for number in found.groups())
    if first == second or max(first, second) >= size:
        raise ValueError(f"expected two different features from 0 to {size - 1}, found {text}")
    # Zero along its own axes, so that the axes read as the features themselves.
    mean[[first, second]] = 0.0
    title = "two features, the others at their mean" if size > 2 else "its two features"
    return Plane(
        mean, np.eye(size)[[first, second]], (f"feature {first}", f"feature {second}"), title
    )
