"""Image files spoilt in ways that reach deep: by bits, by fields, by parts, by splices."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.fuzz.parts import Layout, Part, layout_of

_NUMBERS = (
    *(0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 64, 100, 127, 128, 255, 256, 1000, 4096),
    *(0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF),
)
"""Where counters, signs and sizes turn over."""

_HEAD = 400
"""Bytes at the beginning of a small file, in which most of what decides lies."""

Mutation = Callable[[bytearray, random.Random], None]


def spoilt(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """A file with one to six changes.

    Args:
        others: Files whose bytes and parts may be spliced in.
    """
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 6))):
        data = _once(data, others, chance)
    return data


def _once(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    layout = layout_of(data)
    if layout and chance.random() < 0.5:
        return _by_parts(data, layout, others, chance)
    if chance.random() < 0.06:
        return _spliced(data, chance.choice(others), chance)
    changed = bytearray(data)
    if changed:
        chance.choice(_ANYWHERE)(changed, chance)
    return bytes(changed)


def _by_parts(data: bytes, layout: Layout, others: Sequence[bytes], chance: random.Random) -> bytes:
    parts = layout.split(data)
    level = parts
    # Into the boxes of a box, more often than not.
    while nested := [part.inner for part in level if part.inner]:
        if chance.random() < 0.25:
            break
        level = chance.choice(nested)
    at = chance.randrange(len(level))
    match chance.randrange(10):
        case 0:
            del level[at]
        case 1:
            level.insert(chance.randrange(len(level) + 1), level[at])
        case 2:
            other = chance.randrange(len(level))
            level[at], level[other] = level[other], level[at]
        case 3:
            alike = [other for other in others if layout_of(other) == layout]
            foreign = layout.split(chance.choice(alike)) if alike else parts
            level.insert(at, chance.choice(foreign))
        case 4:
            part = level[at]
            level[at : at + 1] = [part] * chance.choice((2, 10, 300))
        case _:
            level[at] = _changed(level[at], chance)
    return layout.join(parts)


def _changed(part: Part, chance: random.Random) -> Part:
    content, name = bytearray(part.content), bytearray(part.name)
    if name and chance.random() < 0.1:
        _flip_bits(name, chance)
    if content:
        chance.choice(_ANYWHERE)(content, chance)
    else:
        content += chance.randbytes(chance.randrange(32))
    return Part(bytes(name), bytes(content), part.inner)


def _spliced(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def _place(data: bytearray, chance: random.Random) -> int:
    return chance.randrange(min(len(data), _HEAD) if chance.random() < 0.6 else len(data))


def _flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 2, 8, 40))):
        data[_place(data, chance)] ^= 1 << chance.randrange(8)


def _set_bytes(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 8)):
        data[_place(data, chance)] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))


def _set_number(data: bytearray, chance: random.Random) -> None:
    size = chance.choice((1, 2, 2, 4, 4, 8))
    value = chance.choice((*_NUMBERS, len(data), len(data) - 1, len(data) + 1))
    at = _place(data, chance)
    there = data[at : at + size]
    order = chance.choice(("big", "little"))
    if chance.random() < 0.3:
        value = int.from_bytes(there, order) + chance.choice((-1, 1, 2, -8, 8))  # type: ignore[arg-type]
    data[at : at + size] = (value % (1 << 8 * len(there))).to_bytes(len(there), order)  # type: ignore[arg-type]


def _cut_off(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(len(data)) :]


def _take_out(data: bytearray, chance: random.Random) -> None:
    at = _place(data, chance)
    del data[at : at + chance.choice((1, 2, 4, 16, 200))]


def _repeat(data: bytearray, chance: random.Random) -> None:
    at, length = _place(data, chance), chance.choice((1, 2, 4, 16, 200))
    data[at:at] = data[at : at + length] * chance.choice((1, 2, 50))


def _overwrite(data: bytearray, chance: random.Random) -> None:
    at, source, length = _place(data, chance), _place(data, chance), chance.choice((2, 4, 16, 200))
    data[at : at + length] = data[source : source + length]


_ANYWHERE: tuple[Mutation, ...] = (
    *(_flip_bits, _flip_bits, _set_bytes, _set_number, _set_number, _set_number),
    *(_cut_off, _take_out, _repeat, _overwrite),
)
