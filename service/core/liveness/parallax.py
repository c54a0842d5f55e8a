"""How a head is turned, told so that a flat picture of one cannot pass for it.

A detector puts five landmarks where a face has them by experience, also on a picture that is
tilted. So the landmarks are found once, on a frame from the front, and from then on the pixels
beside them are followed (dense optical flow). The four corners, eyes and mouth, are seen by the
camera as a projective image of what they were; in their frame

    what lies in the plane of the four    stays where it was, however the picture is moved
    the nose, which stands before it      moves by its height * tan(angle)

That movement, in distances of the eyes, is what is measured here. A photograph that is shifted,
turned, zoomed or tilted moves it by nothing, one that is bent by little.

Measured (python -m bench.liveness poses; docs/decisions/0027-liveness.md), median and 5 % quantile
of 24 people: heads rendered from portraits with a nose of 25 mm, turned by 18 degrees to the side,
0.10 (0.061), raised or lowered by 16 degrees, 0.083 (0.050), by 22 degrees 0.117 (0.073); flat
photographs tilted by 50 degrees, also at twice the size, below 0.009 for 95 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from model.alignment import similarity
from model.templates import ARCFACE_112
from model.types import Array, Image

YAW_STEP: Final = 0.075
"""Of the nose to the side: a turn that counts, some 13 degrees."""
PITCH_STEP: Final = 0.06
"""Likewise up or down, some 11 degrees."""

_SIDE_PX: Final = 160
_EYES_PX: Final = 48.0
_CORNERS: Final = (0, 1, 3, 4)
_NOSE: Final = 2
_WINDOW_PX: Final = 0.11 * _EYES_PX
"""About a landmark, within which the flow is averaged (standard deviation)."""
_MIDDLE: Final = slice(_SIDE_PX // 4, -_SIDE_PX // 4)
MOST_UNLIKE: Final = 0.6
"""Above this the pixels were not found again, and nothing was measured."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bearing:
    """How a head is held, against how it was.

    Attributes:
        yaw: Of the nose, in distances of the eyes; above 0 to the person's own left.
        pitch: Likewise; above 0 upwards.
        scale: Size in the picture, as a multiple of what it was.
        squeezed: Width of the four corners over their height, as a multiple of what it was.
    """

    yaw: float
    pitch: float
    scale: float
    squeezed: float


class Anchor:
    """A face from the front, which later frames are measured against.

    Args:
        image: RGB. Shape (H, W, 3), uint8.
        landmarks: Of the face in it. Shape (5, 2).
        magnified: What its pixels are to be divided by for those of the whole picture.

    Raises:
        ValueError: If all landmarks are one point.
    """

    def __init__(self, image: Image, landmarks: Array, magnified: float) -> None:
        template = (ARCFACE_112 - ARCFACE_112[list(_CORNERS)].mean(axis=0)) * np.float32(
            _EYES_PX / np.linalg.norm(ARCFACE_112[1] - ARCFACE_112[0])
        ) + np.float32(_SIDE_PX / 2)
        matrix = similarity(landmarks, template).astype(np.float64)
        self._patch = _cut(image, matrix)
        self._points = _mapped(matrix, landmarks.astype(np.float64))
        self._windows = [_window(point) for point in self._points]
        self._eyes_px, self._down_px = _sides(landmarks.astype(np.float64) / magnified)
        # Not the same object for two threads at once, but an anchor is used by one.
        self._quick = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._exact = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def bearing(self, image: Image, landmarks: Array, magnified: float) -> Bearing | None:
        """How the face of another frame is held; None if it is not found again.

        Args:
            image, landmarks, magnified: As of the anchor.
        """
        corners = landmarks[list(_CORNERS)].astype(np.float64)
        # The first flow says where the corners are; the second starts from there.
        for flow_of in (self._quick, self._exact):
            matrix = _affine(corners, self._points[list(_CORNERS)])
            if matrix is None:
                return None
            patch = _cut(image, matrix)
            flow = flow_of.calc(self._patch, patch, np.empty(0, np.float32))
            moved = self._points + np.array(
                [np.tensordot(window, flow, axes=2) for window in self._windows]
            )
            corners = _mapped(_inverse(matrix), moved)[list(_CORNERS)]
        if self._unlike(patch, flow) > MOST_UNLIKE:
            return None
        nose = self._nose(moved)
        if nose is None:
            return None
        found = np.insert(corners, _NOSE, corners.mean(axis=0), axis=0)
        eyes_px, down_px = _sides(found / magnified)
        across, along = eyes_px / self._eyes_px, down_px / self._down_px
        if not (across > 0 and along > 0):
            return None
        return Bearing(
            yaw=float(nose[0]),
            pitch=float(-nose[1]),
            # Who turns is seen narrower, who nods lower: the other side tells the distance.
            scale=max(across, along),
            squeezed=across / along,
        )

    def _nose(self, moved: Floats) -> Floats | None:
        """Its movement in the projective frame of the four corners. Shape (2,)."""
        matrix = cv2.getPerspectiveTransform(
            moved[list(_CORNERS)].astype(np.float32),
            self._points[list(_CORNERS)].astype(np.float32),
        )
        x, y, w = matrix @ np.append(moved[_NOSE], 1.0)
        if not (np.isfinite(matrix).all() and abs(w) > 1e-6):
            return None
        moved_to = np.array([x, y]) / w
        return np.asarray((moved_to - self._points[_NOSE]) / _EYES_PX, np.float64)

    def _unlike(self, patch: Image, flow: NDArray[np.float32]) -> float:
        """Mean difference of the pixels that were followed, in standard deviations."""
        columns, rows = np.meshgrid(
            np.arange(_SIDE_PX, dtype=np.float32), np.arange(_SIDE_PX, dtype=np.float32)
        )
        back = cv2.remap(patch, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR)
        here, there = _normal(self._patch[_MIDDLE, _MIDDLE]), _normal(back[_MIDDLE, _MIDDLE])
        return float(np.abs(here - there).mean())


def _cut(image: Image, matrix: Floats) -> Image:
    """The face's place in an image, grey. Shape (160, 160), uint8."""
    # One step of interpolation from a large face would alias.
    factor = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if factor < 0.5:
        size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        shrunk = np.array([size[0] / image.shape[1], size[1] / image.shape[0]])
        matrix = np.column_stack([matrix[:, :2] / shrunk, matrix[:, 2]])
        image = np.asarray(small, np.uint8)
    cut = cv2.warpAffine(image, matrix, (_SIDE_PX, _SIDE_PX), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), np.uint8)


def _affine(source: Floats, target: Floats) -> Floats | None:
    """The least-squares affine map of points. Shape (2, 3); None if they are on a line."""
    found, _, rank, _ = np.linalg.lstsq(np.column_stack([source, np.ones(4)]), target)
    matrix = np.asarray(found.T, np.float64)
    if rank < 3 or abs(np.linalg.det(matrix[:, :2])) < 1e-6:
        return None
    return matrix


def _mapped(matrix: Floats, points: Floats) -> Floats:
    return points @ matrix[:, :2].T + matrix[:, 2]


def _inverse(matrix: Floats) -> Floats:
    turn = np.linalg.inv(matrix[:, :2])
    return np.column_stack([turn, -turn @ matrix[:, 2]])


def _window(point: Floats) -> Floats:
    """Weights about a point, of sum 1. Shape (160, 160)."""
    rows, columns = np.mgrid[:_SIDE_PX, :_SIDE_PX]
    away = (columns - point[0]) ** 2 + (rows - point[1]) ** 2
    weights = np.exp(-away / (2 * _WINDOW_PX**2))
    # A landmark far outside of the patch has none; then all count alike.
    total = weights.sum()
    return np.asarray(weights / total if total > 0 else np.full_like(weights, _SIDE_PX**-2.0))


def _sides(landmarks: Floats) -> tuple[float, float]:
    """From eye to eye, and from the eyes down to the mouth, in pixels."""
    across = landmarks[1] - landmarks[0]
    down = (landmarks[3] + landmarks[4] - landmarks[0] - landmarks[1]) / 2
    return float(np.linalg.norm(across)), float(np.linalg.norm(down))


def _normal(patch: Image) -> Floats:
    return np.asarray((patch - patch.mean()) / (patch.std() + 1.0), np.float64)
