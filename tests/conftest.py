"""Fixtures that many tests use: the artifact, real faces, a running service."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from model.artifact import Artifact, read_artifact
from model.runtimes.compiled import keep_compiled
from tests.faces import Faces
from tests.faces import faces as fetch_faces
from tests.kept_networks import KEPT
from tests.postgres import Server, running_server, why_not
from tests.running import ROOT, running_service

# Also those that tests compile themselves; tests of compiling name folders of their own.
keep_compiled(KEPT)


def pytest_collection_finish() -> None:
    """Sets aside all that was imported: it stays, and would be looked through again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def faces() -> Faces:
    return fetch_faces()


@pytest.fixture(scope="session")
def artifact() -> Artifact:
    """The default artifact, which the service loads, as `make test` built it."""
    return read_artifact(ROOT / "models" / "fused")


@pytest.fixture(scope="session")
def sface_artifact() -> Artifact:
    """The fast profile's: chips of 112 x 112, cut by the detector's own landmarks."""
    return read_artifact(ROOT / "models" / "sface")


@pytest.fixture(scope="module")
def service_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real service on an empty store, shared by the tests of one file."""
    with running_service(tmp_path_factory.mktemp("data")) as url:
        yield url


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL; each test makes a database of its own in it."""
    if reason := why_not():
        pytest.skip(reason)
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def output_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tests leave pictures to look at."""
    named = os.environ.get("SEMBLANCE_TEST_OUTPUT")
    folder = Path(named) if named else tmp_path_factory.mktemp("output")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
