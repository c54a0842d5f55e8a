"""The score above which a candidate of an identification is no chance.

A search among R references is as many comparisons. A probe of somebody who is not
enrolled is taken for somebody (a false positive identification, ISO/IEC 19795-1) if any
of them matches:

    FPIR(R) <= 1 - (1 - FMR)^R                  about R * FMR, where that is small

R counts references, not identities: each may match, and the best one is an identity's
score. References of one person match together, and some probes match more people than
others; both make fewer probes match for as many matches, so the bound holds.

The rates of one comparison are those of the manifest's table, and no others: what is
stricter than its last row cannot be promised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from model.contract import Calibration
from service.core.errors import InvalidRequest
from service.core.results import Threshold
from service.core.verdict_table import Bound

DEFAULT_MAX_FPIR = 0.01


@dataclass(frozen=True)
class Bar:
    """The threshold of an identification.

    Attributes:
        fpir: The false positive identification rate that it stands for, as an upper
            bound; None where it is looser than the whole table.
    """

    threshold: Threshold
    fpir: float | None


def fpir_of(fmr: float, references: int) -> float:
    """1 - (1 - fmr)^references, also where that is tiny."""
    return -math.expm1(references * math.log1p(-fmr)) if fmr < 1 else float(references > 0)


def fmr_within(max_fpir: float, references: int) -> float:
    """The rate of one comparison that keeps to a rate of the whole search; the reverse."""
    if max_fpir >= 1:
        return 1.0
    return -math.expm1(math.log1p(-max_fpir) / max(references, 1))


def bar(
    calibration: Calibration,
    references: int,
    *,
    detection: float | None,
    max_fpir: float | None,
    default: float = DEFAULT_MAX_FPIR,
) -> Bar:
    """The threshold in force among so many references.

    Without one that is asked for it is that of the operator's rate or, where the gallery
    is too large for it, the strictest that was measured.

    Args:
        detection: The caller's own threshold.
        max_fpir: The caller's rate.
        default: The operator's.

    Raises:
        InvalidRequest: If both are asked for, or the table cannot say the rate.
    """
    if detection is not None and max_fpir is not None:
        raise InvalidRequest("give detection_threshold or max_fpir, not both")
    table = Bound((calibration.points,))
    if detection is not None:
        return _bar(table, references, Threshold(detection, "request"))
    if max_fpir is not None:
        found = table.threshold(fmr_within(max_fpir, references))
        if found is None:
            raise InvalidRequest(_too_strict(table, references))
        return _bar(table, references, Threshold(found, "fpir"))
    found = table.threshold(max(fmr_within(default, references), table.strictest))
    assert found is not None  # that of the strictest row, at least
    return _bar(table, references, Threshold(found, "default"))


def _bar(table: Bound, references: int, threshold: Threshold) -> Bar:
    fmr = table.rate(threshold.value)
    return Bar(threshold, None if fmr is None else float(f"{fpir_of(fmr, references):.6g}"))


def _too_strict(table: Bound, references: int) -> str:
    lowest = fpir_of(table.strictest, references)
    # Rounded up, so that what is shown can be asked for.
    shown = math.ceil(lowest * 1e6) / 1e6
    return (
        f"max_fpir must be at least {shown:g} among {references} references: the strictest false "
        f"match rate that was measured of this model is {table.strictest:g} a comparison"
    )
