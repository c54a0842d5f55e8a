"""A large picture shows the same face whether it is decoded whole or as far as needed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as PillowImage

from model.artifact import Artifact
from model.chip import chip_of, located
from model.faces import Detector, Face
from model.image import Limits, Picture
from model.quality import measure, quality_chip
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.sight import faces_of, first_view, sight_of
from model.types import Array
from tests.faces import Faces
from tests.pictures import encoded, exif, rgb, side_by_side, with_orientation, without_face

LIMITS = Limits()


@pytest.fixture(scope="module")
def large(faces: Faces) -> bytes:
    """A portrait as a camera makes it: 2400 x 3000, with grain."""
    picture = PillowImage.fromarray(rgb(faces.read("obama.jpg")))
    pixels = np.asarray(picture.resize((2400, 3000), PillowImage.Resampling.LANCZOS))
    grain = np.random.default_rng(0).normal(0, 4, (3000, 2400, 1))
    return encoded(np.clip(pixels + grain, 0, 255).astype(np.uint8), "JPEG", quality=90)


@pytest.fixture(params=["fused", "sface"])
def model(request: pytest.FixtureRequest, artifact: Artifact, sface_artifact: Artifact) -> Artifact:
    return artifact if request.param == "fused" else sface_artifact


def whole(data: bytes) -> Picture:
    picture = Picture(data, LIMITS)
    picture.view(1)
    return picture


def embedding(picture: Picture, face: Face, detector: Detector, model: Artifact) -> Array:
    sight = sight_of(picture, face, model.manifest)
    seen = located(detector, sight.image, sight.face, model.manifest)
    chip = chip_of(sight.image, seen, model.manifest)
    return np.asarray(OpenVinoRuntime(model).embed(chip[None])[0])


def test_the_same_face_where_it_is_in_the_whole(large: bytes, detector: Detector) -> None:
    picture = Picture(large, LIMITS)
    (face,), (expected,) = faces_of(picture, detector), faces_of(whole(large), detector)
    assert picture.view(8).denominator == 2
    eyes = float(np.linalg.norm(expected.landmarks[1] - expected.landmarks[0]))
    assert np.abs(face.landmarks - expected.landmarks).max() < 0.03 * eyes
    assert face.width == pytest.approx(expected.width, rel=0.02)
    assert face.confidence == pytest.approx(expected.confidence, abs=0.02)


def test_the_same_embedding(large: bytes, detector: Detector, model: Artifact) -> None:
    picture = Picture(large, LIMITS)
    rows = []
    for one in (picture, whole(large)):
        (face,) = faces_of(one, detector)
        rows.append(embedding(one, face, detector, model))
    assert picture.view(8).denominator == 2  # and the whole was not needed:
    assert picture.view(1.5).denominator == 1
    assert float(rows[0] @ rows[1]) > 0.99


def test_the_same_chip_for_landmarks_given(large: bytes, detector: Detector) -> None:
    """The view's chip lies where the whole picture's lies, to a part of a pixel."""
    (face,) = faces_of(whole(large), detector)
    picture = Picture(large, LIMITS)
    small = sight_of(picture, face)
    full = sight_of(whole(large), face)
    assert small.image.shape[0] < full.image.shape[0]
    chips = [quality_chip(sight.image, sight.face) for sight in (small, full)]
    assert np.abs(chips[0].astype(int) - chips[1]).mean() < 2.5
    assert measure(face, chips[0], picture.size).sharpness == pytest.approx(
        measure(face, chips[1], picture.size).sharpness, rel=0.1
    )


def test_a_small_face_is_cut_from_the_whole(
    large: bytes, faces: Faces, detector: Detector, artifact: Artifact
) -> None:
    canvas = np.full((3000, 4000, 3), 120, dtype=np.uint8)
    portrait = rgb(faces.read("obama.jpg"))
    canvas[500 : 500 + portrait.shape[0], 300 : 300 + portrait.shape[1]] = portrait
    picture = Picture(encoded(canvas, "JPEG", quality=95), LIMITS)
    (face,) = faces_of(picture, detector, artifact.manifest)
    assert picture.view(8).denominator == 2
    sight = sight_of(picture, face, artifact.manifest)
    assert sight.image.shape == canvas.shape
    assert sight.face is face


@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_a_turned_picture(
    large: bytes, detector: Detector, artifact: Artifact, orientation: int
) -> None:
    (expected,) = faces_of(whole(large), detector)
    stored = with_orientation(whole(large).whole, orientation)
    data = encoded(stored, "JPEG", quality=95, exif=exif(orientation))
    picture = Picture(data, LIMITS)
    (face,) = faces_of(picture, detector)
    assert np.abs(face.landmarks - expected.landmarks).max() < 0.03 * expected.width
    assert picture.size == (3000, 2400)
    rows = [
        embedding(one, seen, detector, artifact)
        for one, seen in ((picture, face), (whole(large), expected))
    ]
    assert float(rows[0] @ rows[1]) > 0.99


def test_several_and_none(faces: Faces, detector: Detector) -> None:
    names = ("biden.jpg", "obama.jpg", "astronaut.png")
    group = side_by_side(*(rgb(faces.read(name)) for name in names), height=2400)
    data = encoded(group, "JPEG", quality=90)
    found, expected = faces_of(Picture(data, LIMITS), detector), faces_of(whole(data), detector)
    assert len(found) == len(expected) == 3
    for one, other in zip(found, expected, strict=True):
        assert np.abs(one.landmarks - other.landmarks).max() < 0.05 * other.width
    empty = Picture(encoded(without_face(2400, 3200), "JPEG"), LIMITS)
    assert faces_of(empty, detector) == []


def test_a_face_that_only_the_farthest_look_shows(faces: Faces, detector: Detector) -> None:
    canvas = np.full((2700, 3600, 3), 120, dtype=np.uint8)
    portrait = PillowImage.fromarray(rgb(faces.read("obama.jpg"))).resize((160, 200))
    canvas[1000:1200, 1500:1660] = np.asarray(portrait)
    data = encoded(canvas, "JPEG", quality=95)
    small = np.asarray(PillowImage.fromarray(canvas).resize((640, 480)))
    assert detector.look(small[None]) == [[]]
    picture = Picture(data, LIMITS)
    (face,), (expected,) = faces_of(picture, detector), faces_of(whole(data), detector)
    assert np.abs(face.landmarks - expected.landmarks).max() < 0.1 * expected.width


def test_up_to_1760_pixels_nothing_is_left_out(
    faces: Faces, detector: Detector, model: Artifact
) -> None:
    for name in ("obama3.jpg", "biden.jpg"):
        image = PillowImage.fromarray(rgb(faces.read(name)))
        image.thumbnail((1760, 1760))
        data = encoded(np.asarray(image), "JPEG", quality=95)
        picture, full = Picture(data, LIMITS), whole(data)
        assert first_view(picture, detector, model.manifest).denominator == 1
        (face,) = faces_of(picture, detector, model.manifest)
        (expected,) = detector.detect(full.whole)
        assert np.array_equal(face.landmarks, expected.landmarks)
        sight = sight_of(picture, face, model.manifest)
        assert np.array_equal(sight.image, full.whole) or picture.view(1).denominator == 1
        assert sight.image.shape == full.whole.shape


def test_a_usual_portrait_is_decoded_once(
    faces: Faces, detector: Detector, model: Artifact
) -> None:
    """At 12 megapixels a chip of 112 pixels needs a quarter, a larger one half."""
    portrait = PillowImage.fromarray(rgb(faces.read("obama.jpg"))).resize((3000, 3750))
    canvas = np.full((4000, 3000, 3), 120, dtype=np.uint8)
    canvas[250:] = np.asarray(portrait)
    picture = Picture(encoded(canvas, "JPEG", quality=90), LIMITS)
    view = first_view(picture, detector, model.manifest)
    assert view.denominator == (4 if model.manifest.name == "sface" else 2)
    (face,) = faces_of(picture, detector, model.manifest)
    assert sight_of(picture, face, model.manifest).image is view.image
    (expected,) = faces_of(whole(encoded(canvas, "JPEG", quality=90)), detector)
    assert np.abs(face.landmarks - expected.landmarks).max() < 0.02 * expected.width


def test_landmarks_in_one_point_take_the_whole(large: bytes) -> None:
    point = Face(10, 10, 20, 20, np.full((5, 2), 15, dtype=np.float32), 0.9)
    assert sight_of(Picture(large, LIMITS), point).image.shape == (3000, 2400, 3)
