"""The images, built once for all these tests."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.docker.stack import images, why_not


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The tag of the images."""
    if reason := why_not():
        pytest.skip(reason)
    begun = time.monotonic()
    with images(tmp_path_factory.mktemp("images")) as tag:
        print(f"\nbuild: {time.monotonic() - begun:.1f} s")
        yield tag
