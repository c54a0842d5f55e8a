"""Lists of pairs and of groups in CSV files, with sentences that name the line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from training.data.errors import DataError
from training.evaluation.corpus import PairList

_TRUE = frozenset({"1", "true", "yes", "same", "genuine"})
_FALSE = frozenset({"0", "false", "no", "different", "impostor"})

Row = tuple[int, dict[str, str]]
"""Number of the line, and its fields by column."""


def read_pairs(path: Path) -> PairList:
    """Pairs from a file with the columns probe, reference, same, and perhaps fold, group.

    `same` is 1 or 0 (also true, yes, genuine; false, no, impostor). Paths lie below
    a folder that is named elsewhere.

    Raises:
        DataError: If a column or a value is missing or wrong, or there is no pair.
    """
    pairs, same, folds, groups = [], [], [], []
    columns, rows = _table(path, ("probe", "reference", "same"), ("fold", "group"))
    for line, row in rows:
        pairs.append((_name(path, line, row["probe"]), _name(path, line, row["reference"])))
        truth = row["same"].lower()
        if truth not in _TRUE | _FALSE:
            raise DataError(
                f"expected 1 or 0 under 'same', found '{row['same']}', {_at(path, line)}"
            )
        same.append(truth in _TRUE)
        if "fold" in columns:
            if not row["fold"].isdecimal():
                found = row["fold"]
                raise DataError(
                    f"expected a whole number under 'fold', found '{found}', {_at(path, line)}"
                )
            folds.append(int(row["fold"]))
        groups.append(row.get("group", ""))
    if not pairs:
        raise DataError(f"expected at least one pair below the header, found none in '{path.name}'")
    return PairList(
        pairs=tuple(pairs),
        same=tuple(same),
        folds=tuple(folds) if "fold" in columns else None,
        groups=tuple(groups) if "group" in columns else None,
    )


def read_groups(path: Path) -> dict[str, str]:
    """Group by identity, from a file with the columns identity and group.

    Raises:
        DataError: If a column is missing, an identity comes twice, or there is none.
    """
    groups: dict[str, str] = {}
    for line, row in _table(path, ("identity", "group"), ())[1]:
        if row["identity"] in groups:
            raise DataError(
                f"expected each identity once, found '{row['identity']}' again, {_at(path, line)}"
            )
        groups[row["identity"]] = row["group"]
    if not groups:
        raise DataError(f"expected at least one identity, found none in '{path.name}'")
    return groups


def _table(
    path: Path, needed: Sequence[str], allowed: Sequence[str]
) -> tuple[list[str], Iterator[Row]]:
    """Columns, and the rows one by one; blank lines are passed over."""
    if not path.is_file():
        raise DataError(f"expected a CSV file, found none named '{path.name}'")
    try:
        # Spreadsheets put a byte order mark first.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"expected UTF-8 text in '{path.name}', found other bytes") from error
    lines = text.splitlines()
    if not lines:
        raise DataError(f"expected a header '{','.join(needed)}', found '{path.name}' empty")
    # Semicolons and tabs are what spreadsheets of other countries write.
    separator = max(",;\t", key=lines[0].count)
    reader = csv.reader(lines, delimiter=separator)
    columns = [column.strip().lower() for column in next(reader)]
    missing = [column for column in needed if column not in columns]
    if missing:
        wanted = ", ".join((*needed, *(f"[{one}]" for one in allowed)))
        raise DataError(
            f"expected the columns {wanted} in line 1 "
            f"of '{path.name}', found {', '.join(columns) or 'none'}: "
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        )
    if len(set(columns)) < len(columns):
        raise DataError(f"expected each column once in line 1 of '{path.name}', found one twice")

    def rows() -> Iterator[Row]:
        for fields in reader:
            if not any(field.strip() for field in fields):
                continue
            if len(fields) != len(columns):
                raise DataError(
                    f"expected {len(columns)} fields, found {len(fields)}, "
                    f"{_at(path, reader.line_num)}"
                )
            row = dict(zip(columns, (field.strip() for field in fields), strict=True))
            for column in needed:
                if not row[column]:
                    raise DataError(
                        f"expected a value under '{column}', found none, "
                        f"{_at(path, reader.line_num)}"
                    )
            yield reader.line_num, row

    return columns, rows()


def _name(path: Path, line: int, name: str) -> str:
    """A path below the images folder, with slashes, no part of which leads out of it."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or (parts.parts and ":" in parts.parts[0]):
        raise DataError(
            f"expected a path below the images folder, found '{name}', {_at(path, line)}"
        )
    return parts.as_posix()


def _at(path: Path, line: int) -> str:
    return f"line {line} of '{path.name}'"
