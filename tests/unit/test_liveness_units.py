"""The parts of a liveness session by themselves, without pictures."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from model.faces import Face
from service.core.liveness.challenges import (
    COUNT,
    MOVEMENTS,
    SIDEWARDS,
    UP_OR_DOWN,
    Movement,
    random_challenges,
    sequences,
)
from service.core.liveness.continuity import MOST_GAP_S, MOST_LOST_S, Continuity
from service.core.liveness.ending import SENTENCES, Ended
from service.core.liveness.movement import HOLD_S, MOVE_S, REACTION_S, Hold, Move, Steps

REST = Steps(0.05, -0.05, 0.02, 1.0)


def steps(movement: Movement, far: float, squeezed: float = 1.0) -> Steps:
    value = {"turn_right": -far, "look_down": -far, "go_back": -far}.get(movement, far)
    return Steps(
        value if movement in SIDEWARDS else 0.0,
        value if movement in UP_OR_DOWN else 0.0,
        value if movement in ("come_closer", "go_back") else 0.0,
        squeezed,
    )


def face(x: float, y: float = 100, width: float = 100) -> Face:
    return Face(x, y, width, 1.3 * width, np.zeros((5, 2), np.float32), 0.9)


# What is asked for


def test_the_number_of_sequences_is_what_the_documents_say() -> None:
    found = sequences()
    assert len(found) == len(set(found)) == 536
    for sequence in found:
        assert len(sequence) == COUNT
        assert SIDEWARDS & set(sequence)
        assert UP_OR_DOWN & set(sequence)
        assert all(one != other for one, other in itertools.pairwise(sequence))


def test_challenges_differ_each_time_and_all_movements_come() -> None:
    drawn = [random_challenges() for _ in range(300)]
    counted = Counter(challenge.movement for one in drawn for challenge in one)
    assert set(counted) == set(MOVEMENTS)
    assert len({tuple(challenge.movement for challenge in one) for one in drawn}) > 150
    waits = [challenge.wait_s for one in drawn for challenge in one]
    assert 0.7 <= min(waits) < 0.8
    assert 1.9 < max(waits) <= 2.0
    assert len(set(waits)) == len(waits)


# Movements


@pytest.mark.parametrize("movement", MOVEMENTS)
def test_a_movement_on_its_way_and_reached_in_two_frames_is_one(movement: Movement) -> None:
    move = Move(movement, 10.0)
    assert not move.see(REST, 10.2)
    assert not move.see(steps(movement, 0.5), 10.4)
    assert not move.see(steps(movement, 1.1), 10.6)
    assert move.see(steps(movement, 1.2), 10.7)
    assert move.progress(steps(movement, 0.4)) == pytest.approx(0.4)
    assert move.progress(steps(movement, -0.4)) == 0
    assert move.progress(steps(movement, 3)) == 1


@pytest.mark.parametrize("movement", MOVEMENTS)
@pytest.mark.parametrize("other", MOVEMENTS)
def test_any_other_movement_ends_it(movement: Movement, other: Movement) -> None:
    if movement == other:
        return
    move = Move(movement, 10.0)
    assert not move.see(steps(other, 1.6), 10.4)
    with pytest.raises(Ended) as ended:
        move.see(steps(other, 1.6), 10.5)
    assert ended.value.why == "wrong_movement"


def test_what_was_not_seen_on_its_way_is_none() -> None:
    move = Move("turn_left", 10.0)
    for at in (10.3, 10.4, 10.5):
        assert not move.see(steps("turn_left", 1.6), at)
    # On the way back and again.
    assert not move.see(steps("turn_left", 0.6), 10.6)
    assert not move.see(steps("turn_left", 1.2), 10.7)
    assert move.see(steps("turn_left", 1.2), 10.8)


@pytest.mark.parametrize("at", [9.9, 10.0 + 0.9 * REACTION_S])
def test_who_moves_before_it_could_be_known_is_too_soon(at: float) -> None:
    with pytest.raises(Ended) as ended:
        Move("turn_left", 10.0).see(steps("turn_left", 0.85), at)
    assert ended.value.why == "too_soon"


def test_a_movement_has_its_time() -> None:
    for squeezed, why in ((1.0, "timed_out"), (0.7, "flat")):
        move = Move("turn_left", 10.0)
        assert not move.see(steps("turn_left", 0.1, squeezed), 11.0)
        with pytest.raises(Ended) as ended:
            move.see(None, 10.1 + MOVE_S)
        assert ended.value.why == why


def test_a_photograph_nodded_is_flat_and_one_zoomed_is_not() -> None:
    for movement, why in (("look_up", "flat"), ("come_closer", "timed_out")):
        move = Move(movement, 10.0)  # type: ignore[arg-type]
        assert not move.see(Steps(0, 0.1, 0, 1.4), 11.0)
        with pytest.raises(Ended) as ended:
            move.see(REST, 10.1 + MOVE_S)
        assert ended.value.why == why


def test_holding_still_takes_its_wait_from_when_the_head_is_back() -> None:
    hold = Hold(1.0, 10.0)
    assert not hold.see(steps("turn_left", 1.5), 10.1)
    assert not hold.see(steps("turn_left", 0.8), 10.3)
    assert not hold.see(REST, 10.5)
    assert not hold.see(None, 10.9)
    assert not hold.see(REST, 11.4)
    assert hold.see(REST, 11.5)


def test_who_stirs_a_little_begins_the_wait_anew() -> None:
    hold = Hold(1.0, 10.0)
    assert not hold.see(REST, 10.1)
    assert not hold.see(steps("look_up", 0.7), 10.9)
    assert not hold.see(REST, 11.2)
    assert not hold.see(REST, 12.1)
    assert hold.see(REST, 12.2)


def test_who_moves_while_still_is_too_soon_or_comes_too_late() -> None:
    hold = Hold(2.0, 10.0)
    hold.see(REST, 10.1)
    hold.see(REST, 10.5)
    with pytest.raises(Ended) as ended:
        hold.see(steps("go_back", 1.0), 10.7)
    assert ended.value.why == "too_soon"
    with pytest.raises(Ended) as ended:
        Hold(2.0, 10.0).see(steps("go_back", 1.0), 10.1 + HOLD_S)
    assert ended.value.why == "timed_out"


# Continuity


def test_a_face_that_moves_as_people_do() -> None:
    watch = Continuity(face(100), 0.0)
    for turn in range(1, 40):
        watch.seen((face(100 + 30 * turn, width=100 * 1.01**turn),), turn / 10)


@pytest.mark.parametrize(
    ("faces", "at", "why"),
    [
        ((face(320),), 0.1, "jumped"),
        ((face(100, width=160),), 0.1, "jumped"),
        ((face(100),), MOST_GAP_S + 0.1, "frames"),
    ],
)
def test_a_face_that_does_not(faces: tuple[Face, ...], at: float, why: str) -> None:
    with pytest.raises(Ended) as ended:
        Continuity(face(100), 0.0).seen(faces, at)
    assert ended.value.why == why


def test_a_face_may_be_lost_for_a_moment_only() -> None:
    watch = Continuity(face(100), 0.0)
    watch.lost(0.4)
    watch.seen((face(100),), 0.7)
    watch.lost(1.1)
    with pytest.raises(Ended) as ended:
        watch.lost(0.75 + MOST_LOST_S)
    assert ended.value.why == "lost_face"


def test_somebody_in_the_background_may_be_there_and_nobody_nearer() -> None:
    watch = Continuity(face(100), 0.0)
    for turn in range(1, 5):
        watch.seen((face(100), face(400, width=50)), turn / 10)
    watch.seen((face(100), face(400, width=90)), 0.5)
    with pytest.raises(Ended) as ended:
        watch.seen((face(100), face(400, width=90)), 0.6)
    assert ended.value.why == "several_faces"


def test_every_end_has_its_sentence() -> None:
    for why, sentence in SENTENCES.items():
        assert str(Ended(why)) == sentence
        assert sentence.endswith(".")


def test_steps_are_of_a_bearing() -> None:
    from service.core.liveness.parallax import PITCH_STEP, YAW_STEP, Bearing

    found = Steps.of(Bearing(-YAW_STEP, 2 * PITCH_STEP, 1.25, 0.9))
    assert (found.yaw, found.pitch) == (-1, 2)
    assert found.scale == pytest.approx(1)
    assert found.squeezed == 0.9
    assert found.farthest == 2
    assert math.isclose(found.besides("look_up"), 1)
