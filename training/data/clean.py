"""`--clean`: of each picture the face that agrees with its folder's majority.

Pictures found by a name on the web show other people too, and sometimes only
others. Nobody knows which face is right, but the right one is the one that comes
back: the search starts from the face with the most pictures that match it, takes
from each picture the face nearest to the mean of what agrees, and goes on until
nothing changes. A match is a score above the artifact's detection threshold.
"""

from __future__ import annotations

import numpy as np

from model.runtimes.base import Runtime
from model.types import AnyArray, Array
from training.data.decide import Choose
from training.data.look import Look

_MOST_ROUNDS = 20


def by_agreement(runtime: Runtime) -> Choose:
    """The choice for `decide`; the looks must carry embeddings."""

    def choose(identity: str, looks: list[Look]) -> list[int | str]:
        if len(looks) == 1:
            # One picture has no majority to disagree with.
            return [0]
        return _choose(looks, runtime)

    return choose


def _choose(looks: list[Look], runtime: Runtime) -> list[int | str]:
    rows = [look.embeddings for look in looks if look.embeddings is not None]
    assert len(rows) == len(looks), "looked at without a runtime"
    if not rows:
        return []
    faces = np.concatenate(rows)
    picture_of = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
    threshold = runtime.manifest.detection_threshold
    scores = _majority_scores(faces, picture_of, runtime, threshold)
    if scores is None:
        return ["no face comes back in another picture of the folder" for _ in looks]
    chosen: list[int | str] = []
    for number in range(len(looks)):
        own = scores[picture_of == number]
        best = int(np.argmax(own))
        if own[best] > threshold:
            chosen.append(best)
        else:
            chosen.append(
                f"the best of {len(own)} faces scores {own[best]:.3f} against the folder's "
                f"majority, not above {threshold:.3f}"
            )
    return chosen


def _majority_scores(
    faces: Array, picture_of: AnyArray, runtime: Runtime, threshold: float
) -> Array | None:
    """Score of each face against the majority's mean, or None if no two pictures match.

    Args:
        faces: Embeddings. Shape (F, D).
        picture_of: Number of each face's picture. Shape (F,).
    """
    votes = []
    for row in range(len(faces)):
        matched = runtime.score(faces[row], faces) > threshold
        # Twice in one picture is one vote, and a face does not vote for itself.
        votes.append(len(set(picture_of[matched]) - {picture_of[row]}))
    if max(votes) == 0:
        return None
    scores = runtime.score(faces[int(np.argmax(votes))], faces)
    members: AnyArray = np.array([], dtype=int)
    for _ in range(_MOST_ROUNDS):
        best = _best_of_each(scores, picture_of)
        agreeing = best[scores[best] > threshold]
        if np.array_equal(agreeing, members):
            break
        members = agreeing
        mean = faces[members].mean(axis=0)
        scores = runtime.score((mean / np.linalg.norm(mean)).astype(np.float32), faces)
    return scores


def _best_of_each(scores: Array, picture_of: AnyArray) -> AnyArray:
    """The row of each picture's best face."""
    order = np.lexsort((-scores, picture_of))
    _, first = np.unique(picture_of[order], return_index=True)
    return np.asarray(order[first])
