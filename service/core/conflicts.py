"""Conflicts: does a picture belong to whom it is enrolled as?

A picture is in conflict when it is outside of the group of the identity's own
references (`agreement`), or when another identity has a reference that matches
it beyond chance and better than each that is stored of its own (`search`). The
stored references are trusted against those that come in: five pictures of
somebody else agree with each other and are five conflicts all the same.

While two models are loaded, other identities are searched by both: each by the model
that its references are of.

The very same picture is looked at once: a copy would be its own witness. One
that is stored already is not looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

import numpy as np

from model.types import Array
from service.core.agreement import Agreement, agreements
from service.core.core import Core
from service.core.errors import InvalidRequest, UnknownIdentity
from service.core.gallery import matrix, references_where_possible
from service.core.policy import ConflictMode
from service.core.ports import NewReference, Reference
from service.core.results import ConflictKind
from service.core.search import Other, best_of, search

CONFLICT: Final = "identity_conflict"
"""The code of a conflict, and of an image that is refused for it."""


@dataclass(frozen=True)
class Finding:
    """Why a picture is in conflict.

    Attributes:
        own: Scores with the identity's stored references or, where there is none,
            with the other pictures of the request; None if there are none either.
        other: The best match among other identities, whatever its score; None if
            there is none or it was not searched for.
    """

    kind: ConflictKind
    own: Agreement | None
    other: Other | None


@dataclass(frozen=True)
class Findings:
    """Of the pictures of one enrolment.

    Attributes:
        by_position: Those in conflict alone, by their place among the pictures.
        others_searched: Whether other identities were looked at.
    """

    by_position: dict[int, Finding]
    others_searched: bool


def mode_in_force(setting: ConflictMode, requested: ConflictMode | None) -> ConflictMode:
    """The mode of a request: the operator's, or a stricter one that is asked for.

    Raises:
        InvalidRequest: If a weaker one is asked for.
    """
    order: tuple[ConflictMode, ...] = get_args(ConflictMode)
    if requested is None:
        return setting
    if order.index(requested) < order.index(setting):
        raise InvalidRequest(
            f"conflicts must be at least as strict as the operator's '{setting}', "
            f"found '{requested}'"
        )
    return requested


def find_conflicts(
    core: Core,
    identity: str,
    new: Sequence[NewReference],
    elsewhere: Sequence[tuple[Core, Array]] = (),
) -> Findings:
    """Which of the new pictures do not seem to be of the identity; stores nothing.

    Args:
        core: By the model that handles the identity, and embedded `new`.
        elsewhere: The core by each other model, with its embeddings of `new`, (N, D).
    """
    stored = _stored(core, identity)
    known = {reference.content_hash for reference in stored}
    first: dict[str, int] = {}
    for position, item in enumerate(new):
        if item.content_hash not in known:
            first.setdefault(item.content_hash, position)
    places = list(first.values())
    judged = [new[position] for position in places]
    if not judged:
        return Findings({}, others_searched=False)
    probes = np.stack([item.embedding for item in judged])
    usable = [item for item in stored if item.fingerprint == core.fingerprint]
    everything = np.concatenate([matrix(usable), probes]) if usable else probes
    trusted = np.arange(len(everything)) < len(usable)
    own = agreements(core.model, everything, trusted)[len(usable) :]
    by_model = [(core, probes), *((other, rows[places]) for other, rows in elsewhere)]
    others = _others(by_model, identity)
    best = others if others else [(None, 1.0)] * len(judged)
    findings = {}
    for item, agreement, (other, chance) in zip(judged, own, best, strict=True):
        kind = kind_of(agreement, other, chance, new_identity=not usable)
        if kind is not None:
            findings[item.content_hash] = Finding(kind, agreement, other)
    return Findings(
        {
            position: findings[item.content_hash]
            for position, item in enumerate(new)
            if item.content_hash in findings
        },
        others_searched=others is not None,
    )


def kind_of(
    own: Agreement | None, other: Other | None, chance: float, *, new_identity: bool
) -> ConflictKind | None:
    """The conflict there is, if any.

    Args:
        chance: Score that strangers do not reach, however many were compared.
        new_identity: Nothing is stored of it: its pictures vouch for each other,
            not for its name.
    """
    unvouched = new_identity or own is None or (other and other.score > own.best)
    if other and other.score > chance and unvouched:
        return "like_another_identity"
    return "unlike_own_references" if own and own.outlier else None


def in_words(finding: Finding, identity_shown: str | None) -> str:
    """The conflict as a clause, without the scores."""
    if finding.kind == "like_another_identity":
        name = f", '{identity_shown}'" if identity_shown else ""
        return f"the face matches another enrolled identity{name}"
    return "the face does not match this identity's other references"


def reference_agreements(core: Core, identity: str) -> list[tuple[Reference, Agreement | None]]:
    """References of an identity, oldest first, each with its agreement with the others.

    None where there is no other, or where it is another model's and cannot be made again.

    Raises:
        UnknownIdentity
    """
    core, references = references_where_possible(core, identity)
    usable = [item for item in references if item.fingerprint == core.fingerprint]
    found: list[Agreement | None] = []
    if usable:
        nobody = np.zeros(len(usable), dtype=bool)
        found = agreements(core.model, matrix(usable), nobody)
    by_id = {item.reference_id: one for item, one in zip(usable, found, strict=True)}
    return [(item, by_id.get(item.reference_id)) for item in references]


def _stored(core: Core, identity: str) -> list[Reference]:
    try:
        return references_where_possible(core, identity)[1]
    except UnknownIdentity:
        return []


def _others(
    by_model: Sequence[tuple[Core, Array]], identity: str
) -> list[tuple[Other | None, float]] | None:
    """For each probe the best match among others, and the score that is no chance.

    None if they were not searched.
    """
    searches = []
    for core, probes in by_model:
        found = search(core, identity, probes)
        if found is None:
            return None
        searches.append((core.model.manifest, found))
    return best_of(searches)
