"""`python -m service import` and `export --pictures`: folders in and out, stops between."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import kept_networks
from tests.faces import Faces
from tests.integration.commands import audit_rows, service_command
from tests.integration.model_change_samples import gallery
from tests.pictures import encoded, rgb
from tests.running import ROOT

SMALL = {"artifact": "models/sface"}


@pytest.fixture(autouse=True)
def networks(tmp_path: Path) -> Iterator[None]:
    """Compiled before, so that the processes need not."""
    (tmp_path / "data").mkdir(mode=0o700)
    kept_networks.lend(tmp_path / "data")
    yield
    kept_networks.keep(tmp_path / "data")


@pytest.fixture
def people(tmp_path: Path, faces: Faces) -> Path:
    """Two people, a picture that is none and one of two faces, and a folder without a name."""
    folder = tmp_path / "people"
    for name, pictures in {
        "Barack": ("obama.jpg", "obama2.jpg", "obama3.jpg"),
        "joe": ("biden.jpg",),
    }.items():
        (folder / name).mkdir(parents=True)
        for picture in pictures:
            image = encoded(rgb(faces.read(picture))[::2, ::2], "JPEG")
            (folder / name / picture).write_bytes(image)
    (folder / "joe" / "notes.txt").write_text("no picture")
    (folder / "joe" / ".hidden").write_text("not seen")
    (folder / "-no name").mkdir()
    return folder


def imported(tmp_path: Path, folder: Path, *more: str, status: int = 0) -> str:
    report = str(tmp_path / "rejects.ndjson")
    done = service_command(
        tmp_path / "data", "import", str(folder), "--rejects", report, *more, status=status, **SMALL
    )
    return done.stdout + done.stderr


def rejects(tmp_path: Path) -> list[dict[str, Any]]:
    lines = (tmp_path / "rejects.ndjson").read_text().splitlines()
    return [json.loads(line) for line in lines]


def enrolled(data_dir: Path, collection: str = "default") -> dict[str, list[str]]:
    """File names of each identity's references."""
    with gallery(data_dir) as found:
        store = found.store.within(collection)
        return {
            one.identity: sorted(str(r.filename) for r in store.references(one.identity))
            for one in store.identities(None, 1000)
        }


def test_a_folder_is_enrolled_and_the_rest_is_said(tmp_path: Path, people: Path) -> None:
    said = imported(tmp_path, people, "--workers", "1", status=1)
    assert "4 pictures of 2 identities were enrolled" in said
    assert "passed over: the folder '-no name'" in said
    assert "1 rejected: undecodable_image" in said
    assert rejects(tmp_path) == [
        {
            "identity": "joe",
            "file": "notes.txt",
            "code": "undecodable_image",
            "detail": "the data is not an image of a known type",
        }
    ]
    assert (tmp_path / "rejects.ndjson").stat().st_mode & 0o777 == 0o600
    everybody = {"Barack": ["obama.jpg", "obama2.jpg", "obama3.jpg"], "joe": ["biden.jpg"]}
    assert enrolled(tmp_path / "data") == everybody

    # Once more: nothing is looked at again, but for what is new.
    shutil.rmtree(people / "-no name")
    shutil.copy(people / "Barack" / "obama.jpg", people / "joe" / "z.jpg")
    said = imported(tmp_path, people, "--workers", "1")
    assert "1 pictures of 2 identities were enrolled" in said
    assert "4 were there before" in said
    assert "1 seem to be of somebody else" in said
    assert "1 that an earlier run rejected were passed over" in said
    assert len(rejects(tmp_path)) == 1
    (people / "joe" / "notes.txt").unlink()
    assert "0 pictures" in imported(tmp_path, people, "--again")
    assert rejects(tmp_path) == []

    rows = audit_rows(tmp_path / "data", "--identity", "joe")
    outcomes = [(row["action"], row["outcome"]) for row in rows]
    assert outcomes[:2] == [("enroll", "ok"), ("enroll", "ok")]


@pytest.mark.long
def test_out_and_in_again(tmp_path: Path, people: Path) -> None:
    imported(tmp_path, people, "--workers", "1", "--collection", "a", status=1)
    data, out = tmp_path / "data", tmp_path / "out"
    with gallery(data) as found:
        store = found.store.within("a")
        references = store.references("joe")
        kept = store.image("joe", references[0].reference_id)
    more = ("--collection", "a")
    said = service_command(data, "export", "--pictures", str(out), *more).stdout
    assert "4 pictures of 2 identities" in said
    assert sorted(path.name for path in out.iterdir()) == ["Barack", "joe"]
    name = f"{references[0].reference_id}.jpg"
    assert kept is not None
    assert (out / "joe" / name).read_bytes() == kept.data
    for path in (out, out / "joe"):
        assert path.stat().st_mode & 0o777 == 0o700
    for path in (out / "joe").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    again = service_command(data, "export", "--pictures", str(out), *more, status=2).stderr
    assert "is not empty" in again
    one = tmp_path / "one"
    service_command(data, "export", "joe", "--pictures", str(one), *more)
    assert [path.name for path in one.iterdir()] == ["joe"]
    assert "name an identity" in service_command(data, "export", status=2).stderr
    unknown = service_command(data, "export", "x", "--pictures", str(tmp_path / "x"), status=2)
    assert "No such identity" in unknown.stderr

    # Under a name that no folder can have, with what was said.
    about: dict[str, Any] = {
        "identity": "Жозеф " * 20,
        "consent": "file 7",
        "metadata": {"team": "b"},
    }
    (one / "joe" / "identity.json").write_text(
        json.dumps(about | {"identity": about["identity"][:-1]})
    )
    imported(tmp_path, one, "--workers", "1", "--collection", "b")
    with gallery(data) as found:
        store = found.store.within("b")
        (summary,) = store.identities(None, 10)
        assert summary.identity == "Жозеф " * 19 + "Жозеф"
        assert store.about(summary.identity).consent == "file 7"
    long = tmp_path / "long"
    service_command(data, "export", "--pictures", str(long), "--collection", "b")
    (only,) = long.iterdir()
    assert len(only.name) == 32
    assert json.loads((only / "identity.json").read_text()) == {
        **about,
        "identity": summary.identity,
    }


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
def test_stopped_in_the_middle_and_gone_on(
    tmp_path: Path, faces: Faces, how: signal.Signals
) -> None:
    folder = tmp_path / "people"
    picture = rgb(faces.read("obama.jpg"))[::3, ::3]
    for person in range(25):
        (folder / f"person {person:02}").mkdir(parents=True)
        image = picture.copy()
        # So that no two are the same picture.
        image[0, person] = 255 - image[0, person]
        (folder / f"person {person:02}" / "1.png").write_bytes(encoded(image, "PNG"))
    environment = os.environ | {
        "SEMBLANCE_DATA_DIR": str(tmp_path / "data"),
        "SEMBLANCE_ARTIFACT": "models/sface",
    }
    report = str(tmp_path / "rejects.ndjson")
    running = subprocess.Popen(
        [sys.executable, "-m", "service", "import", str(folder), "--rejects", report],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 90
    count = 0
    while count < 3:
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.1)
        if (tmp_path / "data" / "semblance.sqlite3").exists():
            count = len(enrolled(tmp_path / "data"))
    # Ctrl-C goes to all of them, a kill to the one.
    if how == signal.SIGINT:
        os.killpg(running.pid, how)
    else:
        running.kill()
    said, _ = running.communicate(timeout=60)
    assert "Traceback" not in said
    if how == signal.SIGINT:
        assert running.returncode == 1
        assert "stopped; run it again to go on" in said
    # The workers end with the one that began them.
    while any("service" in line for line in processes_of(running.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    before = enrolled(tmp_path / "data")
    assert 3 <= len(before) < 25
    said = imported(tmp_path, folder)
    assert f"{25 - len(before)} pictures of 25 identities were enrolled" in said
    after = enrolled(tmp_path / "data")
    assert after == {f"person {person:02}": ["1.png"] for person in range(25)}
    assert "as it was written" in service_command(tmp_path / "data", "audit", "verify").stdout


def processes_of(session: int) -> list[str]:
    listed = subprocess.run(
        ["ps", "-o", "args=", "--sid", str(session)], capture_output=True, text=True, check=False
    )
    return listed.stdout.splitlines()


def test_a_file_that_is_no_report_is_not_written_to(tmp_path: Path, people: Path) -> None:
    (tmp_path / "rejects.ndjson").write_text("dear diary\n")
    assert "is none of a report" in imported(tmp_path, people, status=2)
    assert (tmp_path / "rejects.ndjson").read_text() == "dear diary\n"
