"""Parts of the default artifact, loaded once."""

from __future__ import annotations

import pytest

from model.artifact import Artifact
from model.faces import Detector


@pytest.fixture(scope="session")
def detector(artifact: Artifact) -> Detector:
    return Detector(artifact.detector)
