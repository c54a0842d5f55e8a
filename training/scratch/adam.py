"""Adam: gradient descent whose steps are scaled by the gradients' own size."""

from __future__ import annotations

import numpy as np

from training.scratch.types import Parameters

_MEAN, _SQUARE, _TINY = 0.9, 0.999, 1e-7


class Adam:
    """The two running means that Adam keeps of each gradient.

        m = 0.9 m + 0.1 g      v = 0.999 v + 0.001 g^2
        p = p - rate * (m / (1 - 0.9^t)) / (sqrt(v / (1 - 0.999^t)) + 1e-7)

    Source:
        Kingma and Ba (2015), in the order of its algorithm 1; the last constant
        as in Keras.
    """

    def __init__(self) -> None:
        self._t = 0
        self._m: Parameters = {}
        self._v: Parameters = {}

    def update(self, parameters: Parameters, gradients: Parameters, rate: float) -> Parameters:
        """The parameters after one step; gradients are named "dW1" for "W1"."""
        self._t += 1
        moved: Parameters = {}
        for name, p in parameters.items():
            g = gradients[f"d{name}"]
            self._m[name] = _MEAN * self._m.get(name, 0.0) + (1.0 - _MEAN) * g
            self._v[name] = _SQUARE * self._v.get(name, 0.0) + (1.0 - _SQUARE) * g**2
            m = self._m[name] / (1.0 - _MEAN**self._t)
            v = self._v[name] / (1.0 - _SQUARE**self._t)
            moved[name] = p - rate * m / (np.sqrt(v) + _TINY)
        return moved
