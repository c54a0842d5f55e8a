"""The fused tower against its parts, computed one by one."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from model.alignment import align
from model.backbones import dlib_resnet, fused, sface
from model.faces import Detector
from model.templates import ARCFACE_112
from model.types import Array, Image
from model.zoo import DLIB, SFACE
from tests.faces import Faces
from tests.pictures import rgb
from training.dlib_file import read_dlib
from training.fetch import fetch
from training.onnx_files import read_tensors

NAMES = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")
TOLERANCE = 2e-5

# TensorFlow's own notices while a model is made.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def sface_tower() -> keras.Model:
    return sface.load_sface(read_tensors(fetch(SFACE)))


@pytest.fixture(scope="module")
def dlib_tower() -> keras.Model:
    return dlib_resnet.load_dlib_resnet(read_dlib(fetch(DLIB)))


@pytest.fixture(scope="module")
def projection() -> fused.Projection:
    """Any linear map; the fitted one is close to round, so a wrong use of it might not show."""
    generator = np.random.default_rng(2)
    return fused.Projection(
        generator.normal(size=(128, 128)).astype(np.float32),
        generator.normal(size=128).astype(np.float32),
    )


@pytest.fixture(scope="module")
def tower(
    sface_tower: keras.Model, dlib_tower: keras.Model, projection: fused.Projection
) -> keras.Model:
    return fused.build_fused(sface_tower, dlib_tower, projection)


@pytest.fixture(scope="module")
def chips(faces: Faces, detector: Detector) -> Image:
    images = [rgb(faces.read(name)) for name in NAMES]
    return np.stack(
        [
            align(image, detector.detect(image)[0].landmarks, fused.TEMPLATE, fused.CHIP_SIZE)
            for image in images
        ]
    )


@pytest.fixture(scope="module")
def halves(chips: Image, sface_tower: keras.Model, dlib_tower: keras.Model) -> tuple[Array, Array]:
    """Unit length sums over the windows and their mirror images, each by its own pass."""
    return (
        _both_ways(sface_tower, _small_window(chips)),
        _both_ways(dlib_tower, chips[:, 39:189, 12:162]),
    )


def test_the_window_is_the_chip_sampled_at_its_points(chips: Image) -> None:
    found = np.asarray(fused.SFaceWindow()(chips)).astype(int)
    expected = _small_window(chips).astype(int)
    assert found.shape == (len(chips), 112, 112, 3)
    # Where a value lies midway between two levels, rounding may go either way.
    assert np.abs(found - expected).max() <= 1
    assert np.mean(found == expected) > 0.999


def test_landmarks_lie_in_the_windows_where_the_networks_want_them() -> None:
    """The chip's template seen through either window is that of the network itself."""
    in_window = (fused.TEMPLATE - fused.TEMPLATE.mean(axis=0)) / fused.SCALE
    assert np.allclose(in_window + ARCFACE_112.mean(axis=0), ARCFACE_112, atol=1e-3)
    left, top = 12, 39
    in_dlibs = fused.TEMPLATE - np.array([left, top])
    assert np.allclose(in_dlibs.mean(axis=0), [74.5, 72.0], atol=1e-3)
    inside = (in_dlibs > 30) & (in_dlibs < 120)
    assert inside.all()


def test_sfaces_window_is_the_chip_cut_for_sface(
    faces: Faces, detector: Detector, sface_tower: keras.Model
) -> None:
    """One large chip does for both: what SFace sees of it embeds as its own chip does."""
    for name in NAMES:
        image = rgb(faces.read(name))
        marks = detector.detect(image)[0].landmarks
        own = align(image, marks, ARCFACE_112, sface.CHIP_SIZE)
        chip = align(image, marks, fused.TEMPLATE, fused.CHIP_SIZE)
        pair = np.stack([own, np.asarray(fused.SFaceWindow()(chip[None]))[0]])
        one, other = _unit(np.asarray(sface_tower.predict_on_batch(pair)))
        assert one @ other > 0.98, name


def test_the_tower_is_its_parts_put_together(
    chips: Image, tower: keras.Model, halves: tuple[Array, Array], projection: fused.Projection
) -> None:
    found = np.asarray(tower.predict_on_batch(chips))
    small, large = halves
    projected = _unit(small @ projection.matrix + projection.offset)
    weight = fused.DLIB_WEIGHT
    expected = np.concatenate([projected, np.sqrt(weight) * large], axis=1) / np.sqrt(1 + weight)
    assert found.shape == (len(chips), fused.EMBEDDING_SIZE) == (5, 256)
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-6
    assert np.abs(found - expected).max() < 10 * TOLERANCE
    # The squared distance is the weighted mean of the halves' own.
    far = np.sum((found[0] - found[3]) ** 2)
    parts = [np.sum((half[0] - half[3]) ** 2) for half in (projected, large)]
    assert far == pytest.approx((parts[0] + weight * parts[1]) / (1 + weight), abs=1e-3)


def test_without_a_projection_sfaces_half_is_as_it_is(
    chips: Image, sface_tower: keras.Model, dlib_tower: keras.Model, halves: tuple[Array, Array]
) -> None:
    tower = fused.build_fused(sface_tower, dlib_tower, None)
    found = np.asarray(tower.predict_on_batch(chips))[:, :128] * np.sqrt(1 + fused.DLIB_WEIGHT)
    assert np.abs(found - halves[0]).max() < 10 * TOLERANCE


def test_one_chip_gives_what_it_gives_among_five(chips: Image, tower: keras.Model) -> None:
    together = np.asarray(tower.predict_on_batch(chips))
    for row, chip in enumerate(chips):
        alone = np.asarray(tower.predict_on_batch(chip[None]))
        assert np.abs(alone[0] - together[row]).max() < TOLERANCE


def test_the_mirror_image_of_a_window_changes_nothing(chips: Image, tower: keras.Model) -> None:
    """dlib's window lies in the middle of the chip; SFace's is half a pixel from it."""
    both = np.asarray(tower.predict_on_batch(np.concatenate([chips, chips[:, :, ::-1]])))
    large = both[:, 128:]
    assert np.abs(large[:5] - large[5:]).max() < TOLERANCE


def test_it_is_saved_and_loaded_as_a_keras_file(
    tmp_path: Path, chips: Image, tower: keras.Model
) -> None:
    tower.save(tmp_path / "fused.keras")
    again = keras.models.load_model(tmp_path / "fused.keras")
    one, other = (np.asarray(model.predict_on_batch(chips)) for model in (tower, again))
    assert np.abs(one - other).max() < TOLERANCE


def _small_window(chips: Image) -> Image:
    """SFace's 112 x 112 points of the chips, each from the four pixels around it."""
    rows = (np.arange(112) - float(ARCFACE_112[:, 1].mean())) * 1.54 + 111.0
    columns = (np.arange(112) - float(ARCFACE_112[:, 0].mean())) * 1.54 + 86.5
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = (rows - top)[:, None, None], (columns - left)[None, :, None]
    pixels = chips.astype(np.float64)

    def at(row: int, column: int) -> np.ndarray:
        return pixels[:, (top + row)[:, None], (left + column)[None, :]]

    upper = at(0, 0) * (1 - right) + at(0, 1) * right
    lower = at(1, 0) * (1 - right) + at(1, 1) * right
    return np.asarray(np.round(upper * (1 - down) + lower * down), dtype=np.uint8)


def _both_ways(tower: keras.Model, window: Image) -> Array:
    one = np.asarray(tower.predict_on_batch(window))
    other = np.asarray(tower.predict_on_batch(np.ascontiguousarray(window[:, :, ::-1])))
    return _unit(one + other)


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
