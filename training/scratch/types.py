"""The array types of this folder: double precision, so that gradients can be checked to 1e-6."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
"""float64 of any shape; the docstring that uses it names the axes."""

Parameters = dict[str, Float]
"""W1, b1, W2, b2, ...: what a network learns, by the paper's names."""
