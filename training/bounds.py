"""Measure on faces what the 8-bit towers round by.

For SFace first how large each channel of each layer's input grows; the channels are
evened out by that (model.backbones.sface_folded). Then, for both networks, how far the
inputs reach: a layer's bounds hold all of nine pictures in ten whole, and cut off the
farthest values of the tenth, since wider bounds would make every step coarser.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from model.types import Array, Image
from training.half_floats import as_numbers, as_text

WHOLE = 0.9
"""Share of the pictures whose greatest value lies within the upper bound; lower likewise."""

_BATCH = 8


@dataclass(frozen=True)
class Measured:
    """What a tower is rounded by, and where it comes from.

    Attributes:
        bounds: Least and greatest input by the layer's name.
        sizes: Largest magnitude of each input channel by the layer's name; empty for a
            network whose channels are not evened out.
        provenance: Data and rule, in words and figures.
    """

    bounds: dict[str, tuple[float, float]]
    sizes: dict[str, Array] = field(default_factory=dict)
    provenance: dict[str, str | int | float] = field(default_factory=dict)


def measure_sizes(tower: keras.Model, layers: Sequence[str], chips: Image) -> dict[str, Array]:
    """Largest magnitude of each channel of the layers' inputs, over all chips.

    Args:
        tower: In float32.
        chips: As the tower takes them. Shape (N, H, W, 3), uint8.

    Returns:
        Shape (C,) for each layer; of a dense layer, of the channels that were flattened.
    """
    found: dict[str, Array] = {}
    for inputs in _inputs(tower, layers, chips):
        for name, x in inputs.items():
            size = np.abs(x).max(axis=tuple(range(x.ndim - 1)))
            found[name] = np.maximum(found.get(name, size), size)
    return found


def measure_bounds(
    tower: keras.Model, layers: Sequence[str], chips: Image
) -> dict[str, tuple[float, float]]:
    """Bounds of the layers' inputs.

    Args:
        tower, chips: As for `measure_sizes`; the channels evened out already.
    """
    low: dict[str, list[float]] = {name: [] for name in layers}
    high: dict[str, list[float]] = {name: [] for name in layers}
    for inputs in _inputs(tower, layers, chips):
        for name, x in inputs.items():
            within = tuple(range(1, x.ndim))
            low[name] += x.min(axis=within).tolist()
            high[name] += x.max(axis=within).tolist()
    return {
        name: (
            _short(min(0.0, float(np.quantile(low[name], 1 - WHOLE)))),
            _short(max(0.0, float(np.quantile(high[name], WHOLE)))),
        )
        for name in layers
    }


def write_bounds(path: Path, measured: Measured) -> None:
    content = {
        "bounds": measured.bounds,
        "sizes": {name: as_text(size) for name, size in measured.sizes.items()},
        "form_of_sizes": "float16, little-endian, base64",
        "provenance": measured.provenance,
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_bounds(path: Path) -> Measured:
    """What is stored in a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return Measured(
        {name: (low, high) for name, (low, high) in content["bounds"].items()},
        {name: as_numbers(text) for name, text in content["sizes"].items()},
        content["provenance"],
    )


def _inputs(tower: keras.Model, layers: Sequence[str], chips: Image) -> Iterator[dict[str, Array]]:
    """The layers' inputs, channels last, batch by batch."""
    wanted = {name: _unflattened(tower.get_layer(name).input) for name in layers}
    watched = tf.function(keras.Model(tower.input, wanted))
    for start in range(0, len(chips), _BATCH):
        found = watched(tf.constant(chips[start : start + _BATCH]))
        yield {name: x.numpy() for name, x in found.items()}


def _unflattened(x: keras.KerasTensor) -> keras.KerasTensor:
    """What a flattening took: its channels are still to be told apart."""
    maker = x._keras_history.operation
    return maker.input if isinstance(maker, keras.layers.Flatten) else x


def _short(bound: float) -> float:
    return float(f"{bound:.4g}")
