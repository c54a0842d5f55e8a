"""What the figures cannot carry, in sentences for whoever reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from training.evaluation.comparisons import Comparisons
from training.evaluation.rates import RATES

EXPECTED_FALSE = 10
"""False matches that a rate should rest on; with fewer it is a guess."""
_FEWEST_GENUINE = 100
_FEWEST_IDENTITIES = 30
_RULE_OF_THREE = 3


def cautions_of(comparisons: Comparisons, rates: Sequence[float] = RATES) -> list[str]:
    """Rates for which there are too few pairs, and how many would be needed."""
    total = len(comparisons.impostor)
    found = [
        f"FMR {rate:.0e}: {total:,} impostor pairs hold about {_about(rate * total)} false matches "
        f"at this rate; {_needed(rate):,} pairs are needed for {EXPECTED_FALSE}"
        + ("" if rate * total >= 1 else ", and the rate is left out of the table")
        for rate in rates
        if rate * total * (1 + 1e-9) < EXPECTED_FALSE
    ]
    if found and total > _RULE_OF_THREE:
        found.append(
            f"no false match among {total:,} impostor pairs would show, at 95 %, only that the "
            f"FMR is below {_RULE_OF_THREE / total:.1e} (rule of three)"
        )
    genuine = len(comparisons.genuine)
    if genuine < _FEWEST_GENUINE:
        found.append(
            f"genuine pairs: {genuine}, few for an FNMR; at least {_FEWEST_GENUINE} are needed "
            "to tell 1 % from nothing"
        )
    if not comparisons.listed and comparisons.identities < _FEWEST_IDENTITIES:
        found.append(
            f"{comparisons.identities} identities are few: rates of other people may be quite "
            f"different, whatever the intervals say (at least {_FEWEST_IDENTITIES} are advised)"
        )
    return found


def _needed(rate: float) -> int:
    return math.ceil(EXPECTED_FALSE / rate * (1 - 1e-12))


def _about(expected: float) -> str:
    return f"{expected:.1f}" if expected >= 0.1 else f"{expected:.1g}"
