"""`prepare` in parts: several processes or machines, and locks between real processes."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from model.artifact import Artifact
from tests.faces import Faces
from tests.integration.prepare_samples import (
    dirty_set,
    many_portraits,
    packed,
    refused,
    results,
    training,
)
from tests.running import ROOT
from training.data.errors import DataError
from training.data.lock import Lock
from training.data.options import Options
from training.data.prepare import prepare, prepare_shard
from training.data.shard import Shard, read_shard


def started(*arguments: str | Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "training", "prepare", *map(str, arguments), "--quiet"]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def report(out: Path) -> Any:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_every_item_is_in_one_shard(count: int) -> None:
    items = [f"ann/{number}" for number in range(17)]
    parts = [read_shard(f"{index}/{count}").of(items) for index in range(1, count + 1)]
    assert sorted(item for part in parts for item in part) == sorted(items)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(
    "text", ["0/2", "3/2", "a/b", "1/0", "-1/2", "1/2/3", "", "1", "99999/99999"]
)
def test_what_is_no_shard_is_one_sentence(text: str) -> None:
    with pytest.raises(DataError, match="expected a shard as i/n with i from 1 to n") as caught:
        read_shard(text)
    assert str(caught.value).endswith(f"found '{text}'")


def test_a_wrong_shard_on_the_command_line(tmp_path: Path) -> None:
    line = refused(training("prepare", tmp_path, tmp_path / "out", "--shard", "3/2"))
    assert line == "error: expected a shard as i/n with i from 1 to n, such as 1/2, found '3/2'"
    assert list(tmp_path.iterdir()) == []


def test_shards_at_once_make_what_one_run_makes(
    tmp_path: Path, faces: Faces, sface_artifact: Artifact
) -> None:
    archive = packed(dirty_set(tmp_path / "set", faces), tmp_path / "a.tgz")
    whole, out = tmp_path / "whole", tmp_path / "out"
    expected = prepare(archive, whole, sface_artifact, Options(quiet=True))
    running = [started(archive, out, "--shard", f"{index}/3") for index in (1, 2, 3)]
    said = [process.communicate(timeout=200) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    looked = [int(text.split("pictures, ")[1].split()[0]) for text, _ in said]
    assert sum(looked) == 19
    assert max(looked) - min(looked) <= 1
    assert not (out / "report.json").exists()
    # Once all looks are there, a shard cuts its part of the chips.
    again = prepare_shard(archive, out, sface_artifact, Options(quiet=True), Shard(1, 3))
    assert (again.looked, again.waiting) == (0, 0)
    end = training("prepare", archive, out, "--quiet")
    assert "0 pictures looked at" in end.stdout, end.stderr
    assert results(out) == results(whole)
    assert report(out) == expected.report
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_states_of_two_machines_are_copied_together(
    tmp_path: Path, faces: Faces, sface_artifact: Artifact
) -> None:
    archive = packed(dirty_set(tmp_path / "set", faces), tmp_path / "a.tgz")
    expected = prepare(archive, tmp_path / "whole", sface_artifact, Options(quiet=True))
    for index in (1, 2):
        part = prepare_shard(
            archive, tmp_path / f"m{index}", sface_artifact, Options(quiet=True), Shard(index, 2)
        )
        assert part.waiting == 19 - part.mine
    # Unpacked on its own, each file of the third machine has another time.
    out = tmp_path / "out"
    (out / "state").mkdir(parents=True)
    for path in (tmp_path / "m1" / "state", tmp_path / "m2" / "state"):
        for file in path.glob("*.json*"):
            shutil.copyfile(file, out / "state" / file.name)
    done = prepare(archive, out, sface_artifact, Options(quiet=True))
    assert done.looked == 0
    assert done.report == expected.report
    assert results(out) == results(tmp_path / "whole")


def test_what_no_shard_looked_at_is_looked_at_in_the_end(
    tmp_path: Path, faces: Faces, sface_artifact: Artifact
) -> None:
    source = dirty_set(tmp_path / "set", faces)
    part = prepare_shard(source, tmp_path / "out", sface_artifact, Options(quiet=True), Shard(2, 2))
    assert (part.mine, part.looked, part.waiting, part.cut) == (9, 9, 10, 0)
    done = prepare(source, tmp_path / "out", sface_artifact, Options(quiet=True))
    assert done.looked == 10
    assert (
        done.report
        == prepare(source, tmp_path / "whole", sface_artifact, Options(quiet=True)).report
    )


def test_a_look_without_embeddings_is_no_look_for_clean(
    tmp_path: Path, faces: Faces, sface_artifact: Artifact
) -> None:
    source = dirty_set(tmp_path / "set", faces)
    clean = Options(quiet=True, clean=True)
    prepare_shard(source, tmp_path / "plain", sface_artifact, Options(quiet=True), Shard(1, 2))
    prepare_shard(source, tmp_path / "out", sface_artifact, clean, Shard(2, 2))
    name = "looks-1-of-2.jsonl"
    shutil.copyfile(tmp_path / "plain/state" / name, tmp_path / "out/state" / name)
    done = prepare(source, tmp_path / "out", sface_artifact, clean)
    # All but the two that nobody can read, and so nobody can embed.
    assert done.looked in (8, 9, 10)
    assert done.report == prepare(source, tmp_path / "whole", sface_artifact, clean).report


def wait_for(path: Path, lines: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.is_file() and path.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.01)
    raise AssertionError(f"{path.name} did not grow")


@pytest.mark.long
def test_a_second_run_is_told_at_once_and_a_kill_frees_the_folder(
    tmp_path: Path, faces: Faces
) -> None:
    source, out = many_portraits(tmp_path / "set", faces, 120), tmp_path / "out"
    first = started(source, out)
    try:
        wait_for(out / "state" / "looks.jsonl", 2)
        # Stopped, it holds the lock for as long as the others need to see it.
        first.send_signal(signal.SIGSTOP)
        before = sorted(out.rglob("*"))
        busy = "error: another prepare is at work in 'out'"
        assert refused(training("prepare", source, out, "--quiet")) == busy
        assert refused(training("prepare", source, out, "--shard", "1/2")) == busy
        assert sorted(out.rglob("*")) == before
    finally:
        first.kill()
        first.communicate()
    shard = started(source, out, "--shard", "1/2")
    try:
        wait_for(out / "state" / "looks-1-of-2.jsonl", 2)
        shard.send_signal(signal.SIGSTOP)
        assert refused(training("prepare", source, out, "--quiet")) == busy
        same = refused(training("prepare", source, out, "--shard", "1/2"))
        assert same == "error: another prepare is at work on shard 1/2 in 'out'"
        other = training("prepare", source, out, "--shard", "2/2", "--quiet")
        assert other.returncode == 0, other.stderr
    finally:
        shard.kill()
        shard.communicate()
    end = training("prepare", source, out, "--quiet")
    assert end.returncode == 0, end.stderr


def test_a_refused_run_leaves_the_work_of_others(
    tmp_path: Path, faces: Faces, sface_artifact: Artifact
) -> None:
    source, out = dirty_set(tmp_path / "set", faces), tmp_path / "out"
    prepare_shard(source, out, sface_artifact, Options(quiet=True), Shard(1, 2))
    shutil.rmtree(source / "joe")
    shutil.rmtree(source / "astronaut")
    # A shard of a folder that became too small is refused; what it saw before stays.
    with pytest.raises(DataError, match="at least two identities"):
        prepare(source, out, sface_artifact, Options(quiet=True))
    assert (out / "state" / "looks-1-of-2.jsonl").stat().st_size > 0


def test_a_refused_run_takes_back_only_what_it_made(
    tmp_path: Path, sface_artifact: Artifact
) -> None:
    (tmp_path / "set" / "ann").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "empty", tmp_path / "a" / "b" / "out"):
        with pytest.raises(DataError, match="expected pictures"):
            prepare(tmp_path / "set", out, sface_artifact, Options(quiet=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "set"]
    assert list((tmp_path / "empty").iterdir()) == []
    # While a shard is at work there, nothing is taken away under its feet.
    with Lock(tmp_path / "empty", Shard(1, 2)):
        with pytest.raises(DataError, match="expected pictures"):
            prepare_shard(
                tmp_path / "set",
                tmp_path / "empty",
                sface_artifact,
                Options(quiet=True),
                Shard(2, 2),
            )
        assert (tmp_path / "empty" / "state" / "lock-1-of-2").exists()
