"""Who passes a liveness session: heads rendered from pictures, and attacks with pictures.

    python -m bench.liveness sessions --data FOLDER      one folder an identity
    python -m bench.liveness poses --data FOLDER

There are no films of people here. A head is one picture of a person that was given a depth
(`tests.head_motion`), moved as asked before a camera; a photograph is the same picture printed
flat, or bent round a cylinder. So the shares say what the geometry tells apart, not how often
people in earnest pass. Sessions run on a clock of their own; frames go through JPEG and the
whole path.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from model.artifact import read_artifact
from model.faces import Detector
from model.types import Image
from service.core.core import Core
from service.core.errors import NoFace
from service.core.liveness.parallax import Anchor, Bearing
from service.core.liveness.start import Sighting
from service.core.perceive import perceive
from service.core.stopwatch import Stopwatch
from tests.head_motion import Follower, Head, Photograph, Stance, jpeg, portrait
from tests.live_session import Outcome, Shot, acted, core_of, enrolled, played

Show = Callable[[Shot], Image | bytes]
_RADIUS = 1.5


@dataclass(frozen=True)
class Person:
    """What one picture is shown as.

    Attributes:
        upright, lying: Bent round a cylinder that stands, or lies.
    """

    head: Head
    flat: Photograph
    upright: Head
    lying: Head


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["sessions", "poses"])
    parser.add_argument("artifact", type=Path, nargs="?", default=Path("models/fused"))
    parser.add_argument("--data", type=Path, required=True, help="one folder an identity")
    parser.add_argument("--people", type=int, default=40)
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    artifact = read_artifact(chosen.artifact)
    core = core_of(artifact)
    folders = sorted(path for path in chosen.data.iterdir() if path.is_dir())
    step = max(1, len(folders) // chosen.people)
    pictures = [sorted(folder.iterdir())[0] for folder in folders[::step]][: chosen.people]
    people = [(data, person) for data, person in _people(pictures, Detector(artifact.detector))]
    if chosen.what == "poses":
        _poses(core, [person for _, person in people])
    else:
        _sessions(core, people)


def _people(pictures: list[Path], detector: Detector) -> Iterator[tuple[bytes, Person]]:
    for path in pictures:
        data = path.read_bytes()
        try:
            made = portrait(data, detector)
        except IndexError:
            print(f"no face: {path.name}")
            continue
        yield (
            data,
            Person(
                Head(*made),
                Photograph(made[0]),
                Head(*made, bend="upright", radius=_RADIUS),
                Head(*made, bend="lying", radius=_RADIUS),
            ),
        )


def _sessions(core: Core, people: list[tuple[bytes, Person]]) -> None:
    """Prints how often each is let through, and why not."""
    told: dict[str, list[str]] = {}
    frames, spent_s = 0, 0.0
    for number, (data, person) in enumerate(people):
        at_hand = enrolled(core, data)
        other = people[(number + 1) % len(people)][1]
        begun = time.process_time()
        live = acted(at_hand, lambda shot, p=person: p.head.frame(shot.stance))  # type: ignore[misc]
        frames, spent_s = frames + len(live.film), spent_s + time.process_time() - begun
        told.setdefault("head that moves as asked", []).append(_said(live))
        for name, show, follower in _attacks(person, other, live):
            outcome = acted(at_hand, show, follower=follower)
            told.setdefault(name, []).append(_said(outcome))
        print(f"{number + 1} of {len(people)}", flush=True)
    print("\n| shown | sessions | passed | refused, why |\n|---|---|---|---|")
    for name, said in told.items():
        why = Counter(one for one in said if one != "live")
        reasons = ", ".join(f"{reason} {count}" for reason, count in why.most_common())
        print(f"| {name} | {len(said)} | {said.count('live')} | {reasons} |")
    render_s = _rendering_s(people[0][1])
    each_ms = 1000 * (spent_s / frames - render_s)
    print(f"\na frame of a session takes {each_ms:.1f} ms of CPU, {1000 / each_ms:.0f} a second")


def _attacks(
    person: Person, other: Person, live: Outcome
) -> Iterator[tuple[str, Show, Follower | None]]:
    flat = person.flat
    yield "photograph, still", lambda _: flat.frame(Stance()), None
    for strength, degrees in ((1.0, 22), (1.8, 40), (2.3, 50)):
        yield (
            f"photograph, tilted by {degrees} degrees and zoomed as asked",
            lambda shot: flat.frame(shot.stance),
            Follower(strength=strength),
        )
    yield (
        "photograph, slid and turned in its plane as asked",
        lambda shot: flat.frame(
            Stance(
                roll=shot.stance.yaw,
                scale=shot.stance.scale,
                right=6 * shot.stance.yaw,
                down=-4 * shot.stance.pitch,
            )
        ),
        None,
    )
    yield (
        "photograph, bent upright (radius 9 cm), turned by 29 degrees as asked",
        lambda shot: person.upright.frame(shot.stance),
        Follower(strength=1.3),
    )
    yield (
        "photograph, bent for each movement as it suits it best",
        lambda shot: _bent_to_suit(person, shot),
        Follower(strength=1.5),
    )
    yield "film of an earlier session", lambda shot: played(live.film, shot.at), None
    yield (
        "another person from the third movement on",
        lambda shot: (other if shot.passed >= 2 else person).head.frame(shot.stance),
        None,
    )
    yield (
        "photograph when still, another person's head for movements",
        lambda shot: (
            flat.frame(shot.stance) if shot.asked.kind == "hold" else other.head.frame(shot.stance)
        ),
        None,
    )


def _bent_to_suit(person: Person, shot: Shot) -> Image:
    nods = abs(shot.stance.pitch) > abs(shot.stance.yaw)
    return (person.lying if nods else person.upright).frame(shot.stance)


def _said(outcome: Outcome) -> str:
    return "live" if outcome.live else outcome.why or "no end"


def _rendering_s(person: Person) -> float:
    """CPU of making a frame, which is no part of a session."""
    begun = time.process_time()
    for turn in range(20):
        jpeg(person.head.frame(Stance(yaw=turn)))
    return (time.process_time() - begun) / 20


def _poses(core: Core, people: list[Person]) -> None:
    """Prints what is measured of heads and of photographs, as quantiles over people."""
    turns = [Stance(yaw=angle) for angle in (-25, -18, 18, 25)]
    nods = [Stance(pitch=angle) for angle in (-22, -16, 16, 22)]
    tilted = [
        replace(stance, scale=scale)
        for stance in (*(Stance(yaw=a) for a in (-50, 50)), *(Stance(pitch=a) for a in (-50, 50)))
        for scale in (1.0, 2.0)
    ]
    print("| shown | yaw: 5 %, median, 95 % | pitch: 5 %, median, 95 % | lost |\n|---|---|---|---|")
    rows: list[tuple[str, list[Stance], Callable[[Person], Callable[[Stance], Image]]]] = [
        ("head", [*turns, *nods], lambda person: person.head.frame),
        ("photograph, flat", [*tilted, Stance(roll=30)], lambda person: person.flat.frame),
        ("photograph, bent upright", turns, lambda person: person.upright.frame),
        ("photograph, bent lying", nods, lambda person: person.lying.frame),
    ]
    for name, stances, shown in rows:
        anchors = [(_anchor(core, shown(person)), shown(person)) for person in people]
        for stance in stances:
            found = [_bearing(core, anchor, frame(stance)) for anchor, frame in anchors if anchor]
            seen = [one for one in found if one is not None]
            how = ", ".join(
                f"{axis} {value:g}"
                for axis, value in vars(stance).items()
                if value != getattr(Stance(), axis)
            )
            cells = [_quantiles([one.yaw for one in seen]), _quantiles([one.pitch for one in seen])]
            print(f"| {name}, {how} | {' | '.join(cells)} | {len(found) - len(seen)} |", flush=True)


def _sighting(core: Core, frame: Image) -> Sighting | None:
    try:
        return Sighting.of(core, perceive(core, jpeg(frame), "largest", Stopwatch()))
    except NoFace:
        return None


def _anchor(core: Core, frame: Callable[[Stance], Image]) -> Anchor | None:
    seen = _sighting(core, frame(Stance()))
    return Anchor(seen.image, seen.landmarks, seen.magnified) if seen else None


def _bearing(core: Core, anchor: Anchor, frame: Image) -> Bearing | None:
    seen = _sighting(core, frame)
    return anchor.bearing(seen.image, seen.landmarks, seen.magnified) if seen else None


def _quantiles(values: list[float]) -> str:
    return ", ".join(f"{value:.3f}" for value in np.quantile(values, (0.05, 0.5, 0.95)))


if __name__ == "__main__":
    main()
