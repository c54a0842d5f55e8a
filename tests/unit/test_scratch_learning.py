"""What the NumPy network learns, and that it learns the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from training.scratch.examples import split
from training.scratch.learning import deep_neural_network
from training.scratch.network import forward_propagation, init_dl, predict
from training.scratch.types import Float

XOR_X = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]])
XOR_Y = np.array([[0.0, 1.0, 1.0, 0.0]])


def two_moons(m: int, seed: int) -> tuple[Float, Float]:
    """Two half circles in each other's way, with noise; m examples of each."""
    generator = np.random.default_rng(seed)
    angle = generator.uniform(0, np.pi, (2, m))
    upper = np.stack([np.cos(angle[0]), np.sin(angle[0])])
    lower = np.stack([1 - np.cos(angle[1]), 0.5 - np.sin(angle[1])])
    X = np.concatenate([upper, lower], axis=1)
    return X + 0.1 * generator.standard_normal(X.shape), np.repeat([[0.0, 1.0]], m, axis=1)


def test_the_parameters_of_seed_1_are_the_papers() -> None:
    parameters = init_dl([2, 3, 1])
    assert {name: array.shape for name, array in parameters.items()} == {
        "W1": (3, 2),
        "b1": (3, 1),
        "W2": (1, 3),
        "b2": (1, 1),
    }
    # np.random.seed(1) followed by np.random.randn: numbers known from many a textbook.
    known = [[1.62434536, -0.61175641], [-0.52817175, -1.07296862], [0.86540763, -2.3015387]]
    np.testing.assert_allclose(parameters["W1"], known, atol=5e-9)
    np.testing.assert_allclose(parameters["b1"][0], 1.74481176, atol=5e-9)


def test_the_canonical_run_is_reproduced() -> None:
    """Seed 1, XOR, two hidden layers, the paper's rate and number of iterations."""
    parameters, history = deep_neural_network(XOR_X, XOR_Y, hidden=[4, 3], quiet=True)
    assert history.iterations == list(range(0, 1001, 10))
    assert len(history.losses) == len(history.accuracies) == 101
    assert history.losses[0] == pytest.approx(0.855475307, abs=5e-9)
    assert history.losses[-1] == pytest.approx(0.757643144, abs=5e-9)
    assert float(parameters["b3"][0, 0]) == pytest.approx(-0.472012590, abs=5e-9)
    again, _ = deep_neural_network(XOR_X, XOR_Y, hidden=[4, 3], quiet=True)
    assert all(np.array_equal(parameters[name], again[name]) for name in parameters)


def test_it_learns_xor() -> None:
    parameters, history = deep_neural_network(XOR_X, XOR_Y, 1.0, 3000, hidden=[4], quiet=True)
    assert history.accuracies[0] < 1.0
    assert history.accuracies[-1] == 1.0
    assert history.losses[-1] < 0.05
    np.testing.assert_array_equal(predict(XOR_X, parameters), XOR_Y)


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_it_tells_two_moons_apart_that_it_has_not_seen(dropout: float) -> None:
    X, y = two_moons(150, seed=1)
    parameters, history = deep_neural_network(
        X, y, 1.0, 3000, hidden=[16, 8], dropout=dropout, quiet=True
    )
    unseen, truth = two_moons(500, seed=2)
    assert np.mean(predict(unseen, parameters) == truth) > 0.97
    assert history.losses[-1] < 0.12 < history.losses[0]


def test_dropout_is_seeded() -> None:
    one, other, third = (
        deep_neural_network(XOR_X, XOR_Y, 0.1, 20, hidden=[8], dropout=0.5, seed=seed, quiet=True)[
            0
        ]
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one["W1"], other["W1"])
    assert not np.array_equal(one["W1"], third["W1"])


def test_prediction_cuts_at_a_half() -> None:
    parameters = {"W1": np.array([[1.0]]), "b1": np.array([[0.0]])}
    X = np.array([[-1e-9, 0.0, 1e-9]])
    np.testing.assert_array_equal(predict(X, parameters), [[0.0, 1.0, 1.0]])
    assert forward_propagation(X, parameters)["A0"] is X


def test_a_split_is_seeded_disjoint_and_keeps_the_shares() -> None:
    y = np.array([[1.0] * 50 + [0.0] * 150])
    train, held = split(y, 0.2, seed=1)
    assert sorted([*train, *held]) == list(range(200))
    assert (len(held), y[0, held].sum()) == (40, 10)
    assert np.array_equal(split(y, 0.2, seed=1)[1], held)
    assert not np.array_equal(split(y, 0.2, seed=2)[1], held)
    assert len(split(y, 0.0, seed=1)[1]) == 0
