"""The nose moves when a head turns, and not when a flat picture of one is moved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.types import Array, Image
from service.core.liveness.parallax import PITCH_STEP, YAW_STEP, Anchor, Bearing
from tests.head_motion import HEIGHT_PX, WIDTH_PX, Head, Photograph, Stance, seen_of_print

LANDMARKS: Array = np.array(
    [[289, 215], [351, 215], [320, 253], [295, 290], [345, 290]], np.float32
)


def drawing() -> Image:
    """Something with a texture where a face would be."""
    random = np.random.default_rng(7)
    coarse = random.integers(60, 200, (60, 80, 3)).astype(np.float32)
    rows = np.linspace(0, 59, HEIGHT_PX).astype(int)
    columns = np.linspace(0, 79, WIDTH_PX).astype(int)
    picture = coarse[rows][:, columns]
    for _ in range(3):
        for axis in (0, 1):
            picture = (np.roll(picture, 2, axis) + picture + np.roll(picture, -2, axis)) / 3
    return np.asarray(picture, np.uint8)


PICTURE = drawing()


def bearing(frame: Image, landmarks: Array = LANDMARKS, magnified: float = 1.0) -> Bearing | None:
    return Anchor(PICTURE, LANDMARKS, 1.0).bearing(frame, landmarks, magnified)


def test_what_did_not_move() -> None:
    found = bearing(PICTURE)
    assert found is not None
    assert abs(found.yaw) < 1e-3
    assert abs(found.pitch) < 1e-3
    assert found.scale == pytest.approx(1, abs=1e-3)
    assert found.squeezed == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("stance", "axis"),
    [
        (Stance(yaw=18), "yaw"),
        (Stance(yaw=-18), "-yaw"),
        (Stance(pitch=16), "pitch"),
        (Stance(pitch=-16), "-pitch"),
    ],
)
def test_a_nose_that_stands_out_moves_when_the_head_turns(stance: Stance, axis: str) -> None:
    found = bearing(Head(PICTURE, LANDMARKS).frame(stance))
    assert found is not None
    steps = {"yaw": found.yaw / YAW_STEP, "pitch": found.pitch / PITCH_STEP}
    steps |= {f"-{name}": -value for name, value in steps.items()}
    assert max(steps, key=lambda name: steps[name]) == axis
    assert steps[axis] > 1


@settings(max_examples=40, deadline=None)
@given(
    yaw=st.floats(-40, 40),
    pitch=st.floats(-40, 40),
    roll=st.floats(-15, 15),
    scale=st.floats(0.8, 1.5),
)
def test_a_flat_picture_shows_nothing_however_it_is_held(
    yaw: float, pitch: float, roll: float, scale: float
) -> None:
    if abs(yaw) + abs(pitch) > 50:
        return
    stance = Stance(yaw, pitch, roll, scale)
    found = bearing(Photograph(PICTURE).frame(stance), _seen(stance))
    # None: the pixels were not found again, and nothing was measured.
    if found is not None:
        assert abs(found.yaw) < YAW_STEP / 3
        assert abs(found.pitch) < PITCH_STEP / 3


def _seen(stance: Stance) -> Array:
    """Where the photograph's landmarks are seen, some pixels off, as by a detector."""
    off = np.array([[3, -1], [-2, 2], [1, 3], [-3, 0], [2, -2]], np.float32)
    return np.asarray(seen_of_print(LANDMARKS, stance) + off, np.float32)


def test_nearer_is_larger_and_pixels_of_a_view_are_those_of_the_picture() -> None:
    found = bearing(Head(PICTURE, LANDMARKS).frame(Stance(scale=1.3)))
    assert found is not None
    assert found.scale == pytest.approx(1.3, abs=0.03)
    smaller = np.ascontiguousarray(PICTURE[::2, ::2])
    half = bearing(smaller, LANDMARKS / np.float32(2), 0.5)
    assert half is not None
    assert half.scale == pytest.approx(1, abs=0.02)


def test_something_else_is_not_found_again() -> None:
    noise = np.random.default_rng(1).integers(0, 255, PICTURE.shape).astype(np.uint8)
    assert bearing(noise) is None


@pytest.mark.parametrize("points", [(100, 100), (10, 20)])
def test_landmarks_on_a_line_measure_nothing(points: tuple[int, int]) -> None:
    line = np.linspace(points[0], points[1], 5, dtype=np.float32)
    assert bearing(PICTURE, np.stack([line, line], axis=1)) is None


def test_landmarks_in_a_point_are_no_anchor() -> None:
    with pytest.raises(ValueError, match="the same"):
        Anchor(PICTURE, np.full((5, 2), 7, np.float32), 1.0)
