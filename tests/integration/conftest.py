"""A client of the running service, a model to change to, and every kind of store."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from model.artifact import Artifact
from service.core.ports import Store
from service.storage.memory_store import MemoryStore
from tests.integration.vaults import open_store
from tests.postgres import Server

OTHER_FINGERPRINT = "f" * 16


@pytest.fixture(scope="module")
def client(service_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service_url, timeout=60) as connected:
        yield connected


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with closing(_store(request, tmp_path / "data")) as store:
        yield store


def _store(request: pytest.FixtureRequest, folder: Path) -> Store:
    match request.param:
        case "memory":
            return MemoryStore()
        case "sqlite":
            return open_store(folder)
    server: Server = request.getfixturevalue("postgres")
    return open_store(folder, address=server.new_database())


@pytest.fixture(scope="session")
def other_model(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same networks under another fingerprint, as after an upgrade."""
    folder = tmp_path_factory.mktemp("models") / "other"
    shutil.copytree(artifact.folder, folder)
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"fingerprint": OTHER_FINGERPRINT}))
    return folder
