"""Frames of a head that moves, and of a photograph that is moved, from one portrait.

There are no films of people here. So a real portrait is given a depth (an ellipsoid for the
head, a bump for the nose) and seen by a camera with a lens: `Head` turns, nods and comes
nearer while the background stays where it is. `Photograph` is the same portrait printed flat,
or bent round an upright or a lying cylinder, and moved before the same camera.

    x right, y down, z towards the camera; unit: the distance of the eyes, 62 mm
    yaw    > 0   the person turns to their own left: the nose goes to the image's right
    pitch  > 0   the person looks up
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from model.faces import Detector
from model.types import Array, Image

WIDTH_PX, HEIGHT_PX = 640, 480
EYES_PX = 62.0
"""Distance of the eyes in a frame at scale 1: a face at arm's length of a webcam."""

_FOCAL_PX = 600.0
_MIDDLE = (WIDTH_PX / 2, HEIGHT_PX / 2)
# Where the eyes' middle lies above that, so that the face is in the middle.
_EYES_ABOVE_PX = 25.0
_HALF_WIDTH, _HALF_HEIGHT, _HALF_DEPTH = 1.25, 1.85, 1.3
# Tip of the nose before the plane of eyes and mouth: 25 mm with the ellipsoid's own share,
# less than anthropometric tables say (25 to 35 mm).
_NOSE_HEIGHT, _NOSE_WIDTH, _NOSE_LENGTH = 0.25, 0.17, 0.28
_STEPS = 6

Bend = Literal["flat", "upright", "lying"]


@dataclass(frozen=True)
class Stance:
    """How a head, or a photograph, is held.

    Attributes:
        yaw, pitch, roll: Degrees.
        scale: Size in the image; 1 at arm's length.
        right, down: Where to, in pixels.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    right: float = 0.0
    down: float = 0.0

    def towards(self, other: Stance, share: float) -> Stance:
        """On the way to another: 0 is here, 1 is there."""
        names = ("yaw", "pitch", "roll", "scale", "right", "down")
        return Stance(
            *((1 - share) * getattr(self, name) + share * getattr(other, name) for name in names)
        )


_ASKED = {
    "hold": Stance(),
    "turn_left": Stance(yaw=22),
    "turn_right": Stance(yaw=-22),
    "look_up": Stance(pitch=20),
    "look_down": Stance(pitch=-20),
    "come_closer": Stance(scale=1.36),
    "go_back": Stance(scale=0.73),
}


class Follower:
    """Does what is asked for: begins a moment later, and takes its time.

    Args:
        reaction_s: Until it begins.
        takes_s: On the way.
        strength: Of turns and nods; a photograph has to be tilted further than a head turns.
    """

    def __init__(
        self, *, reaction_s: float = 0.35, takes_s: float = 1.2, strength: float = 1.0
    ) -> None:
        self._reaction_s, self._takes_s, self._strength = reaction_s, takes_s, strength
        self._from = self._to = Stance()
        self._begin = 0.0

    def told(self, kind: str, at: float) -> None:
        """What is asked for from now on, such as "turn_left"."""
        self._from = self.stance(at)
        to = _ASKED[kind]
        self._to = replace(to, yaw=to.yaw * self._strength, pitch=to.pitch * self._strength)
        self._begin = at + self._reaction_s

    def stance(self, at: float) -> Stance:
        share = min(1.0, max(0.0, (at - self._begin) / self._takes_s))
        swaying = self._from.towards(self._to, share * share * (3 - 2 * share))
        # Nobody holds quite still.
        return replace(
            swaying,
            yaw=swaying.yaw + 0.8 * math.sin(2.1 * at),
            pitch=swaying.pitch + 0.6 * math.sin(1.7 * at + 1),
            right=swaying.right + 2 * math.sin(1.3 * at),
            down=swaying.down + 2 * math.sin(0.9 * at + 2),
        )


def portrait(data: bytes, detector: Detector) -> tuple[Image, Array]:
    """A picture brought to a frame's size with the eyes `EYES_PX` apart, and its landmarks.

    Args:
        data: Encoded picture with a face.

    Returns:
        BGR, (480, 640, 3) uint8, and (5, 2) in its pixels.
    """
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    rgb = np.asarray(picture[..., ::-1], dtype=np.uint8)
    found = detector.detect(rgb)[0].landmarks
    eyes = (found[0] + found[1]) / 2
    across = found[1] - found[0]
    # Of somebody half turned the eyes are near each other; eyes and mouth then tell the size.
    down = float(np.linalg.norm((found[3] + found[4]) / 2 - eyes))
    factor = EYES_PX / max(float(np.linalg.norm(across)), 0.9 * down)
    angle = math.degrees(math.atan2(across[1], across[0]))
    matrix = cv2.getRotationMatrix2D((float(eyes[0]), float(eyes[1])), angle, factor)
    matrix[:, 2] += np.array([_MIDDLE[0], _MIDDLE[1] - _EYES_ABOVE_PX]) - eyes
    flags = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    if factor < 0.7:
        # One step of interpolation from a large picture would alias.
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / factor)
    canvas = cv2.warpAffine(
        picture, matrix, (WIDTH_PX, HEIGHT_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(canvas, np.uint8), found @ matrix[:, :2].T + matrix[:, 2]


class Head:
    """A portrait with depth; `frame` shows it in any stance.

    Args:
        picture, landmarks: As of `portrait`.
        bend: Not a head but a photograph, bent round a cylinder.
        radius: Of the cylinder, in distances of the eyes.
    """

    def __init__(
        self, picture: Image, landmarks: Array, *, bend: Bend = "flat", radius: float = 1.5
    ) -> None:
        self._picture = picture
        middle = landmarks[[0, 1, 3, 4]].mean(axis=0)
        grid = np.stack(np.meshgrid(np.arange(WIDTH_PX), np.arange(HEIGHT_PX)), axis=-1).astype(
            np.float32
        )
        place = ((grid - middle) / EYES_PX).astype(np.float32)
        x, y = place[..., 0], place[..., 1]
        if bend == "flat":
            nose = (landmarks[2] - middle) / EYES_PX
            depth = _head_depth(x, y, (float(nose[0]), float(nose[1])))
            out = np.sqrt((x / (1.1 * _HALF_WIDTH)) ** 2 + (y / (1.1 * _HALF_HEIGHT)) ** 2)
            share = _falling(out, 1.0, 1.6)
        else:
            along = x if bend == "upright" else y
            inside = np.clip(along / radius, -1, 1)
            depth = (radius * np.sqrt(1 - inside**2) - radius + _HALF_DEPTH).astype(np.float32)
            share = _falling(np.abs(along) / radius, 0.9, 1.3)
        # Beyond this nothing moves.
        columns, rows = np.flatnonzero(share.any(axis=0)), np.flatnonzero(share.any(axis=1))
        self._part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        self._corner = np.array([columns[0], rows[0]], np.float32)
        self._grid, self._place = grid[self._part], place[self._part]
        self._depth, self._share = depth[self._part], share[self._part]

    def frame(self, stance: Stance) -> Image:
        """BGR, (480, 640, 3) uint8."""
        moved = self._moved(stance)
        source = self._grid - moved
        # The place that is seen here was moved to here: source + moved(source) = here.
        for _ in range(_STEPS):
            there = source - self._corner
            source = self._grid - cv2.remap(
                moved, there[..., 0], there[..., 1], cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )  # fmt: skip
        frame = self._picture.copy()
        frame[self._part] = cv2.remap(
            self._picture, source[..., 0], source[..., 1], cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return frame

    def _moved(self, stance: Stance) -> NDArray[np.float32]:
        """By how much each pixel of the part that moves is moved. (H, W, 2)."""
        yaw, pitch, roll = (math.radians(a) for a in (stance.yaw, stance.pitch, stance.roll))
        x, y, z = self._place[..., 0], self._place[..., 1], self._depth
        turned_x = x * math.cos(yaw) + z * math.sin(yaw)
        turned_z = z * math.cos(yaw) - x * math.sin(yaw)
        nodded_y = y * math.cos(pitch) - turned_z * math.sin(pitch)
        nodded_z = turned_z * math.cos(pitch) + y * math.sin(pitch)
        away = _FOCAL_PX / EYES_PX / stance.scale
        # The portrait was seen by a lens, too.
        factor = stance.scale * (away + _HALF_DEPTH - z) / (away + _HALF_DEPTH - nodded_z)
        to_x = turned_x * math.cos(roll) - nodded_y * math.sin(roll)
        to_y = turned_x * math.sin(roll) + nodded_y * math.cos(roll)
        moved = np.stack([to_x * factor - x, to_y * factor - y], axis=-1) * EYES_PX
        moved += np.array([stance.right, stance.down])
        return np.asarray(moved * self._share[..., None], np.float32)


class Photograph:
    """A portrait printed flat, held before a wall.

    Args:
        picture: As of `portrait`.
    """

    def __init__(self, picture: Image) -> None:
        self._picture = picture
        column = np.linspace(150, 90, WIDTH_PX, dtype=np.uint8)
        self._wall = np.repeat(np.tile(column, (HEIGHT_PX, 1))[..., None], 3, axis=2)
        self._edge = np.full((HEIGHT_PX, WIDTH_PX), 255, np.uint8)

    def frame(self, stance: Stance) -> Image:
        """BGR, (480, 640, 3) uint8; the print turns about its own middle."""
        right, down = float(WIDTH_PX), float(HEIGHT_PX)
        corners = np.array([[0, 0], [right, 0], [right, down], [0, down]], np.float32)
        seen = seen_of_print(corners, stance)
        matrix = cv2.getPerspectiveTransform(corners, seen)
        size = (WIDTH_PX, HEIGHT_PX)
        shown = cv2.warpPerspective(self._picture, matrix, size)
        edge = cv2.warpPerspective(self._edge, matrix, size)[..., None] > 127
        return np.where(edge, shown, self._wall).astype(np.uint8)


def seen_of_print(points: Array, stance: Stance) -> Array:
    """Where points of a flat print, (N, 2) in its pixels, are seen in a frame. (N, 2)."""
    middle = np.array(_MIDDLE)
    flat = np.column_stack([points - middle, np.zeros(len(points))])
    turned = flat @ _rotation(stance).T
    away = _FOCAL_PX / stance.scale
    seen = turned[:, :2] * (_FOCAL_PX / (away - turned[:, 2:]))
    return np.asarray(seen + middle + [stance.right, stance.down], np.float32)


def jpeg(frame: Image, quality: int = 85) -> bytes:
    """As a camera's frame goes out."""
    return cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _rotation(stance: Stance) -> NDArray[np.float64]:
    """Of points (x, y, z), as the head's."""
    yaw, pitch, roll = (math.radians(a) for a in (stance.yaw, stance.pitch, stance.roll))
    about_y = np.array(
        [[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]]
    )
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
    )
    about_z = np.array(
        [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
    )
    return np.asarray(about_z @ about_x @ about_y, np.float64)


def _head_depth(x: Array, y: Array, nose: tuple[float, float]) -> NDArray[np.float32]:
    """Before the axis that a head turns about. (480, 640)."""
    out = (x / _HALF_WIDTH) ** 2 + (y / _HALF_HEIGHT) ** 2
    skull = _HALF_DEPTH * np.sqrt(np.maximum(0, 1 - out))
    # A silhouette that ends at once would fold when it turns.
    skull = cv2.GaussianBlur(skull.astype(np.float32), (0, 0), 0.15 * EYES_PX)
    bump = ((x - nose[0]) / _NOSE_WIDTH) ** 2 + ((y - nose[1]) / _NOSE_LENGTH) ** 2
    return np.asarray(skull + _NOSE_HEIGHT * np.exp(-bump / 2), np.float32)


def _falling(value: Array, begin: float, end: float) -> NDArray[np.float32]:
    """1 up to `begin`, 0 from `end` on, and smooth between."""
    share = np.clip((end - value) / (end - begin), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
