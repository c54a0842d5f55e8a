"""From five landmarks to a chip: against known transforms and OpenCV's own fit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from model.alignment import align, similarity
from model.faces import Detector, Face
from model.templates import ARCFACE_112
from tests.faces import Faces
from tests.pictures import rgb

SIZE = (112, 112)


@pytest.mark.parametrize("degrees", [0, 10, -75, 90, 179])
@pytest.mark.parametrize("scale", [0.1, 1.0, 7.5])
def test_a_known_transform_is_found_again(degrees: float, scale: float) -> None:
    angle = np.radians(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array([13.0, -400.0])
    target = ARCFACE_112 @ turn.T + shift
    found = similarity(ARCFACE_112, target.astype(np.float32))
    assert np.allclose(found[:, :2], turn, atol=1e-3 * scale)
    assert np.allclose(found[:, 2], shift, atol=0.05)


def test_it_fits_as_opencv_does_on_points_that_are_no_similarity() -> None:
    generator = np.random.default_rng(3)
    for _ in range(20):
        source = (ARCFACE_112 * 3 + generator.normal(0, 6, (5, 2)) + 100).astype(np.float32)
        # A huge threshold makes every point an inlier: plain least squares.
        theirs, _ = cv2.estimateAffinePartial2D(source, ARCFACE_112, ransacReprojThreshold=1e6)
        ours = similarity(source, ARCFACE_112)
        assert np.allclose(ours[:, :2], theirs[:, :2], atol=2e-3)
        here, there = (source @ m[:, :2].T + m[:, 2] for m in (ours, theirs))
        assert np.abs(here - there).max() < 0.2


def test_no_other_similarity_fits_better() -> None:
    generator = np.random.default_rng(4)
    source = (ARCFACE_112 * 2 + generator.normal(0, 5, (5, 2))).astype(np.float32)

    def error(matrix: np.ndarray) -> float:
        return float(((source @ matrix[:, :2].T + matrix[:, 2] - ARCFACE_112) ** 2).sum())

    best = similarity(source, ARCFACE_112).astype(np.float64)
    for direction in ([[1, 0, 0], [0, 1, 0]], [[0, -1, 0], [1, 0, 0]]):
        for step in (1e-3, -1e-3):
            assert error(best + step * np.array(direction)) > error(best)
    for column in ([[0, 0, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 1]]):
        for step in (0.05, -0.05):
            assert error(best + step * np.array(column)) > error(best)


def test_landmarks_in_one_point_are_refused() -> None:
    with pytest.raises(ValueError, match="the same"):
        similarity(np.ones((5, 2), dtype=np.float32), ARCFACE_112)


def test_landmarks_already_in_place_leave_the_image_as_it_is() -> None:
    chip = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    assert np.array_equal(align(chip, ARCFACE_112, ARCFACE_112, SIZE), chip)


def test_outside_the_image_the_chip_is_black() -> None:
    white = np.full((112, 56, 3), 255, dtype=np.uint8)
    chip = align(white, ARCFACE_112, ARCFACE_112, SIZE)
    assert (chip[:, :55] == 255).all()
    assert (chip[:, 57:] == 0).all()


def test_the_landmarks_of_a_real_face_land_on_the_template(
    faces: Faces, detector: Detector
) -> None:
    for name in ("obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png"):
        (face,) = detector.detect(rgb(faces.read(name)))
        matrix = similarity(face.landmarks, ARCFACE_112)
        placed = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
        assert np.abs(placed - ARCFACE_112).max() < 8, name


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0])
def test_a_face_gives_the_same_chip_at_every_size(
    faces: Faces, detector: Detector, scale: float
) -> None:
    """Large faces are shrunk with care first: no moire, no shift."""
    image = rgb(faces.read("obama.jpg"))
    (face,) = detector.detect(image)
    whole = align(image, face.landmarks, ARCFACE_112, SIZE)
    area = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=area), np.uint8)
    # Pixel centres: the middle of the first pixel of the copy is not that of the image.
    marks = (face.landmarks + 0.5) * scale - 0.5
    other = align(scaled, marks.astype(np.float32), ARCFACE_112, SIZE)
    assert np.abs(whole.astype(int) - other).mean() < 6


def test_a_large_face_is_averaged_not_picked_from() -> None:
    """Ten pixels for one of the chip: noise must fade, or patterns would appear."""
    noise = np.random.default_rng(6).integers(0, 256, (1120, 1120, 3), dtype=np.uint8)
    chip = align(noise, ARCFACE_112 * 10, ARCFACE_112, SIZE)
    assert noise.std() > 70
    assert chip[5:-5, 5:-5].std() < 20


def test_cubic_keeps_more_of_an_enlarged_face(faces: Faces, detector: Detector) -> None:
    """Of a face made small and cut at its old size again, cubic is nearer to what it was."""
    image = rgb(faces.read("obama.jpg"))
    (face,) = detector.detect(image)
    marks = face.landmarks
    scale = 24 / float(np.linalg.norm(marks[1] - marks[0]))
    small = np.asarray(
        cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
    )
    size, template = (224, 224), ARCFACE_112 * 2
    there = ((marks + 0.5) * scale - 0.5).astype(np.float32)
    true = align(image, marks, template, size).astype(int)
    linear, cubic = (
        np.abs(align(small, there, template, size, interpolation=way).astype(int) - true).mean()
        for way in ("linear", "cubic")
    )
    assert cubic < 0.97 * linear


def test_a_chip_of_part_of_the_image_is_the_chip_of_the_whole(
    faces: Faces, detector: Detector
) -> None:
    """Why a stored crop with margin can stand for its image."""
    image = rgb(faces.read("obama3.jpg"))
    (face,) = detector.detect(image)
    left, top = int(face.x - face.width / 2), int(face.y - face.height / 2)
    right, bottom = int(face.x + 1.5 * face.width), int(face.y + 1.5 * face.height)
    crop = image[max(top, 0) : bottom, max(left, 0) : right]
    moved: Face = face.moved(1.0, -max(left, 0), -max(top, 0))
    one = align(image, face.landmarks, ARCFACE_112, SIZE)
    other = align(crop, moved.landmarks, ARCFACE_112, SIZE)
    assert np.abs(one.astype(int) - other).max() <= 2
