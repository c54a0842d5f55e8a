"""Figures as text, for the terminal, the report and the README alike."""

from __future__ import annotations

from dataclasses import dataclass

from training.evaluation.intervals import Interval


@dataclass(frozen=True)
class TextTable:
    """Headed columns of text.

    Attributes:
        note: What a reader must know to read it; may be empty.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def markdown(table: TextTable) -> str:
    """The table's rows as Markdown, without title and note."""
    lines = [table.columns, ("---",) * len(table.columns), *table.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def percents(interval: Interval) -> str:
    return f"{100 * interval[0]:.2f} .. {100 * interval[1]:.2f} %"


def scientific(interval: Interval) -> str:
    return " .. ".join("0" if bound == 0 else f"{bound:.1e}" for bound in interval)
