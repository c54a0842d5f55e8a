"""Convolution, pooling and the siamese network from scratch, against the same two judges."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.faces import shared_data
from training.scratch.chips import draw_pairs, read_chips
from training.scratch.conv import conv_filter_gradients, conv_forward, conv_input_gradient
from training.scratch.measure import Pairs, embed, measure
from training.scratch.pool import pool_backward, pool_forward
from training.scratch.siamese import (
    MARGIN,
    contrastive_loss,
    init_tower,
    siamese_step,
    tower_forward,
)
from training.scratch.siamese_learning import learn_siamese
from training.scratch.types import Float

STEP, TOLERANCE = 1e-6, 1e-6


def difference(loss: Callable[[], float], array: Float, place: tuple[int, ...]) -> float:
    """The finite difference of the loss by one number of the array."""
    kept = array[place]
    array[place] = kept + STEP
    above = loss()
    array[place] = kept - STEP
    below = loss()
    array[place] = kept
    return (above - below) / (2 * STEP)


@pytest.mark.parametrize(
    ("shape", "filters"), [((2, 6, 5, 3), (3, 2, 3, 4)), ((3, 4, 4, 1), (4, 4, 1, 2))]
)
def test_convolution(shape: tuple[int, ...], filters: tuple[int, ...]) -> None:
    generator = np.random.default_rng(1)
    X, W = generator.standard_normal(shape), generator.standard_normal(filters)
    b = generator.standard_normal(filters[-1])
    Z = conv_forward(X, W, b)
    dZ = generator.standard_normal(Z.shape)
    dW, db = conv_filter_gradients(dZ, X, W)
    dX = conv_input_gradient(dZ, X, W)
    for array, gradient in ((X, dX), (W, dW), (b, db)):
        for place in np.ndindex(array.shape):
            numeric = difference(lambda: float(np.sum(dZ * conv_forward(X, W, b))), array, place)
            assert numeric == pytest.approx(gradient[place], abs=TOLERANCE)
    tensors = [tf.constant(array) for array in (X, W, b)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        theirs = tf.nn.conv2d(tensors[0], tensors[1], 1, "VALID") + tensors[2]
    np.testing.assert_allclose(Z, theirs.numpy(), atol=TOLERANCE, rtol=0)
    for ours, other in zip((dX, dW, db), tape.gradient(theirs, tensors, dZ), strict=True):
        np.testing.assert_allclose(ours, other.numpy(), atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("shape", [(2, 4, 6, 3), (2, 5, 3, 2), (1, 1, 1, 1)])
@pytest.mark.parametrize("ties", [False, True])
def test_pooling(shape: tuple[int, ...], ties: bool) -> None:
    generator = np.random.default_rng(2)
    # Negative throughout: a padding of zeros would win.
    X = -1.0 - (np.ones(shape) if ties else generator.random(shape))
    A = pool_forward(X)
    dA = generator.standard_normal(A.shape)
    dX = pool_backward(dA, X)
    tensor = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        theirs = tf.nn.max_pool2d(tensor, 2, 2, "SAME")
    np.testing.assert_array_equal(A, theirs.numpy())
    np.testing.assert_array_equal(dX, tape.gradient(theirs, tensor, dA).numpy())
    if not ties:
        for place in np.ndindex(X.shape):
            numeric = difference(lambda: float(np.sum(dA * pool_forward(X))), X, place)
            assert numeric == pytest.approx(dX[place], abs=TOLERANCE)


def pairs_of_noise() -> tuple[Float, Float, Float]:
    generator = np.random.default_rng(4)
    one, other = 4.0 * generator.standard_normal((2, 4, 32, 32, 3))
    # Some pairs nearer than the margin and some further, of either kind.
    other[:2] = one[:2] + 0.2 * generator.standard_normal((2, 32, 32, 3))
    return one, other, np.array([1.0, 0.0, 0.0, 1.0])


def test_the_towers_gradients_are_finite_differences() -> None:
    one, other, same = pairs_of_noise()
    parameters = init_tower()
    _, gradients = siamese_step(one, other, same, parameters)
    assert {name: array.shape for name, array in gradients.items()} == {
        f"d{name}": array.shape for name, array in parameters.items()
    }
    generator = np.random.default_rng(5)
    for name, array in parameters.items():
        for _ in range(6):
            place = tuple(int(generator.integers(n)) for n in array.shape)
            numeric = difference(
                lambda: siamese_step(one, other, same, parameters)[0], array, place
            )
            assert numeric == pytest.approx(gradients[f"d{name}"][place], abs=TOLERANCE)


def test_the_towers_gradients_are_tensorflows() -> None:
    one, other, same = pairs_of_noise()
    parameters = init_tower()
    loss, gradients = siamese_step(one, other, same, parameters)
    variables = {name: tf.Variable(array) for name, array in parameters.items()}

    def tower(X: tf.Tensor) -> tf.Tensor:
        for i in (1, 2):
            Z = tf.nn.conv2d(X, variables[f"W{i}"], 1, "VALID") + variables[f"b{i}"]
            X = tf.nn.max_pool2d(tf.nn.relu(Z), 2, 2, "SAME")
        return tf.reshape(X, (len(X), -1)) @ variables["W3"] + variables["b3"]

    with tf.GradientTape() as tape:
        d = tf.norm(tower(tf.constant(one)) - tower(tf.constant(other)), axis=1)
        apart = (1 - same) * tf.maximum(0.0, MARGIN - d) ** 2
        theirs = tf.reduce_mean(same * d**2 + apart)
    assert np.any(d.numpy() < MARGIN)
    assert np.any(d.numpy() > MARGIN)
    assert loss == pytest.approx(float(theirs), abs=TOLERANCE)
    for name, gradient in tape.gradient(theirs, variables).items():
        np.testing.assert_allclose(gradients[f"d{name}"], gradient.numpy(), atol=TOLERANCE, rtol=0)


def test_the_loss_where_both_embeddings_are_one() -> None:
    E = np.ones((2, 3))
    loss, gradient = contrastive_loss(E, E, np.array([1.0, 0.0]))
    assert loss == pytest.approx(0.5, abs=1e-5)
    np.testing.assert_array_equal(gradient, np.zeros((2, 3)))


def test_pairs_are_half_of_one_person_and_never_of_one_chip() -> None:
    identities = np.array(["ada"] * 3 + ["alan"] * 2 + ["grace"])
    one, other, same = draw_pairs(identities, 400, np.random.default_rng(1))
    np.testing.assert_array_equal(identities[one] == identities[other], same == 1)
    assert same.mean() == 0.5
    assert not np.any(one == other)
    assert set(one[same == 0]) == set(range(6))


def write_folder(folder: Path, people: dict[str, list[bytes]]) -> Path:
    for name, pictures in people.items():
        (folder / name).mkdir(parents=True)
        for number, picture in enumerate(pictures):
            (folder / name / f"{number}.png").write_bytes(picture)
    return folder


def picture(colour: tuple[int, int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "PNG")
    return out.getvalue()


def test_a_folder_becomes_chips(tmp_path: Path) -> None:
    red, blue = picture((255, 0, 0)), picture((0, 0, 255))
    chips, names = read_chips(write_folder(tmp_path, {"a": [red, b"broken", red], "b": [blue]}))
    assert (chips.shape, list(names)) == ((3, 32, 32, 3), ["a", "a", "b"])
    np.testing.assert_allclose(chips[0, 5, 5], np.array([2, -1, -1]) / np.sqrt(2))
    with pytest.raises(ValueError, match="expected two identities in 'one', one of them with two"):
        read_chips(write_folder(tmp_path / "one", {"a": [red, red]}))
    with pytest.raises(ValueError, match="found 0 pictures of 0"):
        read_chips(write_folder(tmp_path / "none", {}))


def test_it_learns_to_tell_colours_apart() -> None:
    generator = np.random.default_rng(7)
    identities = np.repeat(["red", "green", "blue"], 12)
    chips = generator.standard_normal((36, 32, 32, 3))
    for colour in range(3):
        chips[12 * colour : 12 * (colour + 1), ..., colour] += 1.0
    parameters, losses = learn_siamese(chips, identities, 0.02, 40, batch=12, quiet=True)
    assert np.mean(losses[-5:]) < 0.2 * np.mean(losses[:5])
    side = (embed(chips, parameters), Pairs(*draw_pairs(identities, 200, generator)))
    assert measure(side, side).held_out > 0.98
    assert tower_forward(chips[:2], parameters)["E"].shape == (2, 32)
    with pytest.raises(ValueError, match="learning diverged at a rate of 1000; try a lower one"):
        learn_siamese(chips, identities, 1000.0, 40, batch=12, quiet=True)


@pytest.mark.skipif(shared_data() is None, reason="needs the data set celeba300")
def test_the_loss_falls_on_real_chips(tmp_path: Path) -> None:
    data = shared_data()
    assert data is not None
    with tarfile.open(data / "celeba300.tar") as packed:
        people = {name.split("/")[1] for name in packed.getnames() if name.endswith(".jpg")}
        for member in packed:
            if member.name.split("/")[1:2] and member.name.split("/")[1] in sorted(people)[:10]:
                packed.extract(member, tmp_path, filter="data")
    chips, names = read_chips(tmp_path / "celeba300")
    assert len(set(names)) == 10
    _, losses = learn_siamese(chips, names, 0.02, 60, batch=16, quiet=True)
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])
