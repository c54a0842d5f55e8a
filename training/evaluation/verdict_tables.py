"""The verdict table as text: which rule errs least, and at which threshold."""

from __future__ import annotations

from collections.abc import Sequence

from model.contract import DEFAULT_FMR, VerdictPoint
from training.evaluation.text import TextTable, percent, percents, scientific
from training.evaluation.verdict_attempts import RULES


def common_rate(points: Sequence[VerdictPoint]) -> float | None:
    """The rate to compare rules at: FMR 1e-4, or the strictest that every row set reaches.

    None if there is no row.
    """
    reached: dict[int, float] = {}
    for point in points:
        reached[point.references] = min(point.fmr, reached.get(point.references, 1.0))
    return max(DEFAULT_FMR, *reached.values()) if reached else None


def at_rate(points: Sequence[VerdictPoint], rate: float) -> list[VerdictPoint]:
    """The rows of one rate, in their order."""
    return [point for point in points if abs(point.fmr / rate - 1) < 1e-9]


def fusion_table(points: Sequence[VerdictPoint]) -> TextTable:
    """FNMR of each rule on each number of references, all at one FMR."""
    rate = common_rate(points)
    rows = [] if rate is None else at_rate(points, rate)
    counts = sorted({row.references for row in rows})
    of = {(row.fusion, row.references): row for row in rows}
    return TextTable(
        f"Whole verdicts: FNMR at FMR {rate or 0:.0e}",
        ("rule", *(f"{k} reference{'s' if k > 1 else ''}" for k in counts)),
        tuple(
            (
                rule,
                *(
                    f"{percent(of[rule, k].fnmr)} ({percents(of[rule, k].fnmr_interval)})"
                    for k in counts
                ),
            )
            for rule in RULES
            if rows
        ),
        "Each rule with its own threshold for each number of references. With one reference all "
        "rules are the same.",
    )


def threshold_table(points: Sequence[VerdictPoint]) -> TextTable:
    """The thresholds behind `fusion_table`."""
    rate = common_rate(points)
    rows = [] if rate is None else at_rate(points, rate)
    return TextTable(
        f"Whole verdicts: thresholds for FMR {rate or 0:.0e}",
        ("rule", "references", "threshold", "FMR interval", "FNMR", "FNMR interval"),
        tuple(
            (
                row.fusion,
                str(row.references),
                f"{row.threshold:.6f}",
                scientific(row.fmr_interval),
                percent(row.fnmr),
                percents(row.fnmr_interval),
            )
            for row in rows
        ),
        "Intervals hold 95 %: what as many other people would show. Of share: the threshold of "
        "one reference's score; of the others: of the fused score.",
    )
