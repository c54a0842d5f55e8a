"""The reader of dlib's file: the published one, small ones written here, and spoilt ones."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.backbones.dlib_resnet import BLOCKS, CONVOLUTIONS, Weights, load_dlib_resnet
from model.types import Array
from model.zoo import DLIB
from training.dlib_file import read_dlib
from training.fetch import fetch

FIRST = b"input_rgb_image_sized"
SHAPES = [(4, 3, 3, 3), (6, 4, 3, 3)]
OUTPUTS, INPUTS = 5, 6


@pytest.fixture(scope="module")
def published() -> Path:
    return fetch(DLIB)


def test_the_published_file_holds_the_network(published: Path) -> None:
    weights = read_dlib(published)
    assert len(weights.convolutions) == CONVOLUTIONS == 29
    assert weights.convolutions[0].filters.shape == (32, 3, 7, 7)
    channels = [3, 32, *(channels for channels, _ in BLOCKS for _ in range(2))]
    for number, convolution in enumerate(weights.convolutions):
        before, after = channels[number], channels[number + 1]
        side = 3 if number else 7
        assert convolution.filters.shape == (after, before, side, side)
        for row in (convolution.bias, convolution.scale, convolution.offset):
            assert row.shape == (after,)
    assert weights.matrix.shape == (256, 128)
    everything = np.concatenate([part.ravel() for part in _parts(weights)])
    # Its numbers fill the file but for the words between them.
    assert 0.98 < 4 * len(everything) / published.stat().st_size < 1
    assert np.isfinite(everything).all()
    assert np.abs(everything).max() < 100
    load_dlib_resnet(weights)


def test_a_file_written_by_hand_is_read_back(tmp_path: Path) -> None:
    expected = small_weights()
    found = read_dlib(_write(tmp_path, small_file(expected)))
    for one, other in zip(_parts(found), expected, strict=True):
        assert np.array_equal(one, other)


def test_another_number_of_convolutions_is_not_loaded(tmp_path: Path) -> None:
    weights = read_dlib(_write(tmp_path, small_file(small_weights())))
    with pytest.raises(ValueError, match="expected 29 convolutions, found 2"):
        load_dlib_resnet(weights)


def test_other_shapes_are_not_loaded(published: Path) -> None:
    weights = read_dlib(published)
    with pytest.raises(ValueError, match="shape"):
        load_dlib_resnet(Weights(weights.convolutions, weights.matrix[:, :64]))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"loss_metric_2", bytes(5000)])
def test_what_dlib_did_not_write_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(
        ValueError, match=r"expected a network that dlib wrote, found none in n\.dat"
    ):
        read_dlib(_write(tmp_path, content))


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.3, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, published: Path, share: float) -> None:
    content = published.read_bytes()
    with pytest.raises(ValueError, match=r"^expected .*, found "):
        read_dlib(_write(tmp_path, content[: int(share * len(content))]))


def test_a_file_without_its_last_layer_is_refused(tmp_path: Path) -> None:
    content = small_file(small_weights())
    cut = content[: content.index(b"\x04fc_2") - 1]
    with pytest.raises(ValueError, match=r"expected a last layer 'fc_2' in n\.dat, found none"):
        read_dlib(_write(tmp_path, cut))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"con_4\x01\x02", b"con_4\x01\x03", "expected a tensor of version 2, found 3"),
        (b"con_4\x01\x02", b"con_4\x00\x02", "expected a number at byte [0-9]+, found"),
        (b"con_4\x01\x02\x01\x70", b"con_4\x01\x02\x81\x70", "a size at byte [0-9]+, found -112"),
        (b"con_4\x01\x02\x01\x70", b"con_4\x01\x02\x01\x71", "found"),
        (b"affine_\x01\x02\x01\x01\x01\x08", b"affine_\x01\x02\x01\x01\x01\x09", "8 numbers .* 9"),
        (b"fc_2\x01\x05", b"fc_2\x01\x06", "expected 36 numbers at byte [0-9]+, found 30"),
        (b"fc_2\x01\x05\x01\x06\x01\x02", b"fc_2\x01\x05\x01\x06\x01\x01", "version 2, found 1"),
    ],
)
def test_a_wrong_number_is_refused(tmp_path: Path, old: bytes, new: bytes, message: str) -> None:
    content = small_file(small_weights())
    assert old in content
    with pytest.raises(ValueError, match=message):
        read_dlib(_write(tmp_path, content.replace(old, new, 1)))


def test_a_tensor_larger_than_any_memory_is_refused(tmp_path: Path) -> None:
    content = small_file(small_weights())
    huge = b"con_4\x01\x02" + b"\x08" + b"\xff" * 8
    with pytest.raises(ValueError, match="found the file's end"):
        read_dlib(_write(tmp_path, content.replace(b"con_4\x01\x02\x01\x70", huge, 1)))


@given(
    where=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    length=st.floats(0, 1),
    whole=st.booleans(),
)
@settings(max_examples=400, deadline=2000, suppress_health_check=list(HealthCheck))
def test_spoilt_files_are_read_or_refused(
    tmp_path: Path, where: list[tuple[float, int]], length: float, whole: bool
) -> None:
    _read_or_refused(tmp_path, small_file(small_weights()), where, 1.0 if whole else length)


@given(
    where=st.lists(st.tuples(st.floats(0, 1e-3), st.integers(0, 255)), min_size=1, max_size=3),
    length=st.floats(0.5, 1),
)
@settings(max_examples=15, deadline=10_000, suppress_health_check=list(HealthCheck))
def test_the_spoilt_published_file_is_read_or_refused(
    tmp_path: Path, published: Path, where: list[tuple[float, int]], length: float
) -> None:
    _read_or_refused(tmp_path, published.read_bytes(), where, length)


def _read_or_refused(
    folder: Path, content: bytes, where: list[tuple[float, int]], length: float
) -> None:
    spoilt = bytearray(content[: int(length * len(content))])
    for place, value in where:
        if spoilt:
            spoilt[int(place * (len(spoilt) - 1))] = value
    refused = ""
    try:
        found = read_dlib(_write(folder, bytes(spoilt)))
    except ValueError as error:
        refused = str(error)
    if refused:
        assert refused.startswith("expected ")
        assert ", found " in refused
        return
    assert found.matrix.ndim == 2
    for convolution in found.convolutions:
        assert convolution.scale.shape == convolution.bias.shape == convolution.offset.shape


def small_weights() -> list[Array]:
    """Filters, biases, scales and offsets of two convolutions, and a matrix."""
    generator = np.random.default_rng(11)
    shapes: list[tuple[int, ...]] = []
    for shape in SHAPES:
        shapes += [shape, shape[:1], shape[:1], shape[:1]]
    shapes.append((INPUTS, OUTPUTS))
    return [generator.normal(size=shape).astype(np.float32) for shape in shapes]


def small_file(parts: list[Array]) -> bytes:
    """The parts as dlib would write a network of them, by its documentation."""
    out = _string(b"loss_metric_2") + _numbers(3, -28, 7) + FIRST
    for at, (count, _, rows, columns) in zip((0, 4), SHAPES, strict=True):
        filters, bias, scale, offset = parts[at : at + 4]
        out += _string(b"con_4") + _tensor((filters.size + count, 1, 1, 1), filters, bias)
        out += _numbers(count, rows, columns, 2, 2, 0, 0)
        out += _numbers(1, *filters.shape) + _numbers(1, 1, count, 1, 1) + b"01"
        out += _string(b"affine_") + _tensor((1, 2 * count, 1, 1), scale, offset)
        out += _numbers(1, 1, count, 1, 1) + b"1" + _string(b"relu_") + b"0"
    out += _string(b"fc_2") + _numbers(OUTPUTS, INPUTS)
    return out + _tensor((INPUTS, OUTPUTS, 1, 1), parts[-1]) + _numbers(0, 0) + b"11"


def _numbers(*values: int) -> bytes:
    out = b""
    for value in values:
        digits = abs(value).to_bytes((max(1, abs(value)).bit_length() + 7) // 8, "little")
        out += bytes([len(digits) | (128 if value < 0 else 0)]) + digits
    return out


def _string(text: bytes) -> bytes:
    return _numbers(len(text)) + text


def _tensor(sizes: tuple[int, int, int, int], *parts: Array) -> bytes:
    values = np.concatenate([part.ravel() for part in parts]).tolist()
    return _numbers(2, *sizes) + struct.pack(f"<{len(values)}f", *values)


def _parts(weights: Weights) -> list[Array]:
    parts: list[Array] = []
    for one in weights.convolutions:
        parts += [one.filters, one.bias, one.scale, one.offset]
    return [*parts, weights.matrix]


def _write(folder: Path, content: bytes) -> Path:
    path = folder / "n.dat"
    path.write_bytes(content)
    return path
