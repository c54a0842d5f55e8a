"""The quick scores of all pairs are those of the artifact's own head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.artifact import Artifact
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.types import Array, Image
from training.distance_head import known_head, score_all
from training.pairs import all_pairs
from training.pictures import Embedded


class _OtherHead:
    """The same model with scores by another head."""

    def __init__(self, runtime: OpenVinoRuntime) -> None:
        self._runtime = runtime
        self.manifest = runtime.manifest
        self.name = runtime.name
        self.precision = runtime.precision

    def embed(self, chips: Image) -> Array:
        return self._runtime.embed(chips)

    def score(self, probe: Array, references: Array) -> Array:
        return np.sqrt(self._runtime.score(probe, references))


def unit_rows(count: int, size: int) -> Array:
    """People of five pictures each, from alike to unlike."""
    generator = np.random.default_rng(4)
    centres = np.repeat(generator.normal(size=(count // 5, size)), 5, axis=0)
    rows = centres + generator.normal(size=(count, size)) * generator.uniform(0.1, 2, (count, 1))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def embedded_rows(runtime: OpenVinoRuntime, count: int) -> Embedded:
    rows = unit_rows(count, runtime.manifest.embedding_size)
    owners = np.repeat(np.arange(count // 5), 5).astype(str)
    names = tuple(f"{owner}/{number}.jpg" for number, owner in enumerate(owners))
    return Embedded(names, owners, rows, ())


def test_all_pairs_have_the_scores_of_the_runtime(artifact: Artifact) -> None:
    runtime = OpenVinoRuntime(artifact)
    embedded = embedded_rows(runtime, 60)
    assert known_head(runtime, embedded.embeddings) is not None
    pairs = all_pairs(embedded, runtime, quiet=True)
    expected = np.concatenate(
        [
            runtime.score(embedded.embeddings[row], embedded.embeddings[row + 1 :])
            for row in range(59)
        ]
    )
    assert np.ptp(expected) > 0.5
    np.testing.assert_allclose(pairs.scores, expected, atol=2e-5)


def test_an_artifact_with_another_head_is_asked_itself(artifact: Artifact) -> None:
    runtime = OpenVinoRuntime(artifact)
    other = _OtherHead(runtime)
    embedded = embedded_rows(runtime, 20)
    assert known_head(other, embedded.embeddings) is None
    pairs = all_pairs(embedded, other, quiet=True)
    assert pairs.scores[0] == other.score(embedded.embeddings[0], embedded.embeddings[1:2])[0]


def test_a_name_that_is_no_default_model_is_not_looked_up(artifact: Artifact) -> None:
    runtime = OpenVinoRuntime(
        replace(artifact, manifest=artifact.manifest.model_copy(update={"name": "../fused"}))
    )
    assert known_head(runtime, unit_rows(10, artifact.manifest.embedding_size)) is None


def test_two_pictures_have_one_score(artifact: Artifact) -> None:
    runtime = OpenVinoRuntime(artifact)
    rows = unit_rows(10, artifact.manifest.embedding_size)[:2]
    head = known_head(runtime, rows)
    assert head is not None
    scores = np.zeros(1, dtype=np.float32)
    score_all(head, rows, scores)
    np.testing.assert_allclose(scores, runtime.score(rows[0], rows[1:]), atol=2e-5)
