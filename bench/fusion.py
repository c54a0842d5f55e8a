"""Which rule of gallery fusion errs least, as Markdown for the README.

    python -m bench.fusion models/fused --data celeba300

FNMR at one FMR with 1, 3, 5 and 10 references of an identity, and the thresholds.
"""

from __future__ import annotations

from bench.people import arguments, gallery_from
from training.evaluation.text import markdown
from training.evaluation.verdict_tables import fusion_table, threshold_table
from training.evaluation.verdicts import verdict_table


def main() -> None:
    options = arguments(__doc__).parse_args()
    found = verdict_table(gallery_from(options), quiet=False)
    if not found.points:
        raise SystemExit("expected more people, or more pictures of each, for any row")
    for table in (fusion_table(found.points), threshold_table(found.points)):
        print(f"\n{table.title}\n\n{markdown(table)}\n\n{table.note}")
    print(f"\n{found.protocol}")


if __name__ == "__main__":
    main()
