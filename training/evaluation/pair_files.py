"""Lists of pairs in CSV files, with sentences that name the line."""

from __future__ import annotations

from pathlib import Path

from training.attributes.csv_table import at_line, picture_name, read_table
from training.data.errors import DataError
from training.evaluation.corpus import PairList

_TRUE = frozenset({"1", "true", "yes", "same", "genuine"})
_FALSE = frozenset({"0", "false", "no", "different", "impostor"})


def read_pairs(path: Path) -> PairList:
    """Pairs from a file with the columns probe, reference, same, and perhaps fold, group.

    `same` is 1 or 0 (also true, yes, genuine; false, no, impostor). Paths lie below
    a folder that is named elsewhere.

    Raises:
        DataError: If a column or a value is missing or wrong, or there is no pair.
    """
    pairs, same, folds, groups = [], [], [], []
    columns, rows = read_table(path, ("probe", "reference", "same"), ("fold", "group"))
    for line, row in rows:
        pairs.append(
            (picture_name(path, line, row["probe"]), picture_name(path, line, row["reference"]))
        )
        truth = row["same"].lower()
        if truth not in _TRUE | _FALSE:
            raise DataError(
                f"expected 1 or 0 under 'same', found '{row['same']}', {at_line(path, line)}"
            )
        same.append(truth in _TRUE)
        if "fold" in columns:
            if not row["fold"].isdecimal():
                found = row["fold"]
                raise DataError(
                    f"expected a whole number under 'fold', found '{found}', {at_line(path, line)}"
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
