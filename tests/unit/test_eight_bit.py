"""Rounding to 8 bits: what is rounded, by how much, and who computes in integers."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import openvino as ov
import pytest

from model.artifact import Artifact
from model.backbones.eight_bit import Rounding, conv2d, dense, depthwise, round_input
from model.backbones.even_channels import Step, evened_out
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.runtimes.rounding import leave_unrounded, sums_integers
from model.types import Array

# TensorFlow's own notices while a model is made.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BOUNDS = {"layer": (-1.0, 3.0)}
random = np.random.default_rng(8)


def test_numbers_are_rounded_to_256_steps_and_zero_is_one_of_them() -> None:
    x = np.concatenate([np.linspace(-3, 5, 4001), [0]]).astype(np.float32)
    found = np.asarray(Rounding(-1.0, 3.0)(x))
    steps = np.unique(found)
    assert len(steps) == 256
    assert np.ptp(np.diff(steps)) < 1e-6
    assert found[-1] == 0
    step = 4 / 255
    inside = (x > -1) & (x < 3 - step)
    assert np.abs(found - x)[inside].max() <= step / 2 + 1e-6
    assert steps[0] == pytest.approx(-1, abs=step)
    assert steps[-1] == pytest.approx(3, abs=step)


@pytest.mark.parametrize("bounds", [(0.5, 2.0), (-2.0, -0.5), (0.0, 0.0), (1.0, -1.0)])
def test_bounds_that_leave_out_zero_are_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="either side of 0"):
        Rounding(*bounds)


def test_whole_pixels_are_left_as_they_are() -> None:
    pixels = np.arange(256, dtype=np.float32)
    assert np.array_equal(np.asarray(Rounding(0, 255)(pixels)), pixels)


@pytest.mark.parametrize("kind", ["conv", "depthwise", "dense"])
def test_a_kernel_is_rounded_for_each_output_channel(kind: str) -> None:
    """The rounded layer is the plain one with another kernel, half a step away at most."""
    shape = (5, 6, 4) if kind != "dense" else (4,)
    makers = {
        "conv": lambda bounds: conv2d(bounds, 7, 3, "layer", padding="same"),
        "depthwise": lambda bounds: depthwise(bounds, 3, "layer", padding="same"),
        "dense": lambda bounds: dense(bounds, 7, "layer"),
    }
    plain, rounded = (makers[kind](bounds) for bounds in ({}, BOUNDS))
    for layer in (plain, rounded):
        layer.build((None, *shape))
    kernel, bias = (random.normal(size=w.shape).astype(np.float32) for w in plain.get_weights())
    kernel *= 10.0 ** random.integers(-3, 3, kernel.shape[-1])
    axes = tuple(range(kernel.ndim - 1)) if kind != "depthwise" else (0, 1, 3)
    largest = np.abs(kernel).max(axis=axes, keepdims=True)
    levels = np.round(kernel / largest * 127)
    plain.set_weights([(levels * largest / 127).astype(np.float32), bias])
    rounded.set_weights([kernel, bias])
    x = random.normal(size=(2, *shape)).astype(np.float32)
    expected, found = np.asarray(plain(x)), np.asarray(rounded(x))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert np.abs(levels * largest / 127 - kernel).max() > 0


def test_a_layer_without_bounds_is_not_rounded() -> None:
    x = keras.Input((4, 4, 2))
    assert round_input(x, BOUNDS, "another") is x
    assert type(conv2d(BOUNDS, 3, 1, "another")) is keras.layers.Conv2D


def test_evening_out_leaves_the_network_as_it_is() -> None:
    """Through a PReLU, too; and the channels come out of about one size."""
    channels = 6
    before = Step("a", normal(1, 1, 3, channels), normal(channels))
    before.kernel[..., 2] *= 10
    before.kernel[..., 4] /= 10
    after = Step("b", normal(3, 3, channels, 1), normal(channels), depthwise=True)
    slopes = random.uniform(0, 1, channels)
    x = normal(200, 3)

    def between(step: Step) -> Array:
        y = x @ step.kernel[0, 0] + step.bias
        return np.asarray(np.where(y > 0, y, slopes * y))

    sizes = np.abs(between(before)).max(axis=0)
    divided, multiplied = evened_out(before, after, sizes)
    one, other = between(before), between(divided)
    # The middle of the depthwise kernel stands for all of its nine weights.
    np.testing.assert_allclose(
        other * multiplied.kernel[1, 1, :, 0], one * after.kernel[1, 1, :, 0], rtol=1e-5, atol=1e-6
    )
    assert np.ptp(np.log(np.abs(other).max(axis=0))) < 1e-3 < np.ptp(np.log(sizes))


def normal(*shape: int) -> Array:
    return random.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_vnni", True),
        ("flags\t\t: fpu avx2 avx_vnni", True),
        ("flags\t\t: fpu avx2 avx512f", False),
        ("Features\t: fp asimd asimddp", False),
        ("", False),
    ],
)
def test_only_cpus_made_for_it_sum_up_integers(tmp_path: Path, flags: str, expected: bool) -> None:
    described = tmp_path / "cpuinfo"
    described.write_text(f"processor\t: 0\nmodel name\t: some avx512_vnni\n{flags}\n")
    assert sums_integers(described) is expected
    assert sums_integers(tmp_path / "absent") is False


def test_a_network_left_unrounded_has_no_rounding_in_it(artifact: Artifact) -> None:
    for file in (artifact.saved_model, artifact.detector):
        network = ov.Core().read_model(file)
        assert roundings(network) > 50
        leave_unrounded(network)
        assert roundings(network) == 0


def roundings(network: ov.Model) -> int:
    return sum(node.get_type_name() == "FakeQuantize" for node in network.get_ops())


@pytest.mark.skipif(not sums_integers(), reason="this CPU has no 8-bit dot product")
def test_what_is_rounded_is_computed_in_integers(artifact: Artifact) -> None:
    """A graph that OpenVINO no longer understands that way would be right, and slow."""
    core = ov.Core()
    tower = core.read_model(artifact.saved_model)
    chips = [tower.input("chips").get_node()]
    embed = ov.Model([tower.output("embeddings")], chips, "embed")
    detector = core.read_model(artifact.detector)
    detector.reshape([1, 480, 640, 3])
    # In float32: the first convolution of SFace, two of dlib's network, the three of YuNet
    # that place faces.
    for network, floats in ((embed, 3), (detector, 3)):
        compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        kinds = [
            node.get_rt_info()["primitiveType"].astype(str)
            for node in compiled.get_runtime_model().get_ops()
            if "Convolution" in node.get_rt_info()["layerType"].astype(str)
        ]
        assert len(kinds) > 30
        assert sum("I8" not in kind for kind in kinds) == floats, kinds


def test_the_runtime_says_how_it_computes(artifact: Artifact) -> None:
    assert artifact.manifest.precision == "8-bit"
    assert OpenVinoRuntime(artifact, integers=False).precision == "float32"
    assert OpenVinoRuntime(artifact, integers=True).precision == "8-bit"
