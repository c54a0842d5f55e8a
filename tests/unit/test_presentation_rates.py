"""Error rates of attack detection, by hand-made scores."""

from __future__ import annotations

import numpy as np
import pytest

from model.faces import Face
from model.presentation import SIDE_PX, context_crop
from training.data.errors import DataError
from training.presentation.attacks import ATTACKS, live
from training.presentation.frames import Frames, split
from training.presentation.rates import equal_error_rate, rates_at, threshold_at


def frames_of(people: int) -> Frames:
    """Each with two live frames, a print and a replay."""
    names = tuple(f"p{person}" for person in range(people) for _ in range(4))
    kinds = ("live", "live", "print", "replay") * people
    attack = np.array([kind != "live" for kind in kinds])
    return Frames(np.zeros((4 * people, 1, 1, 3), np.uint8), attack, names, kinds)


def test_rates_by_kind_at_a_threshold() -> None:
    frames = frames_of(10)
    scores = np.tile(np.array([0.1, 0.6, 0.9, 0.3], np.float32), 10)
    apcer, bpcer = rates_at(frames, scores, 0.5)
    # Of each person one live frame is flagged; every print is, no replay.
    assert (apcer["print"].rate, apcer["replay"].rate, bpcer.rate) == (0, 1, 0.5)
    assert (apcer["print"].frames, bpcer.frames) == (10, 20)
    for measured in (*apcer.values(), bpcer):
        low, high = measured.interval
        assert 0 <= low <= measured.rate <= high <= 1
        assert low < high
    # "Above": a score at the threshold passes.
    apcer, _ = rates_at(frames, scores, 0.9)
    assert apcer["print"].rate == 1


@pytest.mark.parametrize(("share", "flagged"), [(0.0, 0), (0.05, 5), (0.5, 50)])
def test_a_threshold_flags_no_more_than_it_may(share: float, flagged: int) -> None:
    scores = np.linspace(0, 1, 100, dtype=np.float32)
    assert int(np.sum(scores > threshold_at(scores, share))) == flagged


def test_the_equal_error_rate() -> None:
    attack = np.array([False] * 10 + [True] * 10)
    apart = np.concatenate([np.linspace(0, 0.4, 10), np.linspace(0.6, 1, 10)])
    assert equal_error_rate(apart.astype(np.float32), attack) == 0
    assert equal_error_rate(1 - apart.astype(np.float32), attack) == 1
    assert equal_error_rate(np.full(20, 0.5, np.float32), attack) == 0.5
    one_wrong = apart.copy()
    one_wrong[9], one_wrong[10] = 0.9, 0.1
    assert equal_error_rate(one_wrong.astype(np.float32), attack) == pytest.approx(0.1)


def test_no_person_is_in_two_parts() -> None:
    parts = split(frames_of(20))
    people = [set(part.people) for part in parts]
    assert sum(map(len, people)) == 20
    assert len(set.union(*people)) == 20
    assert [len(found) for found in people] == [12, 4, 4]
    with pytest.raises(DataError, match="more people"):
        split(frames_of(2))


@pytest.mark.parametrize(
    "box",
    [(40, 30, 20, 25), (-30, -40, 60, 70), (95, 70, 40, 40), (0, 0, 1, 1), (-500, 900, 30, 2000)],
)
def test_a_crop_of_any_face(box: tuple[int, int, int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 255, (80, 100, 3), dtype=np.uint8)
    x, y, width, height = map(float, box)
    face = Face(x, y, width, height, np.zeros((5, 2), np.float32), 1.0)
    crop = context_crop(image, face)
    assert crop.shape == (SIDE_PX, SIDE_PX, 3)
    assert crop.dtype == np.uint8


def test_of_a_picture_of_one_pixel_too() -> None:
    face = Face(0.0, 0.0, 5.0, 5.0, np.zeros((5, 2), np.float32), 1.0)
    assert context_crop(np.full((1, 1, 3), 7, np.uint8), face).mean() == 7


@pytest.mark.parametrize("render", [live, *ATTACKS.values()])
def test_rendered_frames_are_the_cameras_and_no_two_are_alike(render: object) -> None:
    assert callable(render)
    image = np.full((160, 120, 3), 128, np.uint8)
    one, same, other = (render(image, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert one.shape != other.shape or np.any(one != other)
    assert one.dtype == np.uint8
    assert 150 <= max(one.shape[:2]) <= 230
