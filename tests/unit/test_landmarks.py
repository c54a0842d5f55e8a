"""The second look at the landmarks: on good pictures, on poor ones, and on nonsense."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.faces import Detector, Face, nearest_centre
from model.landmarks import second_look
from model.types import Array, Image
from tests.faces import Faces
from tests.pictures import rgb, without_face

NAMES = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")
SMALL_EYES_PX = 12


@pytest.fixture(scope="module")
def pictures(faces: Faces, detector: Detector) -> list[tuple[Image, Face]]:
    """The portraits with what the first look finds; their landmarks stand for the true ones."""
    return [_found(detector, rgb(faces.read(name))) for name in NAMES]


def test_a_good_picture_keeps_its_landmarks_nearly(
    pictures: list[tuple[Image, Face]], detector: Detector
) -> None:
    for image, face in pictures:
        again = second_look(detector, image, face)
        assert not np.array_equal(again.landmarks, face.landmarks)
        assert _error(again.landmarks, face.landmarks) < 0.1
        assert replace(again, landmarks=face.landmarks) == replace(face, landmarks=face.landmarks)
        assert again.landmarks.shape == (5, 2)
        assert again.landmarks.dtype == np.float32


def test_it_is_the_same_for_a_mirror_image(
    pictures: list[tuple[Image, Face]], detector: Detector
) -> None:
    """From mirrored landmarks, it finds the mirror image of what it found: both are looked at."""
    for image, face in pictures:
        width = image.shape[1]
        other = _mirrored(face.landmarks, width)
        there = second_look(
            detector, np.ascontiguousarray(image[:, ::-1]), replace(face, landmarks=other)
        )
        here = second_look(detector, image, face)
        assert _error(_mirrored(there.landmarks, width), here.landmarks) < 0.03


@pytest.mark.parametrize("degrees", [-20, 20])
def test_on_a_tilted_face_it_comes_nearer(
    pictures: list[tuple[Image, Face]], detector: Detector, degrees: float
) -> None:
    errors = np.array([_errors(detector, *each, degrees, 1.0) for each in pictures])
    assert (errors[:, 1] < errors[:, 0]).all()
    assert errors[:, 1].mean() < 0.6 * errors[:, 0].mean()


@pytest.mark.parametrize("degrees", [-30, 30])
def test_on_a_steep_face_it_comes_nearer(
    pictures: list[tuple[Image, Face]], detector: Detector, degrees: float
) -> None:
    errors = np.array([_errors(detector, *each, degrees, 1.0) for each in pictures])
    assert (errors[:, 1] <= errors[:, 0]).all()
    assert errors[:, 1].mean() < 0.5 * errors[:, 0].mean()


def test_on_a_small_face_it_comes_nearer(
    pictures: list[tuple[Image, Face]], detector: Detector
) -> None:
    errors = []
    for image, face in pictures:
        scale = SMALL_EYES_PX / np.linalg.norm(face.landmarks[1] - face.landmarks[0])
        errors.append(_errors(detector, image, face, 0, float(scale)))
    assert all(second < first for first, second in errors)
    first, second = np.mean(errors, axis=0)
    assert second < 0.75 * first


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_face_at_the_edge_of_the_picture(
    pictures: list[tuple[Image, Face]], detector: Detector, side: str
) -> None:
    """Cut through the face, beyond its landmarks: they stay where they are, more or less."""
    seen = 0
    for image, face in pictures:
        (left, top), (right, bottom) = face.landmarks.min(axis=0), face.landmarks.max(axis=0)
        space = 0.25 * float(np.linalg.norm(face.landmarks[1] - face.landmarks[0]))
        x = max(0, int(left - space)) if side == "left" else 0
        y = max(0, int(top - space)) if side == "top" else 0
        cut = np.ascontiguousarray(
            image[
                y : int(bottom + space) if side == "bottom" else None,
                x : int(right + space) if side == "right" else None,
            ]
        )
        found = detector.detect(cut)
        if not found:
            continue
        seen += 1
        again = second_look(detector, cut, nearest_centre(found, cut.shape[:2]))
        assert _error(again.landmarks + np.array([x, y]), face.landmarks) < 0.2
    assert seen >= 4


@pytest.mark.parametrize(
    "landmarks",
    [
        np.full((5, 2), 40.0),
        np.zeros((5, 2)),
        np.array([[40.0, 40], [40, 41], [40, 42], [40, 43], [40, 44]]),
        np.array([[1e6, 1e6], [1e6 + 9, 1e6], [1e6, 1e6 + 9], [1e6, 1e6], [1e6, 1e6]]),
        np.array([[-900.0, 5], [-800, 5], [-850, 60], [-890, 90], [-810, 90]]),
    ],
)
def test_landmarks_that_are_no_face_stay_as_they_are(
    pictures: list[tuple[Image, Face]], detector: Detector, landmarks: Array
) -> None:
    image, face = pictures[-1]
    nonsense = replace(face, landmarks=landmarks.astype(np.float32))
    assert np.array_equal(second_look(detector, image, nonsense).landmarks, nonsense.landmarks)


def test_where_nothing_is_seen_they_stay_as_they_are(
    pictures: list[tuple[Image, Face]], detector: Detector
) -> None:
    face = pictures[-1][1]
    again = second_look(detector, without_face(512, 512), face)
    assert np.array_equal(again.landmarks, face.landmarks)


def test_another_face_beside_it_is_not_taken(
    pictures: list[tuple[Image, Face]], detector: Detector
) -> None:
    """Landmarks half a face away: what is seen there is not the face that was asked for."""
    image, face = pictures[-1]
    eyes = float(np.linalg.norm(face.landmarks[1] - face.landmarks[0]))
    aside = replace(face, landmarks=face.landmarks + np.array([eyes, 0], dtype=np.float32))
    again = second_look(detector, image, aside)
    assert np.array_equal(again.landmarks, aside.landmarks)


@given(
    points=st.lists(st.floats(-2e4, 2e4, width=32), min_size=10, max_size=10),
    height=st.integers(1, 80),
    width=st.integers(1, 80),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_it_never_raises(detector: Detector, points: list[float], height: int, width: int) -> None:
    marks = np.array(points, dtype=np.float32).reshape(5, 2)
    face = Face(x=0, y=0, width=9, height=9, landmarks=marks, confidence=0.9)
    again = second_look(detector, without_face(height, width), face)
    assert np.isfinite(again.landmarks).all()


def _found(detector: Detector, image: Image) -> tuple[Image, Face]:
    return image, nearest_centre(detector.detect(image), image.shape[:2])


def _errors(
    detector: Detector, image: Image, face: Face, degrees: float, scale: float
) -> tuple[float, float]:
    """Of the first and of the second look, on the picture turned and scaled."""
    changed, matrix = _changed(image, degrees, scale)
    true = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
    _, first = _found(detector, changed)
    second = second_look(detector, changed, first)
    return _error(first.landmarks, true), _error(second.landmarks, true)


def _changed(image: Image, degrees: float, scale: float) -> tuple[Image, Array]:
    """The picture turned about its middle and scaled, and where its points go. Shape (2, 3)."""
    factors = np.ones(2)
    source = image
    if scale < 1:
        source = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
        factors = np.array(source.shape[1::-1]) / np.array(image.shape[1::-1])
    height, width = source.shape[:2]
    side = int(1.5 * max(height, width))
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    turn[:, 2] += (side - np.array([width, height])) / 2
    # Pixel centres: a point p of the picture is (p + 0.5) f - 0.5 of the scaled one.
    shift = turn[:, 2] + turn[:, :2] @ (0.5 * factors - 0.5)
    whole = np.concatenate([turn[:, :2] * factors, shift[:, None]], axis=1)
    return np.asarray(cv2.warpAffine(source, turn, (side, side)), np.uint8), whole


def _error(landmarks: Array, true: Array) -> float:
    """Mean distance, in distances of the eyes."""
    eyes = np.linalg.norm(true[1] - true[0])
    return float(np.linalg.norm(landmarks - true, axis=1).mean() / eyes)


def _mirrored(landmarks: Array, width: int) -> Array:
    other = landmarks[[1, 0, 2, 4, 3]].copy()
    other[:, 0] = width - 1 - other[:, 0]
    return other
