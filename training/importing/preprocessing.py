"""What a network wants done to a picture before it sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import tensorflow as tf

from model.types import Array, Image

Channels = Literal["rgb", "bgr"]


@dataclass(frozen=True)
class Preprocessing:
    """(value - mean) * scale for each colour, values in 0..255.

    Attributes:
        mean, scale: One for each colour, in the order of `channels`.
        channels: Order of the colours that the network was trained with.
    """

    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    channels: Channels

    def __post_init__(self) -> None:
        if not np.isfinite([*self.mean, *self.scale]).all() or 0 in self.scale:
            raise ValueError(
                f"expected finite means and scales that are not 0, found {self.mean} and "
                f"{self.scale}"
            )

    def graph(self, chips: tf.Tensor) -> tf.Tensor:
        """Chips (N, H, W, 3) uint8 RGB -> what the network takes, float32."""
        pictures = tf.cast(chips, tf.float32)
        if self.channels == "bgr":
            pictures = tf.gather(pictures, [2, 1, 0], axis=-1)
        return (pictures - np.array(self.mean, np.float32)) * np.array(self.scale, np.float32)

    def numbers(self, chips: Image) -> Array:
        """As `graph`, in NumPy, to check it."""
        ordered = chips[..., ::-1] if self.channels == "bgr" else chips
        pictures = (ordered.astype(np.float64) - self.mean) * self.scale
        with np.errstate(over="ignore"):  # what is beyond float32 shows in the embeddings
            return pictures.astype(np.float32)


def per_colour(text: str, name: str) -> tuple[float, float, float]:
    """Three numbers out of "127.5" or "123.7,116.8,103.9".

    Raises:
        ValueError: If it is neither.
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) == 1:
        values *= 3
    if len(values) != 3:
        raise ValueError(f"expected one number or three in {name}, found '{text}'")
    return values[0], values[1], values[2]
