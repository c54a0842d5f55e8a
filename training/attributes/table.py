"""Attributes of identities or pictures from a CSV: an age, a group, a yaw, one a column.

A column is numeric when all its values are numbers and more than ten of them
differ; otherwise its values are names of groups, 0 and 1 among them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from training.attributes.csv_table import at_line, picture_name, read_table
from training.data.errors import DataError

MOST_GROUPS = 50
_MOST_VALUES_OF_GROUPS = 10
_COLUMNS_OF_NAMES = ("identity", "picture")

Key = Literal["identity", "picture"]
_Cells = dict[str, tuple[int, str]]
"""Line and text by identity or picture; empty cells are left out."""


@dataclass(frozen=True)
class Attribute:
    """One column.

    Attributes:
        groups: Value by identity or picture; or None
        numbers: and this instead.
    """

    name: str
    groups: Mapping[str, str] | None = None
    numbers: Mapping[str, float] | None = None


@dataclass(frozen=True)
class AttributeTable:
    """All columns.

    Attributes:
        file: Name of the CSV.
        key: What a row is about.
        keys: Every identity or picture that has a row.
    """

    file: str
    key: Key
    keys: tuple[str, ...]
    attributes: tuple[Attribute, ...]


def read_attributes(path: Path, chosen: Sequence[str] = ()) -> AttributeTable:
    """A CSV with a column identity or picture, and a column for each attribute.

    With both, a row is about the picture. An empty cell is a value that is not known.

    Args:
        chosen: Attributes to read; all if empty.

    Raises:
        DataError: If a column is missing, a row comes twice, there is none, a
            number among others is none, or there are too many groups.
    """
    columns, _ = read_table(path, (), ())
    key: Key = "picture" if "picture" in columns else "identity"
    if key not in columns:
        raise DataError(
            f"expected a column identity or picture in line 1 of '{path.name}', found "
            f"{', '.join(columns)}"
        )
    wanted = _wanted(columns, chosen, path)
    cells: dict[str, _Cells] = {name: {} for name in wanted}
    lines: dict[str, int] = {}
    for line, row in read_table(path, (key,), ())[1]:
        name = picture_name(path, line, row[key]) if key == "picture" else row[key]
        if name in lines:
            raise DataError(
                f"expected each {key} once, found '{name}' again, {at_line(path, line)}; it was "
                f"in line {lines[name]}"
            )
        lines[name] = line
        for column in wanted:
            if row[column]:
                cells[column][name] = line, row[column]
    if not lines:
        raise DataError(f"expected at least one {key}, found none in '{path.name}'")
    attributes = tuple(_attribute(path, name, cells[name]) for name in wanted)
    return AttributeTable(path.name, key, tuple(lines), attributes)


def _wanted(columns: Sequence[str], chosen: Sequence[str], path: Path) -> list[str]:
    there = [column for column in columns if column and column not in _COLUMNS_OF_NAMES]
    wanted = [name.strip().lower() for name in chosen] or there
    missing = [name for name in wanted if name not in there]
    if missing or not wanted:
        raise DataError(
            f"expected a column {' and '.join(missing) or 'for each attribute'} in line 1 of "
            f"'{path.name}', found {', '.join(columns)}"
        )
    return list(dict.fromkeys(wanted))


def _attribute(path: Path, name: str, cells: _Cells) -> Attribute:
    if not cells:
        raise DataError(f"expected a value under '{name}', found none in '{path.name}'")
    numbers = {key: _number(text) for key, (_, text) in cells.items()}
    known = {key: number for key, number in numbers.items() if number is not None}
    several = len(set(known.values())) > _MOST_VALUES_OF_GROUPS
    if several and len(known) == len(cells):
        return Attribute(name, numbers=known)
    if several and 2 * len(known) > len(cells):
        line, text = next(cells[key] for key in cells if key not in known)
        raise DataError(
            f"expected a number under '{name}', as in other rows, found '{text}', "
            f"{at_line(path, line)}"
        )
    groups = {key: text for key, (_, text) in cells.items()}
    count = len(set(groups.values()))
    if count > MOST_GROUPS:
        raise DataError(
            f"expected numbers, or at most {MOST_GROUPS} groups, under '{name}' of '{path.name}', "
            f"found {count} values; name the columns to read with --group-by"
        )
    return Attribute(name, groups=groups)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
