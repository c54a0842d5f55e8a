"""A client of the running service, and a model to change to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from model.artifact import Artifact

OTHER_FINGERPRINT = "f" * 16


@pytest.fixture(scope="module")
def client(service_url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service_url, timeout=60) as connected:
        yield connected


@pytest.fixture(scope="session")
def other_model(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same networks under another fingerprint, as after an upgrade."""
    folder = tmp_path_factory.mktemp("models") / "other"
    shutil.copytree(artifact.folder, folder)
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"fingerprint": OTHER_FINGERPRINT}))
    return folder
