"""The containers as an operator starts them: built, up, used, restarted, made anew."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.docker.stack import Stack, docker, inspect, stack
from tests.faces import Faces

pytestmark = [
    pytest.mark.long,
    # Builds TensorFlow's environment from nothing the first time.
    pytest.mark.timeout(2400),
]

USER = 10001
IDENTITY = "ada"


@pytest.fixture(scope="module")
def running(built: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("compose"), built) as made:
        with timed("up, until healthy"):
            made.up()
        print(f"memory when idle: {memory(made)}")
        yield made
        with timed("down"):
            made.compose("down")


def test_no_process_has_rights(running: Stack) -> None:
    found = running.python(
        "import json, pathlib\n"
        "files = pathlib.Path('/proc').glob('[0-9]*/status')\n"
        "lines = [[l.split(':', 1) for l in f.read_text().splitlines()] for f in files]\n"
        "print(json.dumps([{k: v.split() for k, v in each} for each in lines]))"
    )
    processes = json.loads(found)
    assert len(processes) >= 2
    for process in processes:
        assert set(process["Uid"]) == set(process["Gid"]) == {str(USER)}
        assert int(process["CapEff"][0], 16) == int(process["CapBnd"][0], 16) == 0
        assert process["NoNewPrivs"] == ["1"]


def test_nothing_but_the_data_can_be_written(running: Stack) -> None:
    found = running.python(
        "import errno, json, pathlib\n"
        "said = {}\n"
        "places = '/ /app /app/models/default /opt/venv /etc /dev /var /data /tmp'\n"
        "for folder in places.split():\n"
        "    file = pathlib.Path(folder, 'written-by-a-test')\n"
        "    try:\n"
        "        file.touch()\n"
        "        file.unlink()\n"
        "        said[folder] = 'written'\n"
        "    except OSError as error:\n"
        "        said[folder] = errno.errorcode[error.errno]\n"
        "print(json.dumps(said))"
    )
    said = json.loads(found)
    assert {said.pop("/data"), said.pop("/tmp")} == {"written"}
    assert said.pop("/dev") == "EACCES"
    assert set(said.values()) == {"EROFS"}
    # A folder for all users that is always there, unless it is switched off.
    assert running.python("import os; print(os.path.exists('/dev/shm'))") == "False"


def test_it_is_published_on_this_machine_alone(running: Stack) -> None:
    ports = inspect(running.container(), ".NetworkSettings.Ports")
    assert isinstance(ports, dict)
    published = [place for places in ports.values() for place in places or []]
    port = running.url.rpartition(":")[2]
    assert published == [{"HostIp": "127.0.0.1", "HostPort": port}]


def test_the_page_is_there(running: Stack) -> None:
    answer = httpx.get(f"{running.url}/", trust_env=False)
    assert answer.status_code == 200
    assert "<html" in answer.text


def test_identities_outlive_the_container(running: Stack, faces: Faces) -> None:
    with timed("enrol two images"):
        enrol(running, faces)
    assert_verifies(running, faces)

    first = running.container()
    with timed("restart, until healthy"):
        running.compose("restart")
        running.wait_until_healthy()
    assert running.container() == first
    assert_verifies(running, faces)

    with timed("stop"):
        running.compose("stop")
    # 137 would be a kill after the time of grace.
    assert inspect(first, ".State.ExitCode") in (0, 143)

    running.compose("down")
    with timed("up again, until healthy"):
        running.up()
    assert running.container() != first
    assert_verifies(running, faces)
    print(f"memory after use: {memory(running)}")


def enrol(running: Stack, faces: Faces) -> None:
    names = ("obama.jpg", "obama2.jpg")
    answer = httpx.post(
        f"{running.url}/enroll",
        data={"identity": IDENTITY},
        files=[("images", (name, faces.read(name))) for name in names],
        headers=running.key,
        timeout=60,
        trust_env=False,
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["references"] == len(names)


def assert_verifies(running: Stack, faces: Faces) -> None:
    for name, same in (("obama3.jpg", True), ("biden.jpg", False)):
        answer = httpx.post(
            f"{running.url}/verify",
            data={"identity": IDENTITY},
            files={"image": (name, faces.read(name))},
            headers=running.key,
            timeout=60,
            trust_env=False,
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["references"] == 2
        assert answer.json()["verified"] is same


def memory(running: Stack) -> str:
    return docker("stats", "--no-stream", "--format", "{{.MemUsage}}", running.container()).strip()


@contextmanager
def timed(what: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    print(f"\n{what}: {time.monotonic() - begun:.1f} s")
