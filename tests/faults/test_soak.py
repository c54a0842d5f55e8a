"""The soak's own tests: it runs against a real service, and tells growth from level."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from bench.soak import Sample, report
from tests.running import ROOT


@pytest.mark.long
def test_some_hundred_verifications_leave_memory_level() -> None:
    """The same command as the soak of 100,000, which is to be run on an idle machine."""
    command = [sys.executable, "-m", "bench.soak", "--verifications", "200", "--allowed", "5"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {what: int(n) for n, what in re.findall(r"(\d+) (\w+)[,\n]", done.stdout)}
    assert counts["verified"] >= 200
    assert counts["deleted"] >= 4
    assert counts["enrolled"] == 12 + counts["deleted"]
    assert "growth of resident memory: " in done.stdout
    print(f"\n{done.stdout}")


@pytest.mark.parametrize(
    ("mib", "files", "threads", "status"),
    [
        (0.0, 0.0, 0.0, 0),
        (1.9e-4, 0.03, 0.03, 0),  # + 1.9 MiB of 100, 3 files, 3 threads within 10,000
        (2.5e-4, 0.0, 0.0, 1),
        (0.0, 0.06, 0.0, 1),
        (0.0, 0.0, 0.06, 1),
    ],
)
def test_growth_is_told_from_what_is_level(
    mib: float, files: float, threads: float, status: int
) -> None:
    def at(n: int) -> Sample:
        after = max(0, n - 5_000)
        # What grows before is not counted.
        resident = 100 + mib * after - 40 * max(0, 4_000 - n) / 4_000
        return Sample(n, resident, int(30 + files * after / 100), int(20 + threads * after / 100))

    assert report([at(n) for n in range(0, 15_001, 100)], 5_000, 2.0) == status
