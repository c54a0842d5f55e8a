"""The command line of a fuzzer."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from tests.faces import Faces, faces
from tests.fuzz.session import Made, Session

_SHOWN = 60


def command(target: str, samples: Callable[[Faces], dict[str, bytes]], made: Made) -> int:
    """Runs a fuzzer as its arguments say. Returns the exit status: 1 if there is a finding."""
    parser = argparse.ArgumentParser(description="Spoilt files; those that do harm are kept.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/fuzz"), help="folder for findings")
    asked = parser.parse_args()
    session = Session(target, asked.out / target, lambda line: print(line, flush=True))
    session.fuzz(samples(faces()), made, seconds=asked.seconds, seed=asked.seed)
    report = session.report
    for answer, count in report.answers.most_common(_SHOWN):
        print(f"{count:8d}  {answer}")
    print(report)
    return 1 if report.findings else 0
