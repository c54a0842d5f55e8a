"""The detector on real pictures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from model.artifact import Artifact
from model.faces import LANDMARKS, Detector, Face, nearest_centre
from tests.faces import Faces
from tests.pictures import rgb, side_by_side, without_face

NAMES = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")


@pytest.mark.parametrize("name", NAMES)
def test_one_face_is_found_where_it_is(faces: Faces, detector: Detector, name: str) -> None:
    image = rgb(faces.read(name))
    (face,) = detector.detect(image)
    assert 0.7 <= face.confidence <= 1
    x, y = face.landmarks.T
    assert (face.x < x).all()
    assert (x < face.x + face.width).all()
    assert (face.y < y).all()
    assert (y < face.y + face.height).all()
    assert 0 <= face.x < face.x + face.width <= image.shape[1]


@pytest.mark.parametrize("name", NAMES)
def test_right_and_left_are_the_persons_own(faces: Faces, detector: Detector, name: str) -> None:
    (face,) = detector.detect(rgb(faces.read(name)))
    point = dict(zip(LANDMARKS, face.landmarks, strict=True))
    # Their right is at our left.
    assert point["right_eye"][0] < point["nose"][0] < point["left_eye"][0]
    assert point["right_mouth"][0] < point["left_mouth"][0]
    eyes = max(point["right_eye"][1], point["left_eye"][1])
    mouth = min(point["right_mouth"][1], point["left_mouth"][1])
    assert eyes < point["nose"][1] < mouth


def test_a_mirrored_face_has_mirrored_landmarks(faces: Faces, detector: Detector) -> None:
    image = rgb(faces.read("obama.jpg"))
    (face,) = detector.detect(image)
    (mirrored,) = detector.detect(np.ascontiguousarray(image[:, ::-1]))
    back = mirrored.landmarks[[1, 0, 2, 4, 3]].copy()
    back[:, 0] = image.shape[1] - 1 - back[:, 0]
    assert np.abs(back - face.landmarks).max() < 0.05 * face.width


@pytest.mark.parametrize("scale", [0.15, 0.4, 1.7])
def test_the_face_is_reported_in_pixels_of_the_given_image(
    faces: Faces, detector: Detector, scale: float
) -> None:
    image = rgb(faces.read("obama.jpg"))
    (whole,) = detector.detect(image)
    (scaled,) = detector.detect(np.asarray(cv2.resize(image, None, fx=scale, fy=scale), np.uint8))
    expected = whole.moved(scale)
    assert abs(scaled.x - expected.x) < 0.15 * expected.width
    assert np.abs(scaled.landmarks - expected.landmarks).max() < 0.08 * expected.width


def test_a_face_that_fills_the_frame_is_found(faces: Faces, detector: Detector) -> None:
    image = rgb(faces.read("obama.jpg"))
    (face,) = detector.detect(image)
    left, top = int(face.x), int(face.y)
    tight = image[top : top + int(face.height), left : left + int(face.width)]
    assert len(detector.detect(np.ascontiguousarray(tight))) == 1


def test_several_faces_come_with_the_largest_first(faces: Faces, detector: Detector) -> None:
    group = side_by_side(*(rgb(faces.read(n)) for n in ("biden.jpg", "obama.jpg", "astronaut.png")))
    found = detector.detect(group)
    assert len(found) == 3
    areas = [face.area for face in found]
    assert areas == sorted(areas, reverse=True)


@pytest.mark.parametrize("shape", [(1, 1), (32, 32), (33, 65), (1, 4000), (4000, 1)])
def test_nothing_is_found_in_an_empty_picture_of_any_shape(
    detector: Detector, shape: tuple[int, int]
) -> None:
    assert detector.detect(np.zeros((*shape, 3), dtype=np.uint8)) == []


def test_a_look_at_one_size_sees_what_a_look_at_any_size_sees(
    faces: Faces, detector: Detector
) -> None:
    for name in NAMES:
        square = np.asarray(cv2.resize(rgb(faces.read(name)), (320, 320)), np.uint8)
        ((looked,),), (detected,) = detector.look(square[None]), detector.detect(square)
        assert np.array_equal(looked.landmarks, detected.landmarks)
        assert (looked.x, looked.confidence) == (detected.x, detected.confidence)


def test_a_network_for_one_size_sees_what_the_one_for_any_size_sees(
    faces: Faces, artifact: Artifact
) -> None:
    prepared, plain = Detector(artifact.detector), Detector(artifact.detector)
    prepared.prepare((427, 640))
    for name in NAMES:
        image = rgb(faces.read(name))
        for size in ((640, 427), (640, 448), (320, 320), (1280, 854)):
            scaled = np.asarray(cv2.resize(image, size), np.uint8)
            (one,), (other,) = prepared.detect(scaled), plain.detect(scaled)
            assert np.allclose(one.landmarks, other.landmarks, atol=1e-3)
            assert one.confidence == pytest.approx(other.confidence, abs=1e-5)


def test_the_far_look_is_for_what_the_near_one_cannot_see(faces: Faces, detector: Detector) -> None:
    portrait = np.asarray(cv2.resize(rgb(faces.read("obama.jpg")), (56, 70)), np.uint8)
    canvas = np.full((960, 1280, 3), 120, dtype=np.uint8)
    canvas[400:470, 600:656] = portrait
    assert detector.detect_near(canvas) == []
    assert len(detector.detect_far(canvas)) == 1
    # All of these pixels the near look sees.
    assert detector.detect_far(canvas[:480, :640]) == []
    assert detector.detect_far(rgb(faces.read("obama.jpg"))[:320, :320]) == []


def test_nothing_is_found_where_there_is_no_face(detector: Detector) -> None:
    assert detector.detect(without_face()) == []


def test_the_face_nearest_the_middle() -> None:
    def at(x: float, y: float) -> Face:
        return Face(x, y, 10, 10, np.zeros((5, 2), dtype=np.float32), 0.9)

    corner, near = at(0, 0), at(80, 40)
    # The image is 100 high and 200 wide: its middle is (100, 50).
    assert nearest_centre([corner, near], (100, 200)) is near
    assert nearest_centre([near, corner], (100, 200)) is near
    assert nearest_centre([at(190, 90), corner, at(100, 50)], (100, 200)).centre == (105, 55)


def test_threads_do_not_disturb_each_other(faces: Faces, detector: Detector) -> None:
    images = [rgb(faces.read(name)) for name in NAMES]
    alone = [detector.detect(image)[0] for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: detector.detect(image)[0], images * 4))
    for number, face in enumerate(together):
        expected = alone[number % len(images)]
        assert face.confidence == pytest.approx(expected.confidence, abs=1e-4)
        assert np.allclose(face.landmarks, expected.landmarks, atol=0.05)


def test_landmarks_hardly_hang_on_the_last_digit_of_a_picture(
    faces: Faces, detector: Detector
) -> None:
    """A little darker or lighter, a picture has its landmarks where they were."""
    for name in NAMES:
        image = rgb(faces.read(name))
        (face,) = detector.detect(image)
        eyes = float(np.linalg.norm(face.landmarks[0] - face.landmarks[1]))
        for light in (0.97, 0.98, 0.99, 1.01):
            (again,) = detector.detect(np.asarray(np.clip(image * light, 0, 255), np.uint8))
            moved = float(np.linalg.norm(face.landmarks - again.landmarks, axis=1).max())
            assert 0 < moved < 0.03 * eyes, (name, light)
