"""The FMR table of whole verdicts: each rule, on 1, 3, 5 and 10 references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.progress import track

from model.contract import VerdictPoint
from training.evaluation.attempts import Attempts
from training.evaluation.cautions import EXPECTED_FALSE
from training.evaluation.refit import fitted
from training.evaluation.verdict_attempts import DRAWS, RULES, Gallery, verdict_attempts

REFERENCES = (1, 3, 5, 10)
VERDICT_RATES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
_FEWEST_IDENTITIES = 10
_NOTHING = ""


@dataclass(frozen=True)
class VerdictTable:
    """The rows, the loosest of a rule and a number of references first; and their protocol."""

    points: tuple[VerdictPoint, ...] = ()
    protocol: str = _NOTHING


def verdict_table(
    gallery: Gallery,
    references: Sequence[int] = REFERENCES,
    *,
    seed: int = 0,
    quiet: bool = True,
) -> VerdictTable:
    """Thresholds and error rates of whole verdicts.

    A number of references is left out when fewer than ten identities have more
    pictures than that; a rate when fewer than ten false verdicts were to be expected
    in one draw of references.
    """
    usable = [k for k in references if gallery.more_than(k) >= _FEWEST_IDENTITIES]
    rows: list[VerdictPoint] = []
    counts: list[str] = []
    for k in track(usable, "verdicts", disable=quiet):
        by_rule = verdict_attempts(gallery, k, seed)
        some = by_rule["share"]
        rates = verdict_rates(some)
        for rule in RULES:
            verification = gallery.verification if rule == "share" else None
            rows += [
                VerdictPoint(
                    fusion=rule,
                    references=k,
                    verification_threshold=verification,
                    **asdict(one),
                )
                for one in fitted(by_rule[rule], rates, seed)
            ]
        if rates:
            counts.append(_counted(k, some))
    if not rows:
        return VerdictTable()
    rows.sort(key=lambda row: (RULES.index(row.fusion), row.references))
    return VerdictTable(tuple(rows), _protocol(counts))


def verdict_rates(attempts: Attempts) -> tuple[float, ...]:
    """The rates at which ten false verdicts or more were to be expected in one draw."""
    verdicts = float(attempts.trials()) / attempts.repeats
    return tuple(rate for rate in VERDICT_RATES if rate * verdicts * (1 + 1e-9) >= EXPECTED_FALSE)


def _counted(references: int, attempts: Attempts) -> str:
    impostor = round(float(attempts.trials()) / attempts.repeats)
    return (
        f"k = {references}: {int((attempts.enrolled > 0).sum()):,} identities enrolled, "
        f"{impostor:,} impostor and {len(attempts.genuine) // attempts.repeats:,} genuine verdicts"
    )


def _protocol(counts: Sequence[str]) -> str:
    return (
        f"k references drawn of each identity with at least k pictures, {DRAWS} draws together; "
        "FMR over pictures of other identities as probes, FNMR over the identity's other "
        "pictures; threshold the lowest that keeps the rate; rows with 10 expected false "
        "verdicts or more in a draw; 95 % intervals of as many other people, by bootstrap over "
        f"identities with the threshold refitted (1,000 resamples). Of a draw: {'; '.join(counts)}."
    )
