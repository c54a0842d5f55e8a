"""What is asked of the service, and what a run found: a row for each."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from bench.speed.pictures import ALONE, GROUP, REFUSED
from bench.speed.plan import (
    ACCURATE,
    FAST,
    HUGE,
    OPENCV_TWICE,
    PROFILES,
    SATURATING,
    SMALL,
    USUAL,
    WIDE,
    Profile,
)
from bench.speed.results import Results
from bench.speed.samples import Cell
from bench.speed.subjects import MOST_REFERENCES

READY_MB, READY_S, REFUSED_MS = 300, 1.5, 10
_TIMES, _MORE_MS = 1.25, 1.5


@dataclass(frozen=True)
class Row:
    """One demand.

    Attributes:
        met: None if the run did not measure what is needed.
    """

    what: str
    asked: str
    found: str
    met: bool | None


def rows(results: Results) -> list[Row]:
    """Every demand, in the order in which they were made."""
    return [
        *_against_opencv(results),
        *(row for profile in PROFILES for row in _of_profile(results, profile)),
        *_memory(results),
    ]


def _against_opencv(results: Results) -> Iterator[Row]:
    for profile, least in ((FAST, 1.6), (ACCURATE, 1.0)):
        for picture in (SMALL, WIDE):
            yield at_least(
                f"{profile.name}: 8 clients against OpenCV's 2 processes, {picture}",
                results.rate(Cell(profile.service, picture, 8)),
                results.rate(Cell(OPENCV_TWICE, picture)),
                least,
            )


def _of_profile(results: Results, profile: Profile) -> Iterator[Row]:
    usual = Cell(profile.service, USUAL)
    eight = results.summaries.get(Cell(profile.service, USUAL, 8))
    p50, name = results.p50(usual), profile.name
    yield one_client(
        f"{name}: p50 of one client against the pipeline in process",
        p50,
        results.p50(Cell(profile.one_thread, USUAL), Cell(profile.two_threads, USUAL)),
    )
    yield at_least(
        f"{name}: most requests against the limit in process on both cores",
        results.rate(*(Cell(profile.service, USUAL, clients) for clients in SATURATING)),
        results.rate(*(Cell(subject, USUAL) for subject in profile.in_process)),
        0.85,
    )
    yield at_most(
        f"{name}: p99 against p50, 8 clients",
        eight.p99 if eight else None,
        eight.p50 if eight else None,
        2,
    )
    many = results.p50(Cell(profile.service, USUAL, references=MOST_REFERENCES))
    yield at_most(f"{name}: {MOST_REFERENCES} references against 1", many, p50, 1.10)
    group, alone = (results.p50(Cell(profile.service, one)) for one in (GROUP, ALONE))
    yield at_most(f"{name}: five faces in the picture against one", group, alone, 1.15)
    huge = results.p50(Cell(profile.service, HUGE))
    yield at_most(f"{name}: {HUGE} against {USUAL}", huge, p50, 4)
    for picture in REFUSED:
        refused = results.p50(Cell(profile.service, picture))
        yield limit(f"{name}: a picture that is refused: {picture}", refused, REFUSED_MS, "ms")
    starts = results.starts.get(name, [])
    ready = statistics.median(start.ready_s for start in starts) if starts else None
    resident = statistics.median(start.resident_mb for start in starts) if starts else None
    yield limit(f"{name}: start to ready, warm caches", ready, READY_S, "s")
    yield limit(f"{name}: resident memory when ready", resident, READY_MB, "MB")


def _memory(results: Results) -> Iterator[Row]:
    if results.memory is None:
        yield Row("resident memory after many requests", "at most +2 %", "not measured", None)
        return
    after = results.memory.mb_after
    last = max(after)
    more = 100 * (after[last] / after[0] - 1)
    course = ", ".join(f"{mb:.0f} MB after {number:,}" for number, mb in sorted(after.items()))
    what = f"{results.memory.profile}: resident memory after {last:,} requests against ready"
    yield Row(what, "at most +2 %", f"{more:+.1f} % ({course})", more <= 2)


def at_least(what: str, value: float | None, against: float | None, ratio: float) -> Row:
    """Requests a second: `value / against` is not under `ratio`."""
    asked = f"at least {ratio:.2f}"
    if value is None or against is None:
        return Row(what, asked, "not measured", None)
    found = value / against
    return Row(what, asked, f"{found:.2f} ({value:.1f} / {against:.1f} a second)", found >= ratio)


def at_most(what: str, value: float | None, against: float | None, ratio: float) -> Row:
    """Milliseconds: `value / against` is not over `ratio`."""
    asked = f"at most {ratio:.2f}"
    if value is None or against is None:
        return Row(what, asked, "not measured", None)
    found = value / against
    return Row(what, asked, f"{found:.2f} ({value:.1f} / {against:.1f} ms)", found <= ratio)


def one_client(what: str, value: float | None, against: float | None) -> Row:
    """Milliseconds: HTTP may add a quarter and a little."""
    asked = f"at most {_TIMES} times + {_MORE_MS} ms"
    if value is None or against is None:
        return Row(what, asked, "not measured", None)
    most = _TIMES * against + _MORE_MS
    found = f"{value:.1f} ms; {most:.1f} ms allowed ({_TIMES} x {against:.1f} + {_MORE_MS})"
    return Row(what, asked, found, value <= most)


def limit(what: str, value: float | None, most: float, unit: str) -> Row:
    """A plain upper bound."""
    asked = f"at most {most:g} {unit}"
    if value is None:
        return Row(what, asked, "not measured", None)
    return Row(what, asked, f"{value:.{0 if unit == 'MB' else 2}f} {unit}", value <= most)
