"""How fast it is on this machine, against its own limit and others: `python -m bench`.

Writes bench/RESULTS.md. What is measured and asked: bench/speed/plan.py, asked.py.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.speed.asked import rows
from bench.speed.cast import Cast
from bench.speed.machine import cpu_name, others_at_work, own_versions
from bench.speed.page import Setting, asked_table, page
from bench.speed.pictures import Pictures
from bench.speed.plan import ACCURATE
from bench.speed.results import Results
from bench.speed.rounds import measure_memory, measure_rounds
from model.artifact import read_artifact
from model.faces import Detector
from tests.running import ROOT

RESULTS = Path("bench/RESULTS.md")
_MEMORY = "memory"


def main(arguments: list[str] | None = None) -> None:
    chosen = options(arguments)
    load = others_at_work()
    results = Results(versions=own_versions())

    def wanted(name: str) -> bool:
        return chosen.only is None or any(only in name for only in chosen.only)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pictures").mkdir()
        _say("making pictures")
        detector = Detector(read_artifact(ROOT / ACCURATE.artifact).detector)
        pictures = Pictures(folder / "pictures", detector)
        del detector
        _say("starting everybody")
        cast = Cast(pictures, folder, wanted, results)
        try:
            measure_rounds(cast, results, chosen.rounds, chosen.seconds, _say)
            cast.note_footprints()
        finally:
            cast.close()
        if chosen.memory_requests and wanted(_MEMORY):
            results.memory = measure_memory(pictures, chosen.memory_requests, _say)
    _say("")
    given = sys.argv[1:] if arguments is None else arguments
    setting = Setting(
        command=f"python -m bench {shlex.join(given)}" if given else "make bench",
        cpu=cpu_name(),
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        versions=", ".join(f"{name} {number}" for name, number in results.versions.items()),
        rounds=chosen.rounds,
        cell_s=chosen.seconds,
        load=load,
    )
    text = page(results, setting)
    if chosen.out is None:
        print(text)
        return
    chosen.out.write_text(text, encoding="utf-8")
    print(asked_table(rows(results)))
    print(f"\nwritten: {chosen.out}")


def options(arguments: list[str] | None) -> argparse.Namespace:
    """What the command line asks for; a part of a run never overwrites the page unasked."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, help="rounds (5; quick: 2)")
    parser.add_argument("--seconds", type=float, help="of one cell in one round (1.5; quick: 0.4)")
    parser.add_argument(
        "--memory-requests", type=int, help="requests between two looks at the memory; 0: none"
    )
    parser.add_argument("--quick", action="store_true", help="a rough look, in a few minutes")
    parser.add_argument(
        "--only",
        action="append",
        help="whose name holds this (bench/speed/plan.py), or 'memory'; may come several times",
    )
    parser.add_argument("--out", type=Path, help=f"the page ({RESULTS}; quick or only: printed)")
    chosen = parser.parse_args(arguments)
    rounds, seconds, requests = (2, 0.4, 500) if chosen.quick else (5, 1.5, 20_000)
    chosen.rounds = chosen.rounds or rounds
    chosen.seconds = chosen.seconds or seconds
    if chosen.memory_requests is None:
        chosen.memory_requests = requests
    if chosen.out is None and not chosen.quick and not chosen.only:
        chosen.out = ROOT / RESULTS
    return chosen


def _sayer() -> Callable[[str], None]:
    """One line that is written over, on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda text: print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


_say = _sayer()


if __name__ == "__main__":
    main()
