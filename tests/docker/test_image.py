"""What is in the images, and what is not: whoever breaks in finds nothing to work with."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from dataclasses import dataclass

import pytest

from tests.docker.stack import docker, inspect

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]

USER = 10001
MOST_BYTES = {"semblance": 650_000_000, "semblance-https": 80_000_000}
IMAGES = list(MOST_BYTES)
TOOLS = {
    *("gcc", "g++", "cc", "c++", "clang", "ld", "as", "make", "cmake", "go", "rustc"),
    *("apt", "apt-get", "apk", "dpkg", "rpm", "yum", "pip", "pip3", "uv", "conda", "npm"),
    *("sh", "bash", "dash", "ash", "zsh", "busybox", "perl", "awk", "ruby", "node"),
    *("su", "sudo", "mount", "passwd", "chsh", "curl", "wget", "nc", "ssh", "git"),
}
PACKAGES_THAT_INSTALL = {"pip", "ensurepip", "setuptools", "wheel", "_distutils_hack", "uv"}


@dataclass(frozen=True)
class Holding:
    """The files of an image by their path, without links followed."""

    name: str
    image: str
    files: dict[str, tarfile.TarInfo]


@pytest.fixture(scope="module", params=IMAGES)
def holding(request: pytest.FixtureRequest, built: str) -> Holding:
    image = f"{request.param}:{built}"
    container = docker("create", image).strip()
    try:
        packed = subprocess.run(
            ["docker", "export", container], capture_output=True, check=True
        ).stdout
    finally:
        docker("rm", "--volumes", container)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        files = {f"/{item.name.strip('./')}": item for item in archive}
    return Holding(request.param, image, files)


def test_it_is_small(holding: Holding) -> None:
    size = inspect(holding.image, ".Size")
    print(f"\n{holding.name}: {size:,} bytes, {len(holding.files)} files")
    assert isinstance(size, int)
    assert size < MOST_BYTES[holding.name]


def test_no_tool_is_in_it(holding: Holding) -> None:
    # Links, too; the search finds what is there.
    programs = [p for p, item in holding.files.items() if item.issym() or item.mode & 0o111]
    programs = [path for path in programs if not holding.files[path].isdir()]
    assert {path.rpartition("/")[2] for path in programs} & {"python", "caddy"}
    assert [path for path in programs if path.rpartition("/")[2] in TOOLS] == []


def test_no_file_gives_rights(holding: Holding) -> None:
    assert [
        path for path, item in holding.files.items() if item.isfile() and item.mode & 0o6000
    ] == []
    capable = [
        p
        for p, item in holding.files.items()
        if "SCHILY.xattr.security.capability" in item.pax_headers
    ]
    assert capable == []


def test_nothing_but_its_data_and_tmp_is_for_its_user_to_write(holding: Holding) -> None:
    user = int(str(inspect(holding.image, ".Config.User")).partition(":")[0])
    assert user >= USER
    # What Docker itself puts into a container is there, too, in an export.
    own = {
        path
        for path, item in holding.files.items()
        if not item.issym() and (user in (item.uid, item.gid) or item.mode & 0o002)
    }
    assert {path for path in own if not path.startswith("/dev")} <= {"/data", "/tmp"}


def test_nobody_can_log_in(holding: Holding) -> None:
    if "/etc/passwd" not in holding.files:
        return
    said = docker("run", "--rm", holding.image, "python", "-c", "print(open('/etc/passwd').read())")
    shells = [line.rpartition(":")[2] for line in said.split()]
    assert shells
    assert set(shells) == {"/usr/sbin/nologin"}
    assert "/usr/sbin/nologin" not in holding.files
    assert "/etc/shadow" not in holding.files


def test_no_secret_is_in_its_history(holding: Holding) -> None:
    # A mirror's address may hold a password.
    assert "INDEX_URL" not in docker("history", "--no-trunc", holding.image)
    assert "INDEX_URL" not in json.dumps(inspect(holding.image, ".Config"))


def python(built: str, code: str) -> str:
    """What this Python code prints in a container that can be written to, if its user may."""
    return docker("run", "--rm", f"semblance:{built}", "python", "-c", code).strip()


def test_the_service_runs_as_its_own_user(built: str) -> None:
    assert python(built, "import os; print(os.getuid(), os.getgid(), os.getgroups())") == (
        f"{USER} {USER} [{USER}]"
    )


def test_python_brings_nothing_that_installs_or_trains(built: str) -> None:
    names = sorted(
        PACKAGES_THAT_INSTALL | {"tensorflow", "keras", "onnx", "training", "openvino_telemetry"}
    )
    found = python(
        built, f"import importlib.util as u; print([n for n in {names} if u.find_spec(n)])"
    )
    assert found == "[]"


def test_its_user_can_write_data_and_tmp_alone(built: str) -> None:
    """Without the read-only file system that docker-compose.yml adds."""
    found = python(
        built,
        "import json, os\n"
        "kernel = ('/proc', '/sys', '/dev')\n"
        "print(json.dumps(sorted(f for f, _, _ in os.walk('/')\n"
        "    if not f.startswith(kernel) and os.access(f, os.W_OK))))",
    )
    assert json.loads(found) == ["/data", "/tmp"]


def test_scanners_find_the_packages_of_debian(built: str) -> None:
    folder = "/var/lib/dpkg/status.d"
    found = python(
        built, f"import os; print([open('{folder}/' + n).read() for n in os.listdir('{folder}')])"
    )
    for package in ("libssl3", "libc6", "libsqlite3-0"):
        assert f"Package: {package}\\n" in found
