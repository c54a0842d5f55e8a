"""What the texture of a picture sounds like: its spectrum in rings, and its tones.

A raster of dots, a screen's grid and the moire they make are peaks in the spectrum that skin
does not have; paper and glass change black, white and tint. docs/presentation.md has the
figures by which this was chosen over a network that sees the pixels.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from model.types import Array, Image

_PER_HALF: Final = 16
_RINGS: Final = 21
_BAND: Final = 0.02
"""Of frequencies that count as level or upright, in cycles a pixel: a grid's."""

_QUANTILES: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_LUMA: Final = np.array([0.299, 0.587, 0.114])
_FAINTEST: Final = 1e-6

FEATURES: Final = 3 * 3 * _RINGS + 3 * (2 + len(_QUANTILES))


class Spectrum:
    """Features of square crops of one size; safe to call from several threads.

    Args:
        side_px: Of the crops.
    """

    def __init__(self, side_px: int) -> None:
        frequency = np.fft.fftfreq(side_px)
        x, y = frequency[None, :], frequency[:, None]
        ring = np.minimum((np.hypot(x, y) * 2 * _PER_HALF).astype(int), _RINGS - 1).ravel()
        on_axis = ((np.abs(x) < _BAND) | (np.abs(y) < _BAND)).ravel()
        self._order = np.argsort(ring, kind="stable")
        self._starts = np.searchsorted(ring[self._order], np.arange(_RINGS))
        self._counts = np.bincount(ring, minlength=_RINGS)
        self._on_axis = np.flatnonzero(on_axis)
        self._axis_ring = ring[self._on_axis]
        self._axis_counts = np.bincount(self._axis_ring, minlength=_RINGS)
        self._window = np.outer(np.hanning(side_px), np.hanning(side_px))

    def features(self, crop: Image) -> Array:
        """Of one crop, (S, S, 3) uint8 RGB -> (FEATURES,).

        For brightness and two differences of colours: the mean, the peak and the axes'
        logarithmic power in each ring; then mean, deviation and quantiles of each colour.
        """
        pixels = crop.astype(np.float64) / 255
        red, green, blue = (pixels[..., channel] for channel in range(3))
        found = [self._rings(plane) for plane in (pixels @ _LUMA, red - green, blue - green)]
        flat = pixels.reshape(-1, 3)
        tones = [flat.mean(axis=0), flat.std(axis=0), *np.quantile(flat, _QUANTILES, axis=0)]
        return np.concatenate([*found, *tones]).astype(np.float32)

    def _rings(self, plane: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Array:
        spectrum = np.fft.fft2((plane - plane.mean()) * self._window)
        power = np.log(spectrum.real**2 + spectrum.imag**2 + _FAINTEST).ravel()
        ordered = power[self._order]
        mean = np.add.reduceat(ordered, self._starts) / self._counts
        peak = np.maximum.reduceat(ordered, self._starts) - mean
        on_axis = np.bincount(self._axis_ring, power[self._on_axis], minlength=_RINGS)
        some = np.maximum(self._axis_counts, 1)
        axes = np.where(self._axis_counts > 0, on_axis / some - mean, 0)
        return np.concatenate([mean, peak, axes]).astype(np.float32)
