"""`inspect`: contact sheets and counts of a folder that `prepare` made."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from rich.progress import track

from training.data.chips import CHIPS, write_png
from training.data.errors import DataError, saying_disk_full
from training.data.sheets import Cell, bar_chart, contact_sheet
from training.data.state import REPORT

SHEETS = "sheets"
_SIDE_PX, _COLUMNS = 112, 10
# Taller charts are no longer looked at; the table and the CSV have all of them.
_MOST_BARS = 60

Count = tuple[str, int, int]
"""(identity, pictures, chips kept)."""


def inspect(out: Path, samples: int, *, quiet: bool) -> list[Count]:
    """Writes `out/sheets/IDENTITY.png`, `out/counts.png` and `out/counts.csv`.

    Args:
        samples: Chips shown of each identity at most, evenly spread over its files.

    Raises:
        DataError: If `out` was not prepared to the end.
    """
    if not (out / REPORT).is_file():
        raise DataError(
            f"expected a folder that prepare made, found no {REPORT} in '{out.name}'; "
            "if prepare was interrupted, run it again"
        )
    report = json.loads((out / REPORT).read_text(encoding="utf-8"))
    counts: list[Count] = [
        (name, row["pictures"], row["kept"]) for name, row in report["identities"].items()
    ]
    with saying_disk_full("free some space and run it again"):
        for name, pictures, kept in track(counts, "contact sheets", disable=quiet):
            if kept:
                _write_sheet(out, name, pictures, samples)
        title = f"{sum(kept for _, _, kept in counts)} chips kept, by identity"
        if len(counts) > _MOST_BARS:
            title += f" (the first {_MOST_BARS} of {len(counts)})"
        write_png(out / "counts.png", bar_chart(title, counts[:_MOST_BARS]))
        _write_csv(out / "counts.csv", counts)
    return counts


def _write_sheet(out: Path, identity: str, pictures: int, samples: int) -> None:
    chips = sorted((out / CHIPS / identity).glob("*.png"))
    rows = np.linspace(0, len(chips) - 1, min(samples, len(chips))).round().astype(int)
    cells = []
    for path in (chips[row] for row in rows):
        with PillowImage.open(path) as chip:
            cells.append(Cell(np.asarray(chip.convert("RGB"), dtype=np.uint8), path.stem))
    title = f"{identity}: {len(cells)} of {len(chips)} chips, from {pictures} pictures"
    sheet = contact_sheet(title, cells, side_px=_SIDE_PX, columns=_COLUMNS)
    write_png(out / SHEETS / f"{identity}.png", sheet)


def _write_csv(path: Path, counts: list[Count]) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("identity", "pictures", "kept", "dropped"))
            writer.writerows((name, every, kept, every - kept) for name, every, kept in counts)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
