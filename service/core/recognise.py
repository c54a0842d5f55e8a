"""Recognise: who is each face of a picture, of all that are enrolled?

While two models are loaded each reference is scored by the one that embedded it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from service.core.candidates import Ranked, candidates
from service.core.core import Core
from service.core.every_face import EmbeddedFace, every_percept
from service.core.perceive import chip_by
from service.core.stopwatch import Stopwatch


@dataclass(frozen=True)
class Recognised:
    """Attributes: ranked: The highest score first, of those that do not match, too."""

    face: EmbeddedFace
    ranked: tuple[Ranked, ...]


def recognise(
    core: Core,
    data: bytes,
    watch: Stopwatch,
    *,
    count: int,
    least_confidence: float = 0.0,
    most: int = 0,
) -> tuple[Recognised, ...]:
    """The faces of a picture, the largest first.

    Args:
        count: How many identities each is told of, at most.
        least_confidence, most: As of `service.core.every_face.every_face`.

    Raises:
        ImageError, NoFace
    """
    percepts = every_percept(core, data, watch, least_confidence, most=most)
    ranked: list[list[Ranked]] = [[] for _ in percepts]
    embedded: list[EmbeddedFace] = []
    for one in core.each():
        own = one.fingerprint == core.fingerprint
        with watch.stage("embed"):
            chips = [percept.chip if own else chip_by(one, percept) for percept in percepts]
            embeddings = one.model.embed(np.stack(chips))
        if own:
            embedded = [
                EmbeddedFace(percept.found, embedding)
                for percept, embedding in zip(percepts, embeddings, strict=True)
            ]
        with watch.stage("search"):
            for found, embedding in zip(ranked, embeddings, strict=True):
                found.extend(candidates(one, embedding, count))
    return tuple(
        Recognised(face, _best(found)[:count]) for face, found in zip(embedded, ranked, strict=True)
    )


def _best(found: list[Ranked]) -> tuple[Ranked, ...]:
    """Each identity once; who matches by its own model comes before who does not."""
    best: dict[str, Ranked] = {}
    for one in sorted(found, key=lambda one: (one.matched, one.score), reverse=True):
        best.setdefault(one.identity, one)
    return tuple(best.values())
