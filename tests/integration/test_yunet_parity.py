"""The detector as architecture against the published file, run by onnxruntime."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest

from model.artifact import Artifact
from model.backbones.yunet import CONVOLUTIONS, PLACE_SIZE, load_yunet
from model.faces import Detector, Face
from model.types import Array, Image
from model.zoo import YUNET, YUNET_SMALL
from tests.faces import Faces
from tests.pictures import rgb
from training.fetch import fetch
from training.onnx_files import read_convolutions

NAMES = ("obama.jpg", "biden.jpg", "astronaut.png")
SIZES = ((480, 640), (320, 320), (64, 96))

# TensorFlow's own notices while a model is made.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def detector(artifact: Artifact) -> Detector:
    return Detector(artifact.detector)


@pytest.fixture(scope="module")
def unrounded_detector(artifact: Artifact) -> Detector:
    return Detector(artifact.detector, integers=False)


Published = Callable[[Image], tuple[Array, Array]]


@pytest.fixture(scope="module")
def published() -> Published:
    """Confidences and places of all cells, as the file's four heads give them."""

    def detect(image: Image) -> tuple[Array, Array]:
        network = onnx.load(fetch(YUNET))
        # The file says 640 x 640 everywhere, and computes any size.
        for axis, side in zip((2, 3), image.shape[:2], strict=True):
            network.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = side
        del network.graph.value_info[:]
        for output in network.graph.output:
            output.type.tensor_type.shape.dim[1].ClearField("dim_value")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(network.SerializeToString(), options)
        planes = image[None, :, :, ::-1].transpose(0, 3, 1, 2).astype(np.float32)
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(None, {"input": planes}), strict=True))
        classes, objects, boxes, points = (
            np.concatenate([found[f"{head}_{stride}"][0] for stride in (8, 16, 32)])
            for head in ("cls", "obj", "bbox", "kps")
        )
        confidence = np.sqrt(classes[:, 0] * objects[:, 0])
        return confidence, np.concatenate([boxes, points], axis=1)

    return detect


@pytest.mark.parametrize("size", SIZES)
def test_every_cell_is_that_of_the_published_network(
    size: tuple[int, int], faces: Faces, published: Published
) -> None:
    network = load_yunet(read_convolutions(fetch(YUNET)))
    for name in NAMES:
        image = np.asarray(cv2.resize(rgb(faces.read(name)), size[::-1]), np.uint8)
        confidence, places = published(image)
        found = network(image[None])
        assert found["places"].shape == (1, len(places), PLACE_SIZE)
        assert np.abs(np.asarray(found["places"][0]) - places).max() < 1e-4
        assert np.abs(np.asarray(found["confidence"][0]) - confidence).max() < 1e-3
        # A face is seen, so that a constant answer would not pass.
        assert size == (64, 96) or confidence.max() > 0.8


def test_in_8_bits_the_same_faces_are_found_in_the_same_places(
    faces: Faces, detector: Detector, unrounded_detector: Detector
) -> None:
    moved = []
    for name in NAMES:
        image = rgb(faces.read(name))
        for scale in (1.0, 0.5, 0.25):
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            (one,) = detector.detect(np.asarray(small, np.uint8))
            (other,) = unrounded_detector.detect(np.asarray(small, np.uint8))
            assert one.confidence == pytest.approx(other.confidence, abs=0.05)
            moved.append(distance_in_eyes(one, other))
    print(f"landmarks moved by at most {max(moved):.3f} of the eyes' distance")
    assert 0 < max(moved) < 0.03


def distance_in_eyes(one: Face, other: Face) -> float:
    apart = float(np.linalg.norm(other.landmarks[0] - other.landmarks[1]))
    return float(np.linalg.norm(one.landmarks - other.landmarks, axis=1).max()) / apart


def test_weights_that_are_not_yunets_are_refused() -> None:
    convolutions = read_convolutions(fetch(YUNET))
    with pytest.raises(ValueError, match=f"expected {CONVOLUTIONS} convolutions, found 52"):
        load_yunet(convolutions[:-1])


def test_the_small_file_is_the_same_network_nearly() -> None:
    for (one, _), (other, _) in zip(
        read_convolutions(fetch(YUNET)), read_convolutions(fetch(YUNET_SMALL)), strict=True
    ):
        assert one.shape == other.shape
        assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.99
