"""Places to store, with networks that were compiled before: starts are quick."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.client import client_of
from tests.faults.places import Place, PostgresPlace
from tests.postgres import running_server, why_not
from tests.running import running_service


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `compiled` of a service that has been started once."""
    data_dir = tmp_path_factory.mktemp("first")
    # With a folder of its own it is lent none: a small disk has no room for everybody's.
    (data_dir / "compiled").mkdir(mode=0o700)
    with running_service(data_dir):
        pass
    return data_dir / "compiled"


@pytest.fixture
def data_dir(tmp_path: Path, compiled: Path) -> Path:
    """Of a service that was never started, but for its compiled networks."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    shutil.copytree(compiled, folder / "compiled")
    return folder


@pytest.fixture
def files(data_dir: Path) -> Place:
    """Where it makes no difference which database it is."""
    return Place(data_dir)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def place(request: pytest.FixtureRequest, data_dir: Path) -> Iterator[Place]:
    """Every kind of database that a service can have."""
    if request.param == "sqlite":
        yield Place(data_dir)
        return
    if reason := why_not():
        pytest.skip(reason)
    # Of its own: it will be killed.
    with running_server() as server:
        yield PostgresPlace(data_dir, {"database": server.new_database()}, server)


@pytest.fixture
def client(files: Place) -> Iterator[httpx.Client]:
    """Of a service that runs for one test, with its first key."""
    with files.service() as service, client_of(service) as connected:
        yield connected
