"""Which pictures are kept, which face of each, and why the others are not.

A function of the looks alone, so a run that was interrupted comes to the same end.
In this order: unreadable, duplicates within an identity, no face, the choice of a
face, duplicates across identities, near-duplicates. The first of equals is kept;
across identities only what is left of each folder is compared, so that a picture
in a wrong folder does not cost the right one its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from model.faces import nearest_centre
from training.data.fingerprints import near_pairs
from training.data.look import Look
from training.data.source import Picture


class FaceChoice(StrEnum):
    """Which face of a picture is taken."""

    LARGEST = "largest"
    CENTER = "center"


class Reason(StrEnum):
    """Why a picture was dropped."""

    UNREADABLE = "unreadable"
    EXACT_DUPLICATE = "exact_duplicate"
    EXACT_DUPLICATE_ACROSS = "exact_duplicate_of_another_identity"
    NO_FACE = "no_face"
    DISAGREES = "disagrees_with_folder"
    NEAR_DUPLICATE = "near_duplicate"


@dataclass(frozen=True)
class Dropped:
    picture: Picture
    reason: Reason
    detail: str


@dataclass(frozen=True)
class Kept:
    """A picture and the number of its face among the look's."""

    picture: Picture
    face: int


@dataclass(frozen=True)
class NearPair:
    """Two pictures that look alike: the later one, the first, differing bits of 64."""

    picture: Picture
    first: Picture
    bits: int


@dataclass(frozen=True)
class Decision:
    kept: tuple[Kept, ...]
    dropped: tuple[Dropped, ...]
    near: tuple[NearPair, ...]


Choose = Callable[[str, list[Look]], list[int | str]]
"""An identity and its looks with faces -> for each a face's number, or why none is taken."""


def by_place(choice: FaceChoice) -> Choose:
    """Takes the largest face, or the one nearest the middle."""

    def choose(identity: str, looks: list[Look]) -> list[int | str]:
        if choice is FaceChoice.LARGEST:
            return [0 for _ in looks]
        return [look.faces.index(nearest_centre(list(look.faces), look.size)) for look in looks]

    return choose


def decide(
    pictures: list[Picture], looks: dict[str, Look], choose: Choose, *, drop_near: bool
) -> Decision:
    """Decides on every picture.

    Args:
        looks: By name; one for each picture.
        drop_near: Near-duplicates are dropped, not only reported.
    """
    dropped: list[Dropped] = []
    kept: list[Kept] = []
    for identity, group in _by_identity(pictures).items():
        usable = _usable(group, looks, dropped)
        for picture, chosen in zip(
            usable, choose(identity, [looks[one.name] for one in usable]), strict=True
        ):
            if isinstance(chosen, int):
                kept.append(Kept(picture, chosen))
            else:
                dropped.append(Dropped(picture, Reason.DISAGREES, chosen))
    kept = _without_duplicates_across(kept, looks, dropped)
    hashes = [looks[one.picture.name].perceptual for one in kept]
    near: dict[int, NearPair] = {}
    for first, later, bits in near_pairs(hashes):
        # Each is compared with what stays: a chain of small steps drops no stranger.
        if first not in near and later not in near:
            near[later] = NearPair(kept[later].picture, kept[first].picture, bits)
    if drop_near:
        dropped += [
            Dropped(
                pair.picture,
                Reason.NEAR_DUPLICATE,
                f"looks like {pair.first.name} ({pair.bits} of 64 bits differ)",
            )
            for pair in near.values()
        ]
        kept = [one for row, one in enumerate(kept) if row not in near]
    order = {picture.name: number for number, picture in enumerate(pictures)}
    dropped.sort(key=lambda one: order[one.picture.name])
    return Decision(tuple(kept), tuple(dropped), tuple(near[row] for row in sorted(near)))


def _usable(group: list[Picture], looks: dict[str, Look], dropped: list[Dropped]) -> list[Picture]:
    """The pictures of an identity that can be read, are the first of their kind, have a face."""
    usable = []
    first: dict[str, str] = {}
    for picture in group:
        look = looks[picture.name]
        if look.fault is not None:
            dropped.append(Dropped(picture, Reason.UNREADABLE, look.fault))
        elif look.content in first:
            detail = f"the same pixels as {first[look.content]}"
            dropped.append(Dropped(picture, Reason.EXACT_DUPLICATE, detail))
        else:
            first[look.content] = picture.name
            if look.faces:
                usable.append(picture)
            else:
                dropped.append(Dropped(picture, Reason.NO_FACE, "no face was found"))
    return usable


def _without_duplicates_across(
    kept: list[Kept], looks: dict[str, Look], dropped: list[Dropped]
) -> list[Kept]:
    first: dict[str, str] = {}
    left = []
    for one in kept:
        content = looks[one.picture.name].content
        if content in first:
            detail = f"the same pixels as {first[content]}, of another identity"
            dropped.append(Dropped(one.picture, Reason.EXACT_DUPLICATE_ACROSS, detail))
        else:
            first[content] = one.picture.name
            left.append(one)
    return left


def _by_identity(pictures: list[Picture]) -> dict[str, list[Picture]]:
    groups: dict[str, list[Picture]] = {}
    for picture in pictures:
        groups.setdefault(picture.identity, []).append(picture)
    return groups


def count_reasons(dropped: tuple[Dropped, ...]) -> dict[str, int]:
    """How many were dropped for each reason, also those for which none was."""
    counts = Counter(one.reason for one in dropped)
    return {reason.value: counts[reason] for reason in Reason}
