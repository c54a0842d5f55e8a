"""docker-compose.yml as a project of its own, so that nobody's containers are touched."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.running import ROOT

SERVICE = "service"
HTTPS = "https"
DATABASE = "database"
_HEALTHY_LIMIT_S = 180
_READ_KEY = "print(open('/data/admin.key').read())"


@dataclass(frozen=True)
class Stack:
    """One compose project.

    Attributes:
        url: Where the service is published on this machine, without a slash at the end.
        https_url: Where Caddy is, if it was asked for.
        http_url: Where Caddy sends people on to HTTPS.
        image: The tag of the service.
        https_image: The tag of Caddy.
        database_image: The tag of PostgreSQL, if there are to be replicas.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    url: str
    https_url: str
    http_url: str
    image: str
    https_image: str
    database_image: str

    def compose(self, *arguments: str) -> str:
        """What `docker-compose` with these arguments printed."""
        return _run([*self.command, *arguments], self.environment)

    def container(self, service: str = SERVICE) -> str:
        """The id of a service's container; there may be none: then it is empty."""
        return "".join(self.containers(service)[:1])

    def containers(self, service: str = SERVICE) -> list[str]:
        return self.compose("ps", "--quiet", service).split()

    def up(self, *more: str) -> None:
        self.compose("up", "--detach", "--no-build", *more)
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + _HEALTHY_LIMIT_S
        for container in self.containers():
            while (status := inspect(container, ".State.Health.Status")) != "healthy":
                if status == "unhealthy" or time.monotonic() > deadline:
                    raise RuntimeError(f"the service is {status}:\n{self.compose('logs')}")
                time.sleep(0.2)

    @property
    def key(self) -> dict[str, str]:
        """The first key, as the header of a request."""
        text = docker("exec", self.container(), "python", "-c", _READ_KEY).strip()
        return {"X-API-Key": text}

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
def images(folder: Path) -> Iterator[str]:
    """Builds both images; their tag, which is theirs alone. They are removed at the end."""
    tag = f"test-{uuid.uuid4().hex[:8]}"
    with stack(folder, tag, https=True) as built:
        try:
            built.compose("build")
            yield tag
        finally:
            # Not there when its build failed.
            for image in (built.image, built.https_image):
                subprocess.run(["docker", "rmi", image], capture_output=True, check=False)


@contextmanager
def stack(
    folder: Path,
    tag: str,
    *,
    https: bool = False,
    replicas: bool = False,
    settings: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """A stack that is not up yet; all that belongs to it is removed at the end.

    Args:
        folder: For a file with what is its own: tags and settings.
        tag: From `images`.
        https: Whether Caddy is part of it.
        replicas: Whether docker/replicas.yml is, with a database.
        settings: Of the service.
        variables: Of docker-compose.yml.
    """
    name = f"semblance-{uuid.uuid4().hex[:8]}"
    image, https_image = f"semblance:{tag}", f"semblance-https:{tag}"
    database_image = f"semblance-postgres:{tag}"
    own_file = folder / "own.json"
    service = {"image": image, "environment": dict(settings or {})}
    own = {"services": {SERVICE: service, HTTPS: {"image": https_image}}}
    if replicas:
        own["services"][DATABASE] = {"image": database_image}
    own_file.write_text(json.dumps(own))
    command = _compose_command()
    assert command is not None
    command += ("--project-directory", str(ROOT), "--project-name", name)
    command += ("--file", str(ROOT / "docker-compose.yml"))
    command += ("--file", str(ROOT / "docker" / "replicas.yml")) if replicas else ()
    command += ("--file", str(own_file))
    command += ("--profile", HTTPS) if https else ()
    port, https_port, http_port = _free_ports(3)
    chosen = {
        "SEMBLANCE_PORT": str(port),
        "SEMBLANCE_HTTPS_PORT": str(https_port),
        "SEMBLANCE_HTTP_PORT": str(http_port),
        # Another stack may be up on this machine.
        "SEMBLANCE_EDGE": f"10.{random.randint(200, 250)}.{random.randint(0, 255)}",
    }
    made = Stack(
        command=command,
        environment=dict(os.environ) | chosen | dict(variables or {}),
        url=f"http://127.0.0.1:{port}",
        https_url=f"https://127.0.0.1:{https_port}",
        http_url=f"http://127.0.0.1:{http_port}",
        image=image,
        https_image=https_image,
        database_image=database_image,
    )
    try:
        yield made
    finally:
        made.compose("down", "--volumes")


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


def _free_ports(count: int) -> list[int]:
    """Ports that are free, all of them different."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
