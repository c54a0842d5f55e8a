"""The documents, for tests of what they say."""

from __future__ import annotations

from pathlib import Path

from tests.running import ROOT

TOP = [path for path in sorted(ROOT.glob("*.md")) if path.is_file()]
PAGES = [*TOP, *sorted((ROOT / "docs").glob("*.md")), ROOT / "bench" / "RESULTS.md"]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
