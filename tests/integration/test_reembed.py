"""`python -m service reembed`: under load, killed, stopped, twice at once, in vain."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import update

from model.artifact import Artifact
from service.core.ports import NewReference
from service.storage.tables import reference_images
from tests.faces import Faces
from tests.integration.api_client import answer, enrol, post
from tests.integration.commands import audit_rows, service_command
from tests.integration.model_change_samples import (
    HIM,
    NEW,
    OLD,
    PROBE,
    fill,
    gallery,
    models,
    references_by,
)
from tests.kept_networks import lend
from tests.running import ROOT, environment_of, service_process

CHANGE = {"artifact": OLD, "next_artifact": NEW}
PEOPLE = 40
WAIT_S = 120


@pytest.fixture(scope="session")
def him(sface_artifact: Artifact, faces: Faces) -> list[NewReference]:
    """His pictures as the old model's service stores them."""
    return references_by(sface_artifact, faces, *HIM)


@pytest.fixture(scope="session")
def unkept(sface_artifact: Artifact, faces: Faces) -> list[NewReference]:
    return references_by(sface_artifact, faces, "biden.jpg", keep="none")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    lend(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def olds(sface_artifact: Artifact) -> str:
    return sface_artifact.manifest.fingerprint


@pytest.fixture(scope="module")
def news(artifact: Artifact) -> str:
    return artifact.manifest.fingerprint


def reembed(data_dir: Path, *more: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    arguments = ("reembed", "--artifact", str(NEW), "--batch", "4", *more)
    return service_command(data_dir, *arguments, status=status, **CHANGE)


@contextmanager
def reembedding(data_dir: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """The command at work, in a group of processes of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "reembed", "--artifact", str(NEW), *more],
        cwd=ROOT,
        env=environment_of({"data_dir": data_dir, **CHANGE}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Whoever ignores Ctrl-C, as a shell's job in the background, has children that do.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_until(what: Any, limit_s: float = WAIT_S) -> None:
    end = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def done_at_all(data_dir: Path, fingerprint: str) -> int:
    return models(data_dir)[(fingerprint,)]


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children(recursive=True)
    return [one for one in children if "spawn_main" in " ".join(one.cmdline())]


def model_changes(data_dir: Path) -> list[dict[str, Any]]:
    return [row for row in audit_rows(data_dir) if row["action"] == "model_change"]


@pytest.mark.long
def test_under_load_nobody_is_refused_and_the_old_model_goes(
    data_dir: Path, him: list[NewReference], faces: Faces, olds: str, news: str
) -> None:
    fill(data_dir, him, PEOPLE)
    probe = faces.read(PROBE)
    ended, answers = threading.Event(), list[tuple[int, str, bool]]()

    with (
        service_process(data_dir, **CHANGE) as service,
        httpx.Client(base_url=service.url, timeout=60) as client,
    ):

        def verify(turn: int) -> dict[str, Any]:
            identity = f"person {turn % PEOPLE:04}"
            found = post(client, "/v1/verify", "multipart", {"image": probe}, identity=identity)
            content: dict[str, Any] = found.json()
            model = content.get("model", {}).get("fingerprint", "")
            answers.append((found.status_code, model, content.get("verified", False)))
            return content

        def go_on(first: int) -> None:
            turn = first
            while not ended.is_set():
                verify(turn)
                turn += 7

        for turn in range(20):
            verify(turn)
        threads = [threading.Thread(target=go_on, args=(first,)) for first in range(2)]
        for thread in threads:
            thread.start()
        resident = psutil.Process(service.process.pid).memory_info().rss
        try:
            done = reembed(data_dir, "--workers", "2")
            wait_until(lambda: client.get("/v1/model").json()["fingerprint"] == news)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert f"{2 * PEOPLE} references of {PEOPLE} identities" in done.stdout
        assert {(status, verified) for status, _, verified in answers} == {(200, True)}
        # Both models were at work while it was changed.
        assert {model for _, model, _ in answers} == {olds, news}
        assert answer(client.get("/v1/model"))["next"] is None
        assert verify(0)["model"]["fingerprint"] == news
        wait_until(lambda: any("it was dropped" in line for line in service.output))
        now = psutil.Process(service.process.pid).memory_info().rss
        print(f"{len(answers)} verifications; {resident / 2**20:.0f} -> {now / 2**20:.0f} MiB")
        assert sum("it was dropped" in line for line in service.output) == 1
        enrol(client, "after", faces.read("astronaut.png"))
    assert models(data_dir) == {(news,): PEOPLE + 1}
    first, last = model_changes(data_dir)
    assert (first["outcome"], last["outcome"]) == ("begun", "ok")
    assert last["details"]["references"] == 2 * PEOPLE
    assert last["details"]["fingerprint"] == news
    # The old settings once more: it drops the old model at once.
    with (
        service_process(data_dir, **CHANGE) as service,
        httpx.Client(base_url=service.url, timeout=60) as client,
    ):
        wait_until(lambda: client.get("/v1/model").json()["fingerprint"] == news, 5)
    # With the old model alone it says so.
    with service_process(data_dir, artifact=OLD) as service:
        wait_until(lambda: any("only" in line and news in line for line in service.output), 10)


@pytest.mark.long
def test_workers_that_are_killed_lose_nothing(
    data_dir: Path, him: list[NewReference], olds: str, news: str
) -> None:
    fill(data_dir, him, 4 * PEOPLE)
    with reembedding(data_dir, "--workers", "2", "--batch", "2") as process:
        wait_until(lambda: done_at_all(data_dir, news))
        for worker in workers_of(process):
            worker.send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 1, out + err
    assert "signal 9" in err
    assert "Traceback" not in err
    found = models(data_dir)
    assert set(found) == {(olds,), (news,)}
    assert f"{found[(olds,)]} identities are left; run it again" in out
    # The whole of it, in one blow.
    with reembedding(data_dir, "--workers", "2", "--batch", "2") as process:
        before = done_at_all(data_dir, news)
        wait_until(lambda: done_at_all(data_dir, news) > before)
        workers = workers_of(process)
        process.kill()
        # Nobody tells the workers; they see that nobody listens.
        wait_until(lambda: not any(one.is_running() for one in workers))
    assert set(models(data_dir)) == {(olds,), (news,)}
    reembed(data_dir)
    assert models(data_dir) == {(news,): 4 * PEOPLE}


@pytest.mark.parametrize(
    "sent", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
def test_it_stops_when_it_is_told_to(
    data_dir: Path, him: list[NewReference], olds: str, news: str, sent: signal.Signals
) -> None:
    # More than is done before it is told.
    fill(data_dir, him, 10 * PEOPLE)
    with reembedding(data_dir, "--workers", "2", "--batch", "2") as process:
        wait_until(lambda: done_at_all(data_dir, news))
        # Ctrl-C reaches the whole group, `kill` the one process.
        if sent == signal.SIGINT:
            os.killpg(process.pid, sent)
        else:
            process.send_signal(sent)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "Traceback" not in err
    found = models(data_dir)
    assert set(found) == {(olds,), (news,)}
    assert f"of {found[(news,)]} identities were embedded" in out
    assert f"stopped: {found[(olds,)]} identities are left" in out
    assert [row["outcome"] for row in model_changes(data_dir)] == ["begun", "stopped"]


@pytest.mark.long
def test_two_at_once_share_the_work(data_dir: Path, him: list[NewReference], news: str) -> None:
    fill(data_dir, him, 2 * PEOPLE)
    both = []
    with (
        reembedding(data_dir, "--workers", "1", "--batch", "4") as one,
        reembedding(data_dir, "--workers", "1", "--batch", "4") as other,
    ):
        both = [process.communicate(timeout=WAIT_S)[0] for process in (one, other)]
        assert [one.returncode, other.returncode] == [0, 0]
    counts = [int(re.match(r"(\d+) references", said)[1]) for said in both]  # type: ignore[index]
    assert sum(counts) == 4 * PEOPLE
    assert min(counts) > 0
    assert models(data_dir) == {(news,): 2 * PEOPLE}


def test_what_cannot_be_done_is_said(
    data_dir: Path,
    him: list[NewReference],
    unkept: list[NewReference],
    olds: str,
    news: str,
) -> None:
    fill(data_dir, him, 4)
    with gallery(data_dir) as found:
        store = found.store
        store.within("elsewhere").enrol("joe", unkept, limit=9)
        store.within("elsewhere").enrol("him", him, limit=9)
    done = reembed(data_dir)
    assert "1 identities have a reference without a picture: they stay" in done.stdout
    with gallery(data_dir) as found:
        store = found.store
        store.enrol("broken", him, limit=9)
        assert store.within("elsewhere").references("joe")[0].fingerprint == olds
        with store.engine.begin() as connection:
            last = connection.exec_driver_sql("SELECT max(id) FROM reference_images").scalar()
            connection.execute(
                update(reference_images).where(reference_images.c.id == last).values(data=b"x")
            )
    done = reembed(data_dir, status=1)
    assert "0 references of 0 identities" in done.stdout
    assert "1 identities have a picture that cannot be read" in done.stdout
    assert "run it again" not in done.stdout
    with gallery(data_dir) as found:
        # Not even the one of its pictures that can be read: it is of one model.
        assert {one.fingerprint for one in found.store.references("broken")} == {olds}
        details = model_changes(data_dir)[-1]["details"]
    assert (details["damaged"], details["without_picture"], details["left"]) == (1, 1, 3)
    assert models(data_dir) == {(news,): 4, (olds,): 1}


def test_what_makes_no_sense_is_refused_at_once(data_dir: Path, him: list[NewReference]) -> None:
    def refused(*arguments: str, **settings: Any) -> str:
        chosen = {"artifact": OLD} | settings
        return service_command(data_dir, "reembed", *arguments, status=2, **chosen).stderr

    assert "there is no database" in refused("--artifact", str(NEW))
    fill(data_dir, him, 1)
    assert "expected an artifact" in refused("--artifact", str(data_dir))
    assert "to go back to it" in refused("--artifact", str(OLD))
    assert "at least 1" in refused("--artifact", str(NEW), "--workers", "0")
    assert "required: --artifact" in refused()
    changed = data_dir / "changed"
    shutil.copytree(NEW, changed)
    (changed / "detector.pb").write_bytes(b"other")
    assert "'detector.pb' was changed" in refused("--artifact", str(changed))


def test_a_service_that_will_undo_it_is_warned_of(
    data_dir: Path, him: list[NewReference], news: str
) -> None:
    fill(data_dir, him, 1)
    done = service_command(data_dir, "reembed", "--artifact", str(NEW), artifact=OLD)
    assert "SEMBLANCE_NEXT_ARTIFACT does not name this model" in done.stderr
    assert models(data_dir) == {(news,): 1}
    exported = json.loads(service_command(data_dir, "export", "person 0000").stdout)
    assert {one["model_fingerprint"] for one in exported["references"]} == {news}
