"""What the candidates of an index miss, and who is taken for somebody or not found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.progress import track

from bench.identify.people import ENROLLED, SEED, Distractors, split
from model.types import AnyArray, Array
from service.core import identify
from service.core.fpir import bar
from service.core.ports import FaceModel
from service.core.sketches import Sketches
from service.core.vectors import Blocks, Vectors
from training.evaluation.text import TextTable, markdown
from training.pictures import Embedded

_FPIRS = (0.1, 0.01)


def rates(model: FaceModel, people: Embedded, most_probes: int, sizes: Sequence[int]) -> str:
    """Recall of the candidates, and false identifications, as Markdown."""
    references, mated, strangers, owner = split(people)
    generator = np.random.default_rng(SEED)
    mated, strangers = (generator.permutation(rows)[:most_probes] for rows in (mated, strangers))
    distractors = Distractors(people.embeddings)
    recalls: list[tuple[str, ...]] = []
    errors: list[tuple[str, ...]] = []
    for size in sizes:
        more = distractors.drawn(size)
        gallery = np.concatenate([people.embeddings[references], more])
        owners = np.concatenate([owner[references], np.arange(size) + len(owner)])
        vectors: dict[str, Vectors] = {"exact": Blocks()}
        if size:
            vectors["approximate"] = Sketches(gallery.shape[1])
        for one in vectors.values():
            one.put(np.arange(len(gallery)), gallery)
        looked = [
            (row, model.score(people.embeddings[row], gallery))
            for row in track([*mated, *strangers], f"score all of {len(gallery)}")
        ]
        who = np.array([owners[int(scores.argmax())] for _, scores in looked])
        right = who[: len(mated)] == owner[mated]
        for way, one in vectors.items():
            hits = [
                _recalled(one, people.embeddings[row], scores, owners) for row, scores in looked
            ]
            own = np.array(hits)[: len(mated)][right, 0].mean()
            means = (own, *np.mean(hits, axis=0))
            recalls.append((f"{len(gallery)}", way, *(f"{100 * mean:.2f} %" for mean in means)))
        best = np.array([scores.max() for _, scores in looked])
        for wanted in _FPIRS:
            limit = _bar(model, len(gallery), wanted)
            above = best > limit.threshold.value
            assert limit.fpir is not None
            errors.append(
                (
                    f"{len(gallery)}",
                    f"{wanted:g}",
                    f"{limit.fpir:.2g}",
                    f"{100 * above[len(mated) :].mean():.2f} %",
                    f"{100 * (1 - right.mean()):.2f} %",
                    f"{100 * (1 - (right & above[: len(mated)]).mean()):.2f} %",
                )
            )
    counts = (
        f"{len(np.unique(owner[references]))} people with {ENROLLED} references each; "
        f"{len(mated)} probes of them, {len(strangers)} of others"
    )
    recall = (
        *("references", "search", "own identity found, where it is the best"),
        *("best identity found", "best five found"),
    )
    error = (
        *("references", "max_fpir", "fpir in the answer", "strangers taken for somebody (FPIR)"),
        *("own identity not first", "not first, or below the threshold (FNIR)"),
    )
    tables = (TextTable("", recall, tuple(recalls)), TextTable("", error, tuple(errors)))
    return "\n\n".join((counts, *map(markdown, tables)))


def _recalled(
    vectors: Vectors, probe: Array, scores: Array, owners: AnyArray
) -> tuple[float, float]:
    """Whether the best identity by all scores is among the candidates; share of the best five."""
    count = max(identify._FEWEST, identify._EACH * identify.DEFAULT_CANDIDATES)
    (slots,) = vectors.nearest(probe[None], count)
    found = _best_five(scores[slots], owners[slots])
    right = _best_five(scores, owners)
    return float(found[:1] == right[:1]), len(set(found) & set(right)) / max(len(right), 1)


def _best_five(scores: Array, owners: AnyArray) -> list[int]:
    order = np.argsort(-scores, kind="stable")[:200]
    return list(dict.fromkeys(owners[order].tolist()))[:5]


def _bar(model: FaceModel, references: int, wanted: float) -> Any:
    calibration = model.manifest.calibration
    return bar(calibration, references, detection=None, max_fpir=None, default=wanted)
