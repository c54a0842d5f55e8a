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
from openvino.preprocess import ColorFormat, PrePostProcessor

from model.types import Array, Image

STRIDES = (8, 16, 32)
LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")
"""Order of the landmark rows; right and left are the person's own."""

_NMS_OVERLAP = 0.3
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
    """YuNet. Safe to call from several threads: each has its own request.

    Args:
        path: The detector's ONNX file.
        threads: CPU threads of one inference; 0 lets OpenVINO choose.
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
    ) -> None:
        self._path = path
        self._threads = threads
        self._model = _compile(path, threads, (-1, -1))
        self._close: dict[tuple[int, int], ov.CompiledModel] = {}
        self._compiling = threading.Lock()
        self._local = threading.local()
        self._min_confidence = min_confidence
        self._max_side_px = max_side_px

    @property
    def farthest_px(self) -> int:
        """Longer side from which on an image shows `detect` no more."""
        return self._max_side_px * 2

    def detect(self, image: Image) -> list[Face]:
        """All faces of an image, the largest first.

        Three looks at most: scaled to `max_side_px`; if that shows nothing,
        at half that size (a face that fills the frame is larger than YuNet was
        trained on), then at twice that size (small faces in a large picture).

        Args:
            image: RGB. Shape (H, W, 3), uint8.

        Returns:
            Faces in pixels of `image`; empty when there is none.
        """
        longest = max(image.shape[:2])
        tried: set[float] = set()
        for side in (self._max_side_px, self._max_side_px // 2, self.farthest_px):
            scale = min(1.0, side / longest)
            if scale in tried:
                continue
            tried.add(scale)
            faces = self._detect_at(image, scale)
            if faces:
                return sorted(faces, key=lambda face: face.area, reverse=True)
        return []

    def look(self, image: Image) -> list[Face]:
        """All faces that one look at an image shows, at the size it has; in no order.

        Each size is compiled by itself when it is first seen, since a network of any
        size pays for every change: for callers who look at one size again and again.

        Args:
            image: RGB. Shape (H, W, 3), uint8; H and W multiples of 32.
        """
        return self._infer(np.ascontiguousarray(image), image.shape[:2])

    def _detect_at(self, image: Image, scale: float) -> list[Face]:
        height, width = image.shape[:2]
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        canvas = _padded(image)
        found = self._infer(canvas, None)
        if scale < 1:
            # The scaled copy has whole pixels; undo what was really done.
            return [face.moved(width / image.shape[1]) for face in found]
        return found

    def _infer(self, canvas: Image, size: tuple[int, int] | None) -> list[Face]:
        """Faces by the network compiled for `size`, or by the one for any."""
        requests: dict[tuple[int, int] | None, ov.InferRequest]
        requests = self._local.__dict__.setdefault("requests", {})
        if size not in requests:
            requests[size] = self._network(size).create_infer_request()
        requests[size].infer({0: canvas[None]})
        return _decode(requests[size], canvas.shape[1], self._min_confidence)

    def _network(self, size: tuple[int, int] | None) -> ov.CompiledModel:
        if size is None:
            return self._model
        with self._compiling:
            if size not in self._close:
                self._close[size] = _compile(self._path, self._threads, size)
            return self._close[size]


def nearest_centre(faces: list[Face], size: tuple[int, int]) -> Face:
    """The face whose centre is nearest the middle of an image of (height, width)."""
    middle = (size[1] / 2, size[0] / 2)
    return min(faces, key=lambda face: math.dist(face.centre, middle))


def _compile(path: Path, threads: int, size: tuple[int, int]) -> ov.CompiledModel:
    """The network for images of (height, width); -1 stands for any."""
    core = ov.Core()
    model = core.read_model(path)
    model.reshape([1, 3, *size])
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(
        ov.Layout("NHWC")
    ).set_color_format(ColorFormat.RGB)
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).convert_color(ColorFormat.BGR)
    config = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": "1"}
    if threads:
        config["INFERENCE_NUM_THREADS"] = str(threads)
    return core.compile_model(steps.build(), "CPU", config)


def _padded(image: Image) -> Image:
    """The image on a black canvas whose sides are multiples of 32."""
    height, width = image.shape[:2]
    if height % 32 == 0 and width % 32 == 0:
        return np.ascontiguousarray(image)
    canvas = np.zeros((-(-height // 32) * 32, -(-width // 32) * 32, 3), dtype=np.uint8)
    canvas[:height, :width] = image
    return canvas


def _decode(request: ov.InferRequest, width: int, min_confidence: float) -> list[Face]:
    """YuNet's output grids as faces, overlapping ones removed."""
    boxes, points, confidences = [], [], []
    for stride in STRIDES:
        classes = request.get_tensor(f"cls_{stride}").data[0, :, 0]
        objects = request.get_tensor(f"obj_{stride}").data[0, :, 0]
        confidence = np.sqrt(np.clip(classes, 0, 1) * np.clip(objects, 0, 1))
        (cells,) = np.nonzero(confidence >= min_confidence)
        if not len(cells):
            continue
        rows, columns = np.divmod(cells, width // stride)
        grid = np.stack([columns, rows], axis=1).astype(np.float32)
        box = request.get_tensor(f"bbox_{stride}").data[0, cells]
        centre = (grid + box[:, :2]) * stride
        extent = np.exp(box[:, 2:]) * stride
        boxes.append(np.concatenate([centre - extent / 2, extent], axis=1))
        marks = request.get_tensor(f"kps_{stride}").data[0, cells].reshape(-1, 5, 2)
        points.append((marks + grid[:, None]) * stride)
        confidences.append(confidence[cells])
    if not boxes:
        return []
    all_boxes = np.concatenate(boxes)
    all_points = np.concatenate(points)
    all_confidences = np.concatenate(confidences)
    kept = cv2.dnn.NMSBoxes(
        all_boxes.tolist(),
        all_confidences.tolist(),
        min_confidence,
        _NMS_OVERLAP,
        top_k=_KEPT_BEFORE_NMS,
    )
    return [
        Face(
            x=float(all_boxes[i, 0]),
            y=float(all_boxes[i, 1]),
            width=float(all_boxes[i, 2]),
            height=float(all_boxes[i, 3]),
            landmarks=all_points[i].astype(np.float32),
            confidence=float(all_confidences[i]),
        )
        for i in np.asarray(kept, dtype=int).ravel()
    ]
