"""CSV files as people and spreadsheets write them, with sentences that name the line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from training.data.errors import DataError

Row = tuple[int, dict[str, str]]
"""Number of the line, and its fields by column."""


def read_table(
    path: Path, needed: Sequence[str], allowed: Sequence[str]
) -> tuple[list[str], Iterator[Row]]:
    """Columns, and the rows one by one; blank lines are passed over.

    Columns are in lower case. Fields are divided by commas, semicolons or tabs,
    whichever is most often in the first line.

    Args:
        needed: Columns that must be there, with a value in every row.
        allowed: Further columns, to be named when one is missing.

    Raises:
        DataError: If the file or a column is missing, a row has too many or too few
            fields, or the text is not UTF-8.
    """
    if not path.is_file():
        raise DataError(f"expected a CSV file, found none named '{path.name}'")
    try:
        # Spreadsheets put a byte order mark first.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"expected UTF-8 text in '{path.name}', found other bytes") from error
    lines = text.splitlines()
    if not lines:
        header = f" '{','.join(needed)}'" if needed else ""
        raise DataError(f"expected a header{header}, found '{path.name}' empty")
    # Semicolons and tabs are what spreadsheets of other countries write.
    separator = max(",;\t", key=lines[0].count)
    reader = csv.reader(lines, delimiter=separator)
    columns = [column.strip().lower() for column in next(_parsed(reader, path))]
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
        for fields in _parsed(reader, path):
            if not any(field.strip() for field in fields):
                continue
            if len(fields) != len(columns):
                raise DataError(
                    f"expected {len(columns)} fields, found {len(fields)}, "
                    f"{at_line(path, reader.line_num)}"
                )
            row = dict(zip(columns, (field.strip() for field in fields), strict=True))
            for column in needed:
                if not row[column]:
                    raise DataError(
                        f"expected a value under '{column}', found none, "
                        f"{at_line(path, reader.line_num)}"
                    )
            yield reader.line_num, row

    return columns, rows()


def _parsed(reader: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise DataError(f"expected lines of fields in '{path.name}', found: {error}") from error


def picture_name(path: Path, line: int, name: str) -> str:
    """A path below the pictures' folder, with slashes, no part of which leads out of it."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or (parts.parts and ":" in parts.parts[0]):
        raise DataError(
            f"expected a path below the images folder, found '{name}', {at_line(path, line)}"
        )
    return parts.as_posix()


def at_line(path: Path, line: int) -> str:
    return f"line {line} of '{path.name}'"
