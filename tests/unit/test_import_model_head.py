"""The head of an imported network, its chips and its check, on numbers made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from model.contract import Manifest, Precision
from model.templates import ARCFACE_112
from model.types import Array, Image
from training.data.errors import DataError
from training.importing.agreement import check_agreement
from training.importing.head import fit_head, frame_of
from training.importing.network import ImportedNetworkError, Network
from training.importing.pictures import split
from training.importing.preprocessing import Preprocessing
from training.importing.template import scaled, template_of
from training.pictures import Embedded

random = np.random.default_rng(3)


def people(noise: float, *, count: int = 30, pictures: int = 6, axes: int = 16) -> Embedded:
    """Random points on the sphere, each with pictures around it."""
    centres = random.normal(size=(count, 1, axes))
    rows = centres + noise * random.normal(size=(count, pictures, axes))
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    identities = np.repeat([f"person{number}" for number in range(count)], pictures)
    names = tuple(f"{who}/{row}" for row, who in enumerate(identities))
    return Embedded(names, identities, rows.reshape(-1, axes).astype(np.float32), ())


def distances(embedded: Embedded, frame: Array | None) -> tuple[Array, Array]:
    """L1 distances of all genuine and of all impostor pairs."""
    twins = embedded.embeddings if frame is None else embedded.embeddings @ frame
    apart = np.abs(twins[:, None] - twins[None]).sum(axis=2)
    same = embedded.identities[:, None] == embedded.identities[None]
    first, second = np.triu_indices(len(twins), 1)
    return apart[first, second][same[first, second]], apart[first, second][~same[first, second]]


@pytest.mark.parametrize("framed", [False, pytest.param(True, marks=pytest.mark.long)])
def test_no_other_weight_and_bias_would_be_much_better(framed: bool) -> None:
    """Against a search over a fine grid, on people that were not fitted on."""
    frame = frame_of(16) if framed else None
    head = fit_head(people(0.6, count=60), frame)
    genuine, impostor = distances(people(0.6, count=60), frame)

    def loss(weight: float, bias: float) -> float:
        missed = np.logaddexp(0, weight * genuine - bias).mean()
        false = np.logaddexp(0, bias - weight * impostor).mean()
        return float(missed + false) / 2

    factors = np.geomspace(0.25, 4, 41)
    best = min(loss(a * head.weight, b * head.bias) for a in factors for b in factors)
    assert best < 0.5, "these people can be told apart"
    assert loss(head.weight, head.bias) < 1.05 * best


def test_people_told_apart_without_a_mistake_give_finite_numbers() -> None:
    head = fit_head(people(0.01, count=5, pictures=2), frame_of(16))
    assert 0 < head.weight < 1e4
    assert abs(head.bias) < 1e4
    genuine, impostor = distances(people(0.01, count=5, pictures=2), frame_of(16))
    assert head.weight * genuine.max() < head.bias < head.weight * impostor.min()


def test_a_large_embedding_is_compared_on_its_own_axes() -> None:
    assert frame_of(1025) is None
    frame = frame_of(512)
    assert frame is not None
    assert frame.shape == (512, 2048)


def test_people_who_are_not_told_apart_are_refused() -> None:
    embedded = people(0.1)
    shuffled = Embedded(
        embedded.names, np.tile(np.unique(embedded.identities), 6), embedded.embeddings, ()
    )
    with pytest.raises(DataError, match="is the preprocessing the one"):
        fit_head(shuffled, None)
    equal = Embedded(embedded.names, embedded.identities, np.ones((180, 16), np.float32), ())
    with pytest.raises(DataError, match="equally far apart"):
        fit_head(equal, None)


def test_nobody_is_on_both_sides() -> None:
    embedded = people(0.1, count=9, pictures=3)
    parts = split(embedded)
    fit, measure = set(parts.fit.identities), set(parts.measure.identities)
    assert not fit & measure
    assert fit | measure == set(embedded.identities)
    assert abs(len(fit) - len(measure)) <= 1
    for part in (parts.fit, parts.measure):
        rows = [embedded.index()[name] for name in part.names]
        assert np.array_equal(part.embeddings, embedded.embeddings[rows])
        assert np.array_equal(part.identities, embedded.identities[rows])


class Answers:
    """A runtime of a network that sums up each third of a chip."""

    name = "by hand"
    precision: Precision = "float32"
    manifest: Manifest

    def embed(self, chips: Image) -> Array:
        sums: Array = chips.reshape(len(chips), 3, -1).sum(axis=2).astype(np.float32)
        return sums

    def score(self, probe: Array, references: Array) -> Array:
        raise NotImplementedError


@pytest.mark.parametrize(("channels", "agrees"), [("rgb", True), ("bgr", False)])
def test_a_network_that_is_not_the_one_in_the_file_is_refused(channels: str, agrees: bool) -> None:
    def reference(pictures: Array) -> Array:
        weights = np.array([1, 1, 1] if agrees else [1, 1, 1.2], dtype=np.float32)
        sums: Array = (pictures * weights).reshape(len(pictures), 3, -1).sum(axis=2)
        return sums * np.array([1, 1, agrees], dtype=np.float32)

    network = Network(run=lambda x: x, reference=reference, size=(8, 8), embedding_size=3)
    preprocessing = Preprocessing((0, 0, 0), (1, 1, 1), "bgr" if channels == "bgr" else "rgb")
    chips = random.integers(0, 256, (5, 9, 8, 3), dtype=np.uint8)
    if agrees:
        assert check_agreement(network, preprocessing, Answers(), chips) > 0.999999
    else:
        with pytest.raises(ImportedNetworkError, match=r"agree with the file .* found 0\.\d+; it"):
            check_agreement(network, preprocessing, Answers(), chips)


def test_templates_of_other_sizes() -> None:
    assert np.array_equal(template_of("arcface", (112, 112)), ARCFACE_112)
    assert np.allclose(template_of("scaled", (112, 112)), ARCFACE_112)
    assert np.allclose(scaled((224, 224)), 2 * ARCFACE_112)
    # SphereFace's own points, as published for 112 x 96.
    assert np.allclose(scaled((112, 96))[0], [30.2946, 51.6963])
    assert template_of("1,2,3,4,5,6,7,8,9,10", (20, 30)).tolist()[4] == [9, 10]
