"""The quality gate on real faces, made worse step by step."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from model.artifact import Artifact
from model.chip import located
from model.faces import Detector, Face
from model.quality import BOUNDS, Quality, Reason, measure, quality_chip, reasons
from model.types import Image
from tests.faces import Faces
from tests.pictures import rgb


class Judge:
    """Measures the one face of an image, as enrolment does."""

    def __init__(self, artifact: Artifact, detector: Detector) -> None:
        self._manifest, self._detector = artifact.manifest, detector

    def __call__(self, image: Image) -> Quality:
        face = self.face(image)
        return measure(face, quality_chip(image, face), image.shape[:2])

    def face(self, image: Image) -> Face:
        (face,) = self._detector.detect(image)
        return located(self._detector, image, face, self._manifest)


@pytest.fixture(scope="module")
def judge(artifact: Artifact, detector: Detector) -> Judge:
    return Judge(artifact, detector)


@pytest.fixture(scope="module")
def portrait(faces: Faces) -> Image:
    return rgb(faces.read("obama.jpg"))


def lit(image: Image, gain: float, offset: float = 0.0) -> Image:
    return np.asarray(np.clip(image * float(gain) + offset, 0, 255), dtype=np.uint8)


def blurred(image: Image, sigma: float) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.uint8)


def scaled(image: Image, factor: float) -> Image:
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


@pytest.mark.parametrize(
    "name", ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png"]
)
def test_official_portraits_pass_even_the_strict_gate(
    faces: Faces, judge: Judge, name: str
) -> None:
    quality = judge(rgb(faces.read(name)))
    assert reasons(quality, "strict") == ()
    assert 0.5 < quality.score <= 1


@pytest.mark.parametrize("name", ["obama_partial_face.jpg", "obama_partial_face2.jpg"])
def test_half_a_face_is_cut_off(faces: Faces, judge: Judge, name: str) -> None:
    assert reasons(judge(rgb(faces.read(name))), "standard") == (Reason.FACE_CUT_OFF,)


def test_blur(portrait: Image, judge: Judge) -> None:
    sharpness = [judge(blurred(portrait, sigma)).sharpness for sigma in (1, 3, 6, 10, 15)]
    assert sharpness == sorted(sharpness, reverse=True)
    assert reasons(judge(blurred(portrait, 10)), "standard") == (Reason.BLURRED,)


def test_darkness(portrait: Image, judge: Judge) -> None:
    assert reasons(judge(lit(portrait, 0.2)), "standard") == (Reason.TOO_DARK,)
    assert Reason.TOO_DARK not in reasons(judge(lit(portrait, 0.5)), "standard")
    assert Reason.TOO_DARK in reasons(judge(lit(portrait, 0.3)), "strict")


def test_glare(portrait: Image, judge: Judge) -> None:
    assert reasons(judge(lit(portrait, 1, 120)), "standard") == (Reason.TOO_BRIGHT,)
    assert reasons(judge(lit(portrait, 1, 20)), "standard") == ()


def test_brightness_is_the_mean_luminance(portrait: Image, judge: Judge) -> None:
    half = judge(lit(portrait, 0.5))
    assert half.brightness == pytest.approx(judge(portrait).brightness / 2, rel=0.05)
    assert half.contrast == pytest.approx(judge(portrait).contrast / 2, rel=0.1)


def test_a_small_face(portrait: Image, judge: Judge) -> None:
    assert reasons(judge(scaled(portrait, 0.1)), "standard") == (Reason.FACE_TOO_SMALL,)
    assert reasons(judge(scaled(portrait, 0.25)), "standard") == ()
    assert Reason.FACE_TOO_SMALL in reasons(judge(scaled(portrait, 0.25)), "strict")


@pytest.mark.parametrize("share", [0.2, 0.4])
def test_a_face_shifted_out_of_the_frame(portrait: Image, judge: Judge, share: float) -> None:
    face = judge.face(portrait)
    cut = np.ascontiguousarray(portrait[:, int(face.x + share * face.width) :])
    assert reasons(judge(cut), "standard") == (Reason.FACE_CUT_OFF,)


def test_a_face_at_the_edge_but_whole(portrait: Image, judge: Judge) -> None:
    face = judge.face(portrait)
    whole = np.ascontiguousarray(portrait[:, int(face.x - 0.3 * face.width) :])
    assert judge(whole).visible == 1
    assert reasons(judge(whole), "standard") == ()


@pytest.mark.parametrize("side", [1, -1])
def test_a_turned_head(portrait: Image, judge: Judge, side: int) -> None:
    """The nose is moved towards one eye, as turning the head does."""
    face = judge.face(portrait)
    chip = quality_chip(portrait, face)
    eyes = float(np.linalg.norm(face.landmarks[1] - face.landmarks[0]))
    yaw = []
    for step in (0.0, 0.2, 0.4, 0.6):
        marks = face.landmarks.copy()
        marks[2, 0] += side * step * eyes
        quality = measure(replace(face, landmarks=marks), chip, portrait.shape[:2])
        yaw.append(side * quality.yaw)
    assert yaw == sorted(yaw)
    assert yaw[0] == pytest.approx(0, abs=0.1)
    assert reasons(quality, "standard") == (Reason.EXTREME_POSE,)


def test_yaw_is_positive_when_they_look_to_their_left(faces: Faces, judge: Judge) -> None:
    """obama2.jpg looks to our left, his right; a mirror turns that around."""
    image = rgb(faces.read("obama2.jpg"))
    mirrored = judge(np.ascontiguousarray(image[:, ::-1]))
    assert judge(image).yaw < -0.2
    assert mirrored.yaw == pytest.approx(-judge(image).yaw, abs=0.1)


def test_pitch_is_positive_when_the_nose_rises(portrait: Image, judge: Judge) -> None:
    face = judge.face(portrait)
    chip = quality_chip(portrait, face)
    marks = face.landmarks.copy()
    marks[2, 1] -= 0.3 * (marks[3, 1] - marks[0, 1])
    up = measure(replace(face, landmarks=marks), chip, portrait.shape[:2])
    marks[2, 1] += 0.6 * (marks[3, 1] - marks[0, 1])
    down = measure(replace(face, landmarks=marks), chip, portrait.shape[:2])
    assert up.pitch > 0.4 > -0.4 > down.pitch


def test_a_hesitant_detector(portrait: Image, judge: Judge) -> None:
    face = replace(judge.face(portrait), confidence=0.74)
    quality = measure(face, quality_chip(portrait, face), portrait.shape[:2])
    assert reasons(quality, "standard") == (Reason.LOW_CONFIDENCE,)


def test_the_gate_off_objects_to_nothing(portrait: Image, judge: Judge) -> None:
    awful = judge(blurred(lit(portrait, 0.15), 8))
    assert reasons(awful, "off") == ()
    assert set(reasons(awful, "standard")) == {Reason.TOO_DARK, Reason.BLURRED}
    assert awful.score < 0.1


def test_strict_asks_for_at_least_as_much_as_standard() -> None:
    standard, strict = BOUNDS["standard"], BOUNDS["strict"]
    for name in ("face_size_px", "confidence", "sharpness", "darkest", "visible"):
        assert getattr(strict, name) >= getattr(standard, name)
    for name in ("brightest", "pose"):
        assert getattr(strict, name) <= getattr(standard, name)
