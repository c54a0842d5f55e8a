"""Operations of ONNX that move, join, cut and gather up numbers, in TensorFlow.

A graph is read for one picture: where it speaks of a shape, the batch counts 1,
and a leading 1 in a shape it asks for is the batch. An operation that mixes
pictures of a batch is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from training.importing.onnx_values import (
    TO_FIRST,
    TO_LAST,
    Tensor,
    Unsupported,
    Value,
    aligned,
    constant,
    plain,
)

Attributes = dict[str, Any]
_MIXED = "expected a network that keeps the pictures of a batch apart, found one that mixes them"


def reshape(values: list[Value], options: Attributes) -> Tensor:
    x = _tensor(values[0])
    shape = options["shape"] if "shape" in options else constant(values[1], "shapes").tolist()
    if not options.get("allowzero", 0):
        shape = [x.shape[i] if n == 0 else int(n) for i, n in enumerate(shape)]
    return _shaped(x, shape)


def flatten(values: list[Value], options: Attributes) -> Tensor:
    if options.get("axis", 1) != 1:
        raise Unsupported(_MIXED)
    return _shaped(_tensor(values[0]), [1, -1])


def _shaped(x: Tensor, shape: list[int]) -> Tensor:
    """In the shape that the graph asks for, the batch left open."""
    numbers = int(np.prod(x.shape))
    known = int(np.prod([n for n in shape if n != -1]))
    whole = [numbers // max(known, 1) if n == -1 else n for n in shape]
    if not whole or whole[0] != 1 or int(np.prod(whole)) != numbers:
        raise Unsupported(_MIXED)
    return Tensor(tf.reshape(plain(x), [-1, *whole[1:]]))


def transpose(values: list[Value], options: Attributes) -> Tensor:
    x = _tensor(values[0])
    order = tuple(options.get("perm", range(x.rank)[::-1]))
    if order[0] != 0:
        raise Unsupported(_MIXED)
    if order == TO_FIRST and not x.last:
        return Tensor(x.data, last=True)
    if order == TO_LAST and x.last:
        return Tensor(x.data)
    return Tensor(tf.transpose(plain(x), order))


def squeeze(values: list[Value], options: Attributes) -> Tensor:
    x = _tensor(values[0])
    axes = _axes(values, options)
    if axes is None:
        axes = [axis for axis, n in enumerate(x.shape) if n == 1 and axis]
    axes = [axis % x.rank for axis in axes]
    if 0 in axes:
        raise Unsupported(_MIXED)
    return Tensor(tf.squeeze(plain(x), axes))


def unsqueeze(values: list[Value], options: Attributes) -> Tensor:
    x, axes = _tensor(values[0]), _axes(values, options) or []
    rank = x.rank + len(axes)
    places = {axis % rank for axis in axes}
    if 0 in places:
        raise Unsupported(_MIXED)
    left = iter(x.shape)
    return _shaped(x, [1 if place in places else next(left) for place in range(rank)])


def concat(values: list[Value], options: Attributes) -> Tensor:
    if not all(isinstance(value, Tensor) for value in values):
        raise Unsupported("expected joins of tensors, found one of a tensor and a constant")
    first = _tensor(values[0])
    parts, last = aligned(values)
    axis = _apart(options["axis"], first.rank)
    return Tensor(tf.concat(parts, Tensor(parts[0], last).axis(axis)), last)


def split(values: list[Value], options: Attributes) -> tuple[Tensor, ...]:
    x = _tensor(values[0])
    axis = x.axis(_apart(options.get("axis", 0), x.rank))
    if len(values) > 1 and values[1] is not None:
        sizes: Any = constant(values[1], "sizes of a Split").tolist()
    else:
        sizes = options.get("split") or options.get("num_outputs") or options["outputs"]
    return tuple(Tensor(part, x.last) for part in tf.split(x.data, sizes, axis=axis))


def slice_(values: list[Value], options: Attributes) -> Tensor:
    x = _tensor(values[0])
    if "starts" in options:
        starts, ends = options["starts"], options["ends"]
        axes = options.get("axes", range(len(starts)))
        steps = [1] * len(starts)
    else:
        lists: list[Any] = [
            None if v is None else constant(v, "places of a Slice") for v in values[1:]
        ]
        lists += [None] * (4 - len(lists))
        if lists[0] is None or lists[1] is None:
            raise Unsupported("expected places in a Slice, found none")
        starts, ends = lists[0].tolist(), lists[1].tolist()
        axes = range(len(starts)) if lists[2] is None else lists[2].tolist()
        steps = [1] * len(starts) if lists[3] is None else lists[3].tolist()
    places = [slice(None)] * x.rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        graph_axis = _apart(axis, x.rank)
        chosen = range(x.shape[graph_axis])[slice(start, end, step)]
        if step < 0 or not len(chosen):
            raise Unsupported("expected slices that run forwards and hold something, found others")
        places[x.axis(graph_axis)] = slice(chosen.start, chosen.stop, step)
    return Tensor(x.data[tuple(places)], x.last)


def gather(values: list[Value], options: Attributes) -> Tensor:
    x, axis = _tensor(values[0]), options.get("axis", 0)
    chosen = constant(values[1], "places of a Gather").astype(np.int64)
    axis = _apart(axis, x.rank)
    return Tensor(
        tf.gather(plain(x), np.where(chosen < 0, chosen + x.shape[axis], chosen), axis=axis)
    )


def pad(values: list[Value], options: Attributes) -> Tensor:
    x = _tensor(values[0])
    mode = options.get("mode", b"constant")
    mode = mode.decode() if isinstance(mode, bytes) else mode
    if mode not in ("constant", "reflect") or len(values) > 3:
        raise Unsupported(f"expected pads of mode constant or reflect, found {mode}")
    pads = options["pads"] if "pads" in options else constant(values[1], "pads").tolist()
    fill = float(options.get("value", 0.0))
    if len(values) > 2 and values[2] is not None:
        fill = float(constant(values[2], "fillings of a Pad"))
    sides = [(0, 0)] * x.rank
    for axis in range(x.rank):
        sides[x.axis(axis)] = (int(pads[axis]), int(pads[axis + x.rank]))
    if any(sides[0]) or min(map(min, sides)) < 0:
        raise Unsupported("expected pads that add to pictures, found others")
    return Tensor(tf.pad(x.data, sides, mode.upper(), constant_values=fill), x.last)


def softmax(values: list[Value], options: Attributes) -> Tensor:
    x = _tensor(values[0])
    default = 1 if options["opset"] < 13 else -1
    axis = _apart(options.get("axis", default), x.rank)
    if options["opset"] < 13 and axis != x.rank - 1:
        raise Unsupported("expected a Softmax along the last axis, found another")
    return Tensor(tf.nn.softmax(x.data, axis=x.axis(axis)), x.last)


def lp_normalization(values: list[Value], options: Attributes) -> Tensor:
    x, order = _tensor(values[0]), options.get("p", 2)
    axis = x.axis(_apart(options.get("axis", -1), x.rank))
    length = tf.norm(x.data, ord=order, axis=axis, keepdims=True)
    return Tensor(x.data / length, x.last)


def _reduce(function: Callable[..., Any]) -> Callable[..., Tensor]:
    def apply(values: list[Value], options: Attributes) -> Tensor:
        x, axes = _tensor(values[0]), _axes(values, options)
        if axes is None:
            raise Unsupported(_MIXED)
        keep = bool(options.get("keepdims", 1))
        x = x if keep else Tensor(plain(x))
        places = [x.axis(_apart(axis, x.rank)) for axis in axes]
        return Tensor(function(x.data, axis=places, keepdims=keep), x.last)

    return apply


def _l2(x: Any, *, axis: list[int], keepdims: bool) -> Any:
    return tf.sqrt(tf.reduce_sum(x * x, axis=axis, keepdims=keepdims))


def _axes(values: list[Value], options: Attributes) -> list[int] | None:
    """Axes as an attribute (older opsets) or as the second input (newer ones)."""
    if "axes" in options:
        return list(options["axes"])
    if len(values) > 1 and values[1] is not None:
        return [int(axis) for axis in constant(values[1], "axes").ravel()]
    return None


def _apart(axis: int, rank: int) -> int:
    """An axis from 1; the batch may not be it."""
    axis = axis % rank
    if axis == 0:
        raise Unsupported(_MIXED)
    return axis


def _tensor(value: Value) -> Tensor:
    if not isinstance(value, Tensor):
        raise Unsupported("expected a tensor that the picture decides, found a constant")
    return value


SHAPES: dict[str, Callable[..., Any]] = {
    "Concat": concat,
    "Flatten": flatten,
    "Gather": gather,
    "LpNormalization": lp_normalization,
    "Pad": pad,
    "ReduceL2": _reduce(_l2),
    "ReduceMax": _reduce(tf.reduce_max),
    "ReduceMean": _reduce(tf.reduce_mean),
    "ReduceSum": _reduce(tf.reduce_sum),
    "ReduceSumSquare": _reduce(lambda x, *, axis, keepdims: tf.reduce_sum(x * x, axis, keepdims)),
    "Reshape": reshape,
    "Slice": slice_,
    "Softmax": softmax,
    "Split": split,
    "Squeeze": squeeze,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
