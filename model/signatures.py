"""Shapes of a SavedModel's signatures, read without TensorFlow or OpenVINO.

`saved_model.pb` is a protocol buffer. Only the few fields that hold a shape are
read; the graph and its weights are stepped over, so this takes well under a
millisecond.

    SavedModel    2: meta_graphs    MetaGraphDef   5: signature_def (map)
    SignatureDef  1: inputs (map)   2: outputs (map)
    TensorInfo    3: tensor_shape   TensorShape    2: dim   Dim   1: size

Source:
    https://protobuf.dev/programming-guides/encoding/ and TensorFlow's
    core/protobuf/saved_model.proto, meta_graph.proto.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from model.contract import Manifest

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIGNATURES = frozenset({"embed", "score"})


def expected_shapes(manifest: Manifest) -> dict[str, tuple[int, ...]]:
    """Shapes of the signatures' inputs and outputs; -1 stands for any length."""
    size = manifest.embedding_size
    return {
        "chips": (-1, *manifest.input_size, 3),
        "embeddings": (-1, size),
        "probe": (size,),
        "references": (-1, size),
        "scores": (-1,),
    }


def shape_fault(manifest: Manifest, found: dict[str, tuple[int, ...]]) -> str | None:
    """What is wrong, with expected and found; None if all shapes agree."""
    wanted = expected_shapes(manifest)
    for name, expected in wanted.items():
        if name not in found:
            return (
                f"the SavedModel has no '{name}': expected {sorted(wanted)}, found {sorted(found)}"
            )
        if found[name] != expected:
            return (
                f"the SavedModel's '{name}' has the wrong shape: expected {expected}, "
                f"found {found[name]}"
            )
    return None


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes by tensor name of the signatures `embed` and `score`; -1 for any length.

    Args:
        path: A `saved_model.pb`.

    Raises:
        ValueError: If it is not one.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        shapes: dict[str, tuple[int, ...]] = {}
        for graph in _messages(mapped, (0, len(mapped)), 2):
            for entry in _messages(mapped, graph, 5):
                if _key(mapped, entry) in _SIGNATURES:
                    shapes |= _signature(mapped, entry)
        return shapes


Span = tuple[int, int]
"""Where a message begins and ends."""


def _signature(data: mmap.mmap, entry: Span) -> dict[str, tuple[int, ...]]:
    return {
        _key(data, tensor): _shape(data, info)
        for definition in _messages(data, entry, 2)
        for side in (1, 2)
        for tensor in _messages(data, definition, side)
        for info in _messages(data, tensor, 2)
    }


def _shape(data: mmap.mmap, info: Span) -> tuple[int, ...]:
    return tuple(
        next((n for number, n in _fields(data, axis) if number == 1 and isinstance(n, int)), 0)
        for shape in _messages(data, info, 3)
        for axis in _messages(data, shape, 2)
    )


def _key(data: mmap.mmap, entry: Span) -> str:
    return next((data[a:b].decode() for a, b in _messages(data, entry, 1)), "")


def _messages(data: mmap.mmap, span: Span, wanted: int) -> Iterator[Span]:
    for number, value in _fields(data, span):
        if number == wanted and isinstance(value, tuple):
            yield value


def _fields(data: mmap.mmap, span: Span) -> Iterator[tuple[int, int | Span]]:
    """Each field's number, and its whole number or where its bytes are."""
    at, end = span
    while at < end:
        tag, at = _varint(data, at, end)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at, end)
            yield number, value - (1 << 64) if value >> 63 else value
        elif kind == _BYTES:
            length, at = _varint(data, at, end)
            if at + length > end:
                raise ValueError("a field is longer than what holds it")
            yield number, (at, at + length)
            at += length
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"no such kind of field: {kind}")


def _varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("a number is cut off")
