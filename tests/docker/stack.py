"""docker-compose.yml as a project of its own, so that nobody's containers are touched."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.running import ROOT

SERVICE = "service"
_HEALTHY_LIMIT_S = 180


@dataclass(frozen=True)
class Stack:
    """One compose project with one service.

    Attributes:
        url: Where it is published, without a slash at the end.
        image: The tag that was built for it.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    url: str
    image: str

    def compose(self, *arguments: str) -> str:
        """What `docker-compose` with these arguments printed."""
        return _run([*self.command, *arguments], self.environment)

    def container(self) -> str:
        """The id of the service's container; there may be none: then it is empty."""
        return self.compose("ps", "--quiet", SERVICE).strip()

    def up(self) -> None:
        self.compose("up", "--detach", "--no-build")
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        container, deadline = self.container(), time.monotonic() + _HEALTHY_LIMIT_S
        while (status := inspect(container, ".State.Health.Status")) != "healthy":
            if status == "unhealthy" or time.monotonic() > deadline:
                raise RuntimeError(f"the service is {status}:\n{self.compose('logs')}")
            time.sleep(0.2)

    def python(self, code: str) -> str:
        """What this Python code prints in the running container."""
        return docker("exec", self.container(), "python", "-c", code).strip()


def why_not() -> str | None:
    """The reason why no stack can be started here, or None."""
    if shutil.which("docker") is None:
        return "Docker is not installed"
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        return "no Docker engine answers `docker info`; DOCKER_HOST may have to name it"
    if _compose_command() is None:
        return "neither `docker compose` nor `docker-compose` is installed"
    return None


@contextmanager
def stack(folder: Path) -> Iterator[Stack]:
    """A stack that is not built yet; all that belongs to it is removed at the end.

    Args:
        folder: For a file that gives the image a tag of its own.
    """
    name = f"semblance-test-{uuid.uuid4().hex[:8]}"
    own_tag = folder / "own-tag.json"
    own_tag.write_text(json.dumps({"services": {SERVICE: {"image": f"{name}:latest"}}}))
    command = _compose_command()
    assert command is not None
    command += ("--project-directory", str(ROOT), "--project-name", name)
    command += ("--file", str(ROOT / "docker-compose.yml"), "--file", str(own_tag))
    port = _free_port()
    made = Stack(
        command=command,
        environment=dict(os.environ) | {"SEMBLANCE_PORT": str(port)},
        url=f"http://127.0.0.1:{port}",
        image=f"{name}:latest",
    )
    try:
        yield made
    finally:
        made.compose("down", "--volumes")
        # Not there when its build failed.
        subprocess.run(["docker", "rmi", made.image], capture_output=True, check=False)


def docker(*arguments: str) -> str:
    """What `docker` with these arguments printed."""
    return _run(["docker", *arguments], dict(os.environ))


def inspect(thing: str, path: str) -> object:
    """A part of `docker inspect`, such as ".State.Pid"."""
    found: object = json.loads(docker("inspect", "--format", f"{{{{json {path}}}}}", thing))
    return found


def _compose_command() -> tuple[str, ...] | None:
    for command in (("docker", "compose"), ("docker-compose",)):
        if shutil.which(command[0]) is None:
            continue
        asked = subprocess.run([*command, "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return command
    return None


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
