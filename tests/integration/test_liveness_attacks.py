"""Who is let through a liveness session, and who is not: real frames, a real model.

Heads and photographs are rendered from official portraits (`tests.head_motion`).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from model.artifact import Artifact
from model.faces import Detector
from model.types import Image
from service.core.core import Core
from service.core.errors import IdentityLocked, TooManyFailures
from service.core.liveness.challenges import MOVEMENTS, Movement, random_challenges
from service.core.liveness.session import Session
from tests.faces import Faces
from tests.head_motion import Follower, Head, Photograph, Stance, jpeg, portrait
from tests.live_session import IDENTITY, Shot, acted, core_of, enrolled, of, played


@pytest.fixture(scope="module")
def core(artifact: Artifact, faces: Faces) -> Core:
    return enrolled(core_of(artifact), faces.read("obama.jpg"))


@pytest.fixture(scope="module")
def heads(artifact: Artifact, faces: Faces) -> dict[str, Head]:
    detector = Detector(artifact.detector)
    names = ("obama.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")
    return {name: Head(*portrait(faces.read(name), detector)) for name in names}


@pytest.fixture(scope="module")
def print_out(artifact: Artifact, faces: Faces) -> Photograph:
    return Photograph(portrait(faces.read("obama3.jpg"), Detector(artifact.detector))[0])


ALL_WAYS: tuple[Movement, ...] = ("turn_left", "look_up", "come_closer", "look_down")


# Who is there


@pytest.mark.parametrize(
    "name",
    [
        "obama3.jpg",
        pytest.param("biden.jpg", marks=pytest.mark.long),
        pytest.param("astronaut.png", marks=pytest.mark.long),
    ],
)
def test_a_head_that_moves_as_asked_is_live(core: Core, heads: dict[str, Head], name: str) -> None:
    done = acted(core, lambda shot: heads[name].frame(shot.stance))
    assert (done.live, done.why, done.session.passed) == (True, None, 4)
    assert 5 < done.seconds < 30
    assert done.session.embedding.shape == (core.model.manifest.embedding_size,)
    assert np.linalg.norm(done.session.embedding) == pytest.approx(1, abs=1e-3)


@pytest.mark.long
def test_each_of_the_movements_is_seen(core: Core, heads: dict[str, Head]) -> None:
    for movements in (MOVEMENTS[:3], MOVEMENTS[3:]):
        done = acted(
            core, lambda shot: heads["obama3.jpg"].frame(shot.stance), challenges=of(*movements)
        )
        assert done.live, (movements, done.session.passed, done.why)


# A photograph


def test_a_still_photograph(core: Core, print_out: Photograph) -> None:
    done = acted(core, lambda _: print_out.frame(Stance()), challenges=of(*ALL_WAYS))
    assert (done.live, done.why, done.session.passed) == (False, "timed_out", 0)


@pytest.mark.parametrize(
    "strength",
    [
        pytest.param(1.0, marks=pytest.mark.long),
        1.8,
        pytest.param(2.4, marks=pytest.mark.long),
    ],
)
def test_a_photograph_tilted_zoomed_and_moved_as_asked(
    core: Core, print_out: Photograph, strength: float
) -> None:
    """It comes closer as well as anybody, and no turn or nod is seen in it."""
    for movements in (ALL_WAYS, ("come_closer", "look_down", "turn_right")):
        done = acted(
            core,
            lambda shot: print_out.frame(shot.stance),
            follower=Follower(strength=strength),
            challenges=of(*movements),
        )
        assert not done.live
        assert done.why in ("timed_out", "flat")
        assert done.session.passed == (movements[0] == "come_closer")


def test_a_photograph_tilted_far_is_called_flat(core: Core, print_out: Photograph) -> None:
    done = acted(
        core,
        lambda shot: print_out.frame(shot.stance),
        follower=Follower(strength=2.0),
        challenges=of("turn_left", "look_up"),
    )
    assert (done.live, done.why) == (False, "flat")


@pytest.mark.long
def test_a_photograph_slid_and_turned_in_its_plane_as_asked(
    core: Core, print_out: Photograph
) -> None:
    def slid(shot: Shot) -> Image:
        yaw, pitch = shot.stance.yaw, shot.stance.pitch
        flat = Stance(right=6 * yaw, down=-4 * pitch, roll=yaw, scale=shot.stance.scale)
        return print_out.frame(flat)

    done = acted(core, slid, challenges=of("turn_left", "look_up"))
    assert (done.live, done.session.passed) == (False, 0)
    assert done.why in ("timed_out", "flat", "jumped")


# A film


def test_the_film_of_an_earlier_session(core: Core, heads: dict[str, Head]) -> None:
    """Shown again it fits neither the new movements nor their times."""
    first = acted(
        core,
        lambda shot: heads["obama3.jpg"].frame(shot.stance),
        challenges=of("turn_left", "look_up"),
    )
    assert first.live
    again = acted(
        core, lambda shot: played(first.film, shot.at), challenges=of("look_up", "turn_left")
    )
    assert not again.live
    assert again.why in ("wrong_movement", "too_soon", "timed_out")


@pytest.mark.long
def test_the_right_movements_at_the_times_of_an_earlier_session(
    core: Core, heads: dict[str, Head]
) -> None:
    """The film has the movements that are asked for, and makes them before they are."""
    movements: tuple[Movement, ...] = ("turn_left", "look_up", "turn_right", "look_down")
    first = acted(
        core,
        lambda shot: heads["obama3.jpg"].frame(shot.stance),
        challenges=of(*movements, wait_s=0.7),
    )
    assert first.live
    again = acted(
        core, lambda shot: played(first.film, shot.at), challenges=of(*movements, wait_s=2.0)
    )
    assert not again.live
    # Too soon for this movement, and by the next one it is the wrong one.
    assert again.why in ("too_soon", "wrong_movement", "timed_out")


# Somebody else


def test_another_person_takes_over_half_way(core: Core, heads: dict[str, Head]) -> None:
    """At the same place, of the same size, between two movements."""
    done = acted(
        core,
        lambda shot: heads["biden.jpg" if shot.passed >= 1 else "obama3.jpg"].frame(shot.stance),
        challenges=of(*ALL_WAYS),
    )
    assert (done.live, done.why, done.session.passed) == (False, "another_person", 1)


def test_a_photograph_when_still_and_a_live_person_for_the_movements(
    core: Core, heads: dict[str, Head], print_out: Photograph
) -> None:
    def swapped(shot: Shot) -> Image:
        if shot.asked.kind == "hold":
            return print_out.frame(shot.stance)
        return heads["biden.jpg"].frame(shot.stance)

    done = acted(core, swapped, challenges=of("turn_left", "look_up"))
    assert (done.live, done.session.passed) == (False, 0)
    # Another nose at once is a movement before it was asked for.
    assert done.why in ("another_person", "too_soon", "wrong_movement", "timed_out")


def test_a_second_face_beside_the_first(core: Core, heads: dict[str, Head]) -> None:
    def both(shot: Shot) -> Image:
        frame = heads["obama3.jpg"].frame(shot.stance)
        if shot.passed:
            other = heads["biden.jpg"].frame(Stance())
            frame[100:400, :200] = cv2.resize(other[100:400, 220:420], (200, 300))
        return frame

    done = acted(core, both, challenges=of("come_closer", "look_up"))
    assert (done.live, done.why) == (False, "several_faces")


# Frames


def test_the_face_is_suddenly_elsewhere(core: Core, heads: dict[str, Head]) -> None:
    def jumping(shot: Shot) -> Image:
        frame = heads["obama3.jpg"].frame(shot.stance)
        return np.roll(frame, 220, axis=1) if shot.passed else frame

    done = acted(core, jumping, challenges=of("turn_left", "look_up"))
    assert (done.live, done.why) == (False, "jumped")


@pytest.mark.long
def test_the_face_is_away_for_a_while(core: Core, heads: dict[str, Head]) -> None:
    blank = np.full((480, 640, 3), 128, np.uint8)
    for gone_s, why in ((0.5, None), (1.5, "lost_face")):
        since: list[float] = []

        def away(shot: Shot, gone_s: float = gone_s, since: list[float] = since) -> Image:
            if shot.passed and shot.asked.kind == "hold":
                since.append(shot.at)
                if shot.at - since[0] < gone_s:
                    return blank
            return heads["obama3.jpg"].frame(shot.stance)

        done = acted(core, away, challenges=of("turn_left", "look_up"))
        assert (done.live, done.why) == (why is None, why)


def test_a_movement_before_it_was_asked_for(core: Core, heads: dict[str, Head]) -> None:
    still_since: list[float] = []

    def eager(shot: Shot) -> Image:
        stance = shot.stance
        if shot.passed and shot.asked.kind == "hold":
            still_since.append(shot.at)
            # Back and at rest for a moment; it would be asked to nod a second later.
            if shot.at - still_since[0] > 2.2:
                stance = replace(stance, pitch=20.0)
        return heads["obama3.jpg"].frame(stance)

    done = acted(core, eager, challenges=of("turn_left", "look_up", wait_s=2.0))
    assert (done.live, done.why) == (False, "too_soon")


def test_another_movement_than_asked(core: Core, heads: dict[str, Head]) -> None:
    def mirrored(shot: Shot) -> Image:
        return heads["obama3.jpg"].frame(replace(shot.stance, yaw=-shot.stance.yaw * 1.3))

    done = acted(core, mirrored, challenges=of("turn_left", "look_up"))
    assert (done.live, done.why) == (False, "wrong_movement")


def test_a_picture_turned_that_is_put_in_the_place_of_one_from_the_front(
    core: Core, heads: dict[str, Head]
) -> None:
    """A head is seen on its way; pictures that are exchanged are not."""
    done = acted(
        core,
        lambda shot: heads["obama3.jpg"].frame(shot.stance),
        follower=Follower(takes_s=0.001),
        challenges=of("turn_left", "look_up"),
    )
    assert (done.live, done.session.passed) == (False, 0)
    assert done.why in ("jumped", "timed_out")


# Again and again


def test_sessions_in_vain_are_counted_slowed_down_and_locked_out(
    core: Core, faces: Faces, heads: dict[str, Head]
) -> None:
    core = enrolled(core, faces.read("obama.jpg"), throttle_after=1)
    outcome = acted(
        core,
        lambda _: heads["obama3.jpg"].frame(Stance()),
        challenges=of("turn_left", "look_up"),
    )
    assert not outcome.live
    outcome.session.end()
    outcome.session.end()
    assert core.store.standing(IDENTITY).failures == 1
    with pytest.raises(TooManyFailures):
        Session(core, IDENTITY, random_challenges())
    locked = replace(core, policy=replace(core.policy, throttle_after=0, lock_after=1))
    with pytest.raises(IdentityLocked):
        Session(locked, IDENTITY, random_challenges())


def test_who_leaves_after_a_movement_was_asked_for_has_failed(
    core: Core, faces: Faces, heads: dict[str, Head]
) -> None:
    core = enrolled(core, faces.read("obama.jpg"), throttle_after=5)
    now = [0.0]
    session = Session(core, IDENTITY, of("turn_left", "look_up"), lambda: now[0])
    session.end()
    assert core.store.standing(IDENTITY).failures == 0
    session = Session(core, IDENTITY, of("turn_left", "look_up"), lambda: now[0])
    frame = jpeg(heads["obama3.jpg"].frame(Stance()))
    while session.look(frame, now[0]).asked is None:
        now[0] += 0.1
        assert now[0] < 5
    session.end()
    assert core.store.standing(IDENTITY).failures == 1


@pytest.mark.long
def test_one_that_is_passed_forgets_no_failures(
    core: Core, faces: Faces, heads: dict[str, Head]
) -> None:
    """It says that somebody is there, not who."""
    core = enrolled(core, faces.read("obama.jpg"), throttle_after=5)
    core.store.add_failure(IDENTITY)
    done = acted(
        core,
        lambda shot: heads["biden.jpg"].frame(shot.stance),
        challenges=of("turn_left", "look_up"),
    )
    assert done.live
    done.session.end()
    assert core.store.standing(IDENTITY).failures == 1


def test_what_keeps_it_from_beginning_is_said(core: Core, heads: dict[str, Head]) -> None:
    now = 0.0
    session = Session(core, IDENTITY, of("turn_left", "look_up"), lambda: now)
    head = heads["obama3.jpg"]
    dark = (head.frame(Stance()) * 0.1).astype(np.uint8)
    away = head.frame(Stance(yaw=40))
    for number, (frame, code) in enumerate(
        [(dark, "LowQuality"), (away, "LowQuality"), (np.zeros_like(dark), "NoFace")]
    ):
        seen = session.look(jpeg(frame), number / 10)
        assert type(seen.problem).__name__ == code
    assert session.look(b"no picture", 0.5).problem is not None
    session.look(jpeg(dark), 15.1)
    assert session.ended == "timed_out"
