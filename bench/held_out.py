"""How often a claimed interval holds on people whom the threshold was not fitted on.

    python -m bench.held_out models/fused --data celeba300 --splits 50

The identities are cut into halves at random; thresholds and intervals are of one
half, the rates of the other. Of 95 % intervals 95 % should hold.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.progress import track

from bench.people import arguments, gallery_from
from training.evaluation.attempts import Attempts, pair_attempts
from training.evaluation.held_out import Coverage, carried, coverage
from training.evaluation.text import TextTable, markdown
from training.evaluation.verdict_attempts import RULES, verdict_attempts
from training.evaluation.verdicts import REFERENCES

_RATES = (1e-2, 1e-3, 1e-4)
_FEWEST_IDENTITIES = 20


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--splits", type=int, default=50)
    options = parser.parse_args()
    gallery = gallery_from(options)
    tried: list[tuple[str, Attempts]] = [("pair", pair_attempts(gallery.comparisons, _RATES[0]))]
    for k in REFERENCES[1:]:
        if gallery.more_than(k) < _FEWEST_IDENTITIES:
            continue
        found = verdict_attempts(gallery, k)
        tried += [(f"{rule}, {k} references", found[rule]) for rule in RULES]
    rows = [
        row
        for name, attempts in track(tried, "split")
        for row in _rows(name, coverage(attempts, carried(attempts, _RATES), options.splits))
    ]
    head = ("of", "nominal FMR", "mean FMR of the others", "FMR held", "FNMR held")
    print(markdown(TextTable("", head, tuple(rows))))


def _rows(name: str, found: Sequence[Coverage]) -> list[tuple[str, ...]]:
    return [
        (
            name,
            f"{one.fmr:.0e}",
            f"{one.mean_fmr:.1e}",
            f"{100 * one.fmr_held:.0f} %",
            f"{100 * one.fnmr_held:.0f} %",
        )
        for one in found
    ]


if __name__ == "__main__":
    main()
