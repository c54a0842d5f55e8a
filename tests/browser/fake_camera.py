"""A film for Chromium's fake camera, made from photographs.

Chromium plays a .y4m file in a loop in place of a camera
(`--use-file-for-fake-video-capture`). Each photograph is shown for a while,
gliding and zooming a little, so that no two frames are the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH_PX, HEIGHT_PX, FPS = 640, 480, 10
FRAMES_PER_SHOT = 20

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Shot:
    """A photograph and where its face is.

    Attributes:
        centre: (x, y) of the face, in pixels of the photograph.
        face_px: Height of the face; it fills about a third of the frame.
    """

    photograph: Path
    centre: tuple[float, float]
    face_px: float


def write_film(path: Path, shots: Sequence[Shot]) -> Path:
    """Writes the shots one after the other, and answers the path."""
    header = f"YUV4MPEG2 W{WIDTH_PX} H{HEIGHT_PX} F{FPS}:1 Ip A1:1 C420jpeg\n"
    with path.open("wb") as file:
        file.write(header.encode())
        for shot in shots:
            for frame in frames_of(shot):
                file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


def empty_film(path: Path) -> Path:
    """A film without a face: a grey wall with a moving light."""
    wall = np.linspace(90, 160, WIDTH_PX, dtype=np.uint8)
    header = f"YUV4MPEG2 W{WIDTH_PX} H{HEIGHT_PX} F{FPS}:1 Ip A1:1 C420jpeg\n"
    with path.open("wb") as file:
        file.write(header.encode())
        for index in range(FPS):
            grey = np.broadcast_to(np.roll(wall, index * 8), (HEIGHT_PX, WIDTH_PX))
            frame = np.repeat(grey[:, :, None], 3, axis=2)
            file.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


def frames_of(shot: Shot) -> Iterator[Frame]:
    """Its frames, once round. BGR, (480, 640, 3)."""
    photograph = cv2.imread(str(shot.photograph))
    if photograph is None:
        raise FileNotFoundError(shot.photograph)
    # Beside a narrow photograph there is a blur of it, in which no face is found.
    tiny = cv2.resize(photograph, (4, 3), interpolation=cv2.INTER_AREA)
    room = cv2.resize(tiny, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC)
    for index in range(FRAMES_PER_SHOT):
        turn = 2 * math.pi * index / FRAMES_PER_SHOT
        scale = HEIGHT_PX / 2.6 / shot.face_px * (1 + 0.12 * math.sin(turn))
        x = WIDTH_PX / 2 + 40 * math.cos(turn) - shot.centre[0] * scale
        y = HEIGHT_PX / 2 + 15 * math.sin(2 * turn) - shot.centre[1] * scale
        matrix = np.array([[scale, 0, x], [0, scale, y]], dtype=np.float32)
        shown = cv2.warpAffine(
            photograph,
            matrix,
            (WIDTH_PX, HEIGHT_PX),
            dst=room.copy(),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        yield np.asarray(shown, dtype=np.uint8)
