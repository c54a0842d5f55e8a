"""Array types shared by the whole project."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
"""float32 of any shape; the docstring that uses it names the axes."""

Image = NDArray[np.uint8]
"""uint8 RGB, shape (H, W, 3), unless a docstring says otherwise."""

AnyArray = NDArray[Any]
