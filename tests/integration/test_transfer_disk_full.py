"""A disk that is full: said in one line, nothing half there, and done when there is room."""

from __future__ import annotations

import shlex
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.store_samples import new_reference
from tests.integration.transfer_samples import Spot, fill
from tests.running import ROOT

SERVICE = f"{shlex.quote(sys.executable)} -m service"


@pytest.fixture
def place(tmp_path: Path) -> Spot:
    """About 12 MB."""
    place = Spot(tmp_path / "data")
    fill(place)
    with closing(place.opened()) as found:
        for number in range(60):
            new = new_reference(f"large {number}", image_bytes=200_000)
            found.store.enrol(f"large {number}", [new], limit=5)
    return place


def on_a_small_disk(place: Spot, disk: Path, script: str) -> str:
    """What a script prints, errors too, where `disk` has 5 MB and nobody else sees it."""
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=5m none {shlex.quote(str(disk))}"
    begin = ["unshare", "--mount"]
    if subprocess.run([*begin, "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    done = subprocess.run(
        [*begin, "sh", "-c", f"{mount}\n{script}"],
        cwd=ROOT,
        env=place.environment | {"DISK": str(disk)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def test_a_backup_onto_a_full_disk(place: Spot, tmp_path: Path) -> None:
    said = on_a_small_disk(
        place,
        tmp_path / "disk",
        f"""
        {SERVICE} backup $DISK/file; echo "status $?"; ls -A $DISK; echo end
        mount -o remount,size=50m $DISK
        {SERVICE} backup $DISK/file >$DISK/said; echo "status $?"; ls -A $DISK
        """,
    )
    first, _, second = said.partition("end\n")
    assert first.startswith("error: ")
    assert "No space left on device" in first
    assert first.splitlines()[1:] == ["status 2"]
    assert second.splitlines() == ["status 0", "file", "said"]


def test_a_restore_onto_a_full_disk(place: Spot, tmp_path: Path) -> None:
    file, key = tmp_path / "file", place.data_dir / "master.key"
    place.command("backup", file)
    said = on_a_small_disk(
        place,
        tmp_path / "disk",
        f"""
        export SEMBLANCE_DATA_DIR=$DISK
        cp {shlex.quote(str(key))} $DISK
        {SERVICE} restore {shlex.quote(str(file))}; echo "status $?"
        mount -o remount,size=80m $DISK
        {SERVICE} export "person 0"; echo "status $?"
        {SERVICE} restore {shlex.quote(str(file))} | tail -1; echo "status $?"
        {SERVICE} export "large 7" | grep -c embedding
        """,
    )
    lines = said.splitlines()
    assert lines[:4] == [
        "error: The storage is full; nothing was stored.",
        "status 2",
        "error: No such identity is enrolled.",
        "status 2",
    ]
    assert "is restored" in lines[4]
    assert lines[5:] == ["status 0", "1"]
