"""A minute of the fuzzers; `python -m tests.fuzz.decode` goes on for as long as asked."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.faces import Faces
from tests.fuzz import decode, pixels
from tests.fuzz.corpus import samples
from tests.fuzz.driver import Child
from tests.fuzz.mutate import spoilt
from tests.fuzz.parts import layout_of
from tests.fuzz.session import Report, Session

DECODE = [(8, 300), pytest.param(40, 2000, marks=pytest.mark.long)]
PIXELS = [(5, 15), pytest.param(15, 50, marks=pytest.mark.long)]
"""Seconds, and how many files are tried in them at least."""
# Fixed, so that a failure comes again; the commands take others.
SEED = 20

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def fuzzed(session: Session) -> Report:
    print(session.report)
    assert session.report.findings == {}
    return session.report


@pytest.mark.parametrize(("seconds", "least"), DECODE)
def test_spoilt_files_are_read_or_refused(
    faces: Faces, tmp_path: Path, seconds: float, least: int
) -> None:
    session = Session("decode", tmp_path)
    session.fuzz(samples(faces), decode.made, seconds=seconds, seed=SEED)
    report = fuzzed(session)
    assert report.tried > least
    # It goes far into the files, and not only to the first check.
    assert report.read > report.tried / 50
    kinds = {answer.split()[2] for answer in report.answers if answer.startswith("read")}
    assert kinds >= {"JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP", "MPO"}
    assert len(report.answers) > 40


@pytest.mark.parametrize(("seconds", "least"), PIXELS)
def test_any_pixels_are_looked_at(faces: Faces, tmp_path: Path, seconds: float, least: int) -> None:
    session = Session("faces", tmp_path)
    session.fuzz(pixels.samples(faces), pixels.made, seconds=seconds, seed=SEED)
    report = fuzzed(session)
    assert report.tried > least
    assert any(not answer.endswith(" 0 faces") for answer in report.answers)


@on_linux
def test_harm_is_noticed_and_the_next_file_is_tried() -> None:
    with Child("planted", limit_s=2, slow_s=0.3) as child:
        for harm in ("memory", "raised", "crash", "slow", "hang"):
            assert child.tried(harm.encode()).fault == harm
            assert child.tried(b"none").fault is None


def test_a_finding_is_kept_once_with_what_is_known_of_it(tmp_path: Path) -> None:
    heard: list[str] = []
    session = Session("planted", tmp_path, heard.append)
    files = iter([b"raised", b"crash", b"raised"] * 10_000)
    # What does no harm answers with its length; this session has no samples.
    session.fuzz({}, lambda known, chance: next(files), seconds=1, seed=1)
    assert session.report.harmful >= 3
    kept = {path.name.split("-")[0]: path for path in tmp_path.iterdir() if not path.suffix}
    assert set(kept) == {"raised", "crash"}
    assert len(heard) == 2
    assert kept["raised"].read_bytes() == b"raised"
    assert "KeyError" in kept["raised"].with_suffix(".txt").read_text()


def test_parts_put_together_again_are_the_file(faces: Faces) -> None:
    split = 0
    for name, data in samples(faces).items():
        layout = layout_of(data)
        if layout is None:
            assert name in {"GIF", "BMP", "palette BMP"}
            continue
        parts = layout.split(data)
        assert layout.join(parts) == data, name
        split += len(parts) > 2
    assert split > 12


def test_the_same_seed_spoils_in_the_same_way(faces: Faces) -> None:
    files = list(samples(faces).values())

    def made(seed: int) -> list[bytes]:
        chance = random.Random(seed)
        return [spoilt(chance.choice(files), files, chance) for _ in range(200)]

    assert made(1) == made(1)
    assert made(1) != made(2)
    assert sum(data not in files for data in made(1)) > 190
