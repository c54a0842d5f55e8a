"""What the service asks of the kernel is allowed by the filter of its unit for systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import httpx
import psutil
import pytest

from tests.faces import Faces
from tests.integration.api_client import enrol, post
from tests.running import ROOT, Around, service_within

pytestmark = pytest.mark.long

UNIT = ROOT / "docker" / "systemd" / "semblance.service"
# What starts the process; what SQLite does as root alone; and how strace shows another's end.
NOT_ITS_OWN = {"execve", "fchown", "syscall"}


@cache
def members(group: str) -> frozenset[str]:
    done = subprocess.run(
        ["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True
    )
    lines = [line.strip() for line in done.stdout.splitlines()[1:]]
    found: set[str] = set()
    for name in (line for line in lines if line and not line.startswith("#")):
        found |= members(name) if name.startswith("@") else {name}
    return frozenset(found)


def allowed() -> set[str]:
    """As systemd adds and takes away, line by line."""
    found: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", UNIT.read_text(), re.MULTILINE):
        takes_away, words = line.startswith("~"), line.lstrip("~").split()
        for word in words:
            names = members(word) if word.startswith("@") else {word}
            found = found - names if takes_away else found | names
    return found


def test_what_it_asks_is_allowed(tmp_path: Path, faces: Faces) -> None:
    for program in ("strace", "systemd-analyze"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} here")
    counted = tmp_path / "calls"
    around = Around(before=("strace", "-f", "-c", "-o", str(counted)))
    with service_within(around, tmp_path / "data") as service:
        (traced,) = psutil.Process(service.process.pid).children()
        try:
            with httpx.Client(base_url=service.url, timeout=120) as client:
                enrol(client, "ada", faces.read("obama.jpg"))
                image = {"image": faces.read("obama2.jpg")}
                found = post(client, "/v1/verify", "json", image, identity="ada").json()
                assert found["verified"]
                assert client.get("/metrics").status_code == 200
                assert client.delete("/v1/identities/ada").status_code == 200
        finally:
            # strace itself, told to end, would let go of it and leave it behind.
            traced.terminate()
        service.process.wait(30)
    # The last column but for the sum and the headings.
    lines = counted.read_text().splitlines()[2:]
    asked = {line.split()[-1] for line in lines if re.match(r"\s*\d", line)} - {"total"}
    assert {"openat", "futex", "accept4", "fsync"} & asked
    assert asked - allowed() - NOT_ITS_OWN == set()
