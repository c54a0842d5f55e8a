"""Find faces in an image: YuNet on OpenVINO, for training and service alike.

Source:
    Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine
    Intelligence Research 2023. Weights: OpenCV Zoo, MIT.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import openvino as ov

from model.artifact import check_file, sha256_of
from model.cells import STRIDES, Cells, boxes_and_points, cells_of
from model.runtimes.batches import Batches
from model.runtimes.compiled import CompiledNetworks, networks_otherwise
from model.runtimes.network import Network, Several
from model.runtimes.rounding import leave_unrounded, sums_integers
from model.types import Array, Image

LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")
"""Order of the landmark rows; right and left are the person's own."""

_CELL_PX = max(STRIDES)

Shape = tuple[int, int, int]  # of images: how many, height, width; -1 stands for any

_NMS_OVERLAP = 0.3
_SAME_FACE_OVERLAP = 0.6
_KEPT_BEFORE_NMS = 1000


@dataclass(frozen=True)
class Face:
    """One detected face, in pixels of the image it was found in.

    Attributes:
        x, y: Left and top edge of the box; may lie outside the image.
        width, height: Size of the box.
        landmarks: Points (x, y) in the order of `LANDMARKS`. Shape (5, 2).
        confidence: The detector's own number in [0, 1]; not a score.
    """

    x: float
    y: float
    width: float
    height: float
    landmarks: Array
    confidence: float

    @property
    def area(self) -> float:
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    def moved(self, scale: float, dx: float = 0.0, dy: float = 0.0) -> Face:
        """The same face in an image scaled by `scale`, then shifted by (dx, dy)."""
        return Face(
            x=self.x * scale + dx,
            y=self.y * scale + dy,
            width=self.width * scale,
            height=self.height * scale,
            landmarks=self.landmarks * np.float32(scale) + np.array([dx, dy], dtype=np.float32),
            confidence=self.confidence,
        )


class Detector:
    """YuNet. Safe to call from several threads.

    Args:
        path: The detector's file, a graph as `model.backbones.yunet` makes it.
        integers: Whether to compute in integers; None: if the CPU is made for it.
        networks: Compiles, or reads what was compiled before.
        threads, several, batches: As for `model.runtimes.network.Network`.
        most_batched: Pictures of one batch.
        min_confidence: Faces below it are not reported.
        max_side_px: Larger images are detected on a copy scaled to this.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 0,
        min_confidence: float = 0.7,
        max_side_px: int = 640,
        integers: bool | None = None,
        networks: CompiledNetworks | None = None,
        several: Several | None = None,
        batches: Batches | None = None,
        most_batched: int = 1,
    ) -> None:
        self._path = path
        self._digest = sha256_of(path)
        self._networks = networks or networks_otherwise()
        self._threads, self._several = threads, several
        self._integers = sums_integers() if integers is None else integers
        self._batches, self._most_batched = batches, most_batched
        self._of_any = self._compiled((1, -1, -1))
        self._by_shape: dict[Shape, Network] = {}
        self._compiling = threading.Lock()
        self._min_confidence = min_confidence
        self._max_side_px = max_side_px

    @property
    def farthest_px(self) -> int:
        """Longer side from which on an image shows `detect` no more."""
        return self._max_side_px * 2

    def detect(self, image: Image) -> list[Face]:
        """All faces of an image, the largest first: the near look's, or the far one's.

        Args:
            image: RGB. Shape (H, W, 3), uint8.

        Returns:
            Faces in pixels of `image`; empty when there is none.
        """
        return self.detect_near(image) or self.detect_far(image)

    def detect_near(self, image: Image) -> list[Face]:
        """Faces that an image scaled to `max_side_px` shows; if none, half that size.

        A face that fills the frame is larger than YuNet was trained on.
        """
        longest = max(image.shape[:2])
        near, nearer = (
            min(1.0, side / longest) for side in (self._max_side_px, self._max_side_px // 2)
        )
        return self._detect_at(image, near) or (
            self._detect_at(image, nearer) if nearer < near else []
        )

    def detect_far(self, image: Image) -> list[Face]:
        """Faces that an image scaled to `farthest_px` shows: small ones in a large picture.

        None in an image of which the near look saw every pixel.
        """
        longest = max(image.shape[:2])
        if longest <= self._max_side_px:
            return []
        return self._detect_at(image, min(1.0, self.farthest_px / longest))

    def look(self, images: Image) -> list[list[Face]]:
        """All faces that one look at each image shows, at the size it has; in no order.

        Each shape has a network of its own, compiled when it is first seen: for callers
        who look at one shape again and again.

        Args:
            images: RGB. Shape (N, H, W, 3), uint8; H and W multiples of 32.
        """
        self._prepare(images.shape[:3])
        return self._seen(images)

    def prepare(self, size: tuple[int, int]) -> None:
        """Makes `detect` quicker for images that it looks at in this size.

        A network of any size costs a third more each time, and ten milliseconds more
        whenever it is shown a size for the first time.

        Args:
            size: (height, width), not above `max_side_px`.
        """
        self._prepare((1, _whole_cells(size[0]), _whole_cells(size[1])))

    def _detect_at(self, image: Image, scale: float) -> list[Face]:
        """The largest first."""
        height, width = image.shape[:2]
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        canvas = _padded(image)
        (found,) = self._seen(canvas[None])
        if scale < 1:
            # The scaled copy has whole pixels; undo what was really done.
            found = [face.moved(width / image.shape[1]) for face in found]
        return sorted(found, key=lambda face: face.area, reverse=True)

    def _seen(self, images: Image) -> list[list[Face]]:
        """Faces of each image, by the network compiled for this shape, or the one for any."""
        count, height, width = images.shape[:3]

        def read(request: ov.InferRequest, first: int) -> list[Cells]:
            rows = range(first, first + count)
            return [cells_of(request, row, self._min_confidence) for row in rows]

        cells = self._by_shape.get((count, height, width), self._of_any).run(images, read)
        return [_faces(one, (height, width), self._min_confidence) for one in cells]

    def _prepare(self, shape: Shape) -> None:
        if shape in self._by_shape:
            return
        with self._compiling:
            if shape not in self._by_shape:
                self._by_shape[shape] = self._compiled(shape)

    def _compiled(self, shape: Shape) -> Network:
        def read(core: ov.Core) -> ov.Model:
            network = core.read_model(self._path)
            check_file(self._path, self._path.name, self._digest)
            if not self._integers:
                leave_unrounded(network)
            network.reshape([*shape, 3])
            return network

        about = (self._digest, str(self._integers), str(shape))
        return Network(
            self._networks,
            about,
            read,
            threads=self._threads,
            several=self._several,
            batches=self._batches,
            most=self._most_batched,
        )


def nearest_centre(faces: list[Face], size: tuple[int, int]) -> Face:
    """The face whose centre is nearest the middle of an image of (height, width)."""
    middle = (size[1] / 2, size[0] / 2)
    return min(faces, key=lambda face: math.dist(face.centre, middle))


def _padded(image: Image) -> Image:
    """The image on a black canvas of whole cells of the coarsest grid."""
    height, width = image.shape[:2]
    size = (_whole_cells(height), _whole_cells(width))
    if size == (height, width):
        return np.ascontiguousarray(image)
    canvas = np.zeros((*size, 3), dtype=np.uint8)
    canvas[:height, :width] = image
    return canvas


def _whole_cells(px: int) -> int:
    return -(-px // _CELL_PX) * _CELL_PX


def _faces(cells: Cells, size: tuple[int, int], min_confidence: float) -> list[Face]:
    """YuNet's cells of an image of (height, width) as faces, overlapping ones removed."""
    if not len(cells.numbers):
        return []
    boxes, points = boxes_and_points(cells, size)
    kept = cv2.dnn.NMSBoxes(
        boxes.tolist(),
        cells.confidence.tolist(),
        min_confidence,
        _NMS_OVERLAP,
        top_k=_KEPT_BEFORE_NMS,
    )
    return [
        Face(
            x=float(boxes[i, 0]),
            y=float(boxes[i, 1]),
            width=float(boxes[i, 2]),
            height=float(boxes[i, 3]),
            landmarks=_agreed(boxes, points, cells.confidence, i),
            confidence=float(cells.confidence[i]),
        )
        for i in np.asarray(kept, dtype=int).ravel()
    ]


def _agreed(boxes: Array, points: Array, confidence: Array, chosen: int) -> Array:
    """Landmarks in the mean of all cells that see the chosen cell's face. Shape (5, 2).

    Which of them is surest hangs on a last digit; their mean does not.
    """
    box = boxes[chosen]
    low = np.maximum(boxes[:, :2], box[:2])
    high = np.minimum(boxes[:, :2] + boxes[:, 2:], box[:2] + box[2:])
    common = np.maximum(high - low, 0).prod(axis=1)
    union = boxes[:, 2:].prod(axis=1) + box[2:].prod() - common
    weights = confidence * (common >= _SAME_FACE_OVERLAP * union)
    return np.asarray(np.tensordot(weights / weights.sum(), points, axes=1), dtype=np.float32)
