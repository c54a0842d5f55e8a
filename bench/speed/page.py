"""The page of results, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.speed.asked import Row, rows
from bench.speed.pictures import SIZES
from bench.speed.plan import OPENCV, OPENCV_TWICE, PEERS, PROFILES, USUAL, WIDE
from bench.speed.results import Results
from bench.speed.samples import Cell, Summary

_NONE = "-"
_STAGES = ("decode", "detect", "align", "embed", "references", "score")


@dataclass(frozen=True)
class Setting:
    """What stands at the head of the page.

    Attributes:
        command: That made it.
        load: Processes that wanted a core when the run began; above 0.5 is busy.
        cell_s: Seconds that one cell was measured for in each round.
    """

    command: str
    cpu: str
    date: str
    versions: str
    rounds: int
    cell_s: float
    load: float


def page(results: Results, setting: Setting) -> str:
    """The whole page."""
    parts = [
        "# Speed",
        _head(setting),
        "## Asked and found",
        asked_table(rows(results)),
        "## In process",
        "Verifications a second by size of the JPEG, one face, one reference that is kept "
        f"embedded; the rest at {USUAL}. The peers follow their own documentation: a kept "
        "feature or encoding of the reference against each new picture, read from its JPEG. "
        "CPU is of one verification, all threads together.",
        _in_process(results),
        "## Over HTTP",
        "`POST /v1/verify`, connections kept, one identity with one reference unless said. CPU is "
        "of one request, the service's and, last, the load generator's, which shares the cores.",
        _over_http(results),
        _residents(results),
        "## Stages",
        "Medians in ms, one request at a time. The whole is what the caller waits for.",
        _stages(results),
    ]
    if results.failures:
        parts += ["## Not measured", _failures(results)]
    return "\n\n".join(parts) + "\n"


def table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a field would end it, so it is escaped."""
    every = [list(heads), ["---"] * len(heads), *map(list, lines)]
    return "\n".join(
        f"| {' | '.join(field.replace('|', chr(92) + '|') for field in line)} |" for line in every
    )


def asked_table(demands: Sequence[Row]) -> str:
    """Each demand and whether it is met."""
    said = {True: "yes", False: "**no**", None: _NONE}
    return table(
        ("what", "asked", "found", "met"),
        ((row.what, row.asked, row.found, said[row.met]) for row in demands),
    )


def _head(setting: Setting) -> str:
    lines = [
        f"Made by `{setting.command}` on {setting.date}: {setting.cpu}. {setting.versions}.",
        f"Medians over the rounds ({setting.rounds}); each goes over everybody in turn, "
        f"{setting.cell_s:g} s each, twice that from 8 clients on. Pictures: "
        "bench/speed/pictures.py.",
    ]
    if setting.load > 0.5:
        lines.append(
            f"**The machine was not idle** (load {setting.load:.1f} when the run began): whoever "
            "runs more processes gets more of the cores, so neither times nor ratios are to be "
            "relied on."
        )
    return "\n".join(lines)


def _in_process(results: Results) -> str:
    subjects = [
        *(name for p in PROFILES for name in (*p.in_process, p.tensorflow)),
        *PEERS,
    ]
    heads = ("who", *SIZES, "p50 ms", "p95", "p99", "CPU ms", "resident MB", "s to ready")
    measured = {cell.subject for cell in results.summaries}
    return table(heads, (_subject_line(results, name) for name in subjects if name in measured))


def _subject_line(results: Results, name: str) -> list[str]:
    rates = [results.rate(Cell(name, size)) for size in SIZES]
    usual = results.summaries.get(Cell(name, USUAL))
    start = results.footprints.get(name)
    return [
        name,
        *map(_number, rates),
        *_quantiles(usual),
        _number(usual.cpu_ms if usual else None),
        _number(start.resident_mb if start else None, 0),
        _number(start.ready_s if start else None),
    ]


def _over_http(results: Results) -> str:
    lines = []
    for cell, one in results.summaries.items():
        profile = next((p for p in PROFILES if p.service == cell.subject), None)
        if profile is None:
            continue
        many = f", {cell.references} references" if cell.references > 1 else ""
        client = _number(one.client_cpu_ms, 2)
        rate = _number(one.requests_per_s)
        name = f"{profile.name}, {cell.picture}{many}"
        line = [name, str(cell.clients), rate, *_quantiles(one), _number(one.cpu_ms), client]
        lines.append((PROFILES.index(profile), line))
    lines.sort(key=lambda item: item[0])
    heads = (
        "what",
        "clients",
        "requests/s",
        "p50 ms",
        "p95",
        "p99",
        "CPU ms a request",
        "client's",
    )
    return table(heads, (line for _, line in lines))


def _residents(results: Results) -> str:
    found = [
        f"{name} {results.footprints[name].resident_mb:.0f} MB"
        for name in (profile.service for profile in PROFILES)
        if name in results.footprints
    ]
    return f"Resident memory after all of these: {', '.join(found) or 'not measured'}."


def _stages(results: Results) -> str:
    subjects = [
        *(name for p in PROFILES for name in (p.one_thread, p.two_threads, p.service)),
        *(p.tensorflow for p in PROFILES),
        *(OPENCV_TWICE, OPENCV),
    ]
    lines = []
    for picture in (USUAL, WIDE):
        for name in subjects:
            one = results.summaries.get(Cell(name, picture))
            if one is not None and one.stages:
                parts = [_number(one.stages.get(stage), 2) for stage in _STAGES]
                lines.append([f"{name}, {picture}", *parts, _number(one.p50, 2)])
    return table(("who", *_STAGES, "whole"), lines)


def _failures(results: Results) -> str:
    return "\n".join(f"- {name}: {reason}" for name, reason in results.failures.items())


def _quantiles(one: Summary | None) -> list[str]:
    return [_number(value) for value in ((one.p50, one.p95, one.p99) if one else [None] * 3)]


def _number(value: float | None, digits: int = 1) -> str:
    return _NONE if value is None else f"{value:.{digits}f}"
