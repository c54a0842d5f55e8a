"""What is kept of an enrolled image, and whether it is shown."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import pytest
from PIL import Image as PillowImage

from tests.faces import Faces
from tests.integration.api_client import answer, enrol, problem
from tests.running import running_service


def image_of(client: httpx.Client, identity: str) -> httpx.Response:
    item = answer(client.get(f"/v1/identities/{identity}"))["items"][0]
    return client.get(f"/v1/identities/{identity}/references/{item['reference_id']}/image")


def stored(folder: Path) -> bytes:
    """All that lies there but the compiled networks, which hold numbers of every kind."""
    files = (path for path in folder.rglob("*") if path.is_file() and "compiled" not in path.parts)
    return b"".join(path.read_bytes() for path in files)


def test_the_crop(tmp_path: Path, faces: Faces) -> None:
    data = faces.read("obama3.jpg")
    with (
        running_service(tmp_path, serve_images="true") as url,
        httpx.Client(base_url=url) as client,
    ):
        box = enrol(client, "him", data)["accepted"][0]["face"]["box"]
        response = image_of(client, "him")
        assert response.status_code == 200
        assert response.headers["content-type"] == "image/jpeg"
        assert "no-store" in response.headers["cache-control"]
        assert response.headers["x-content-type-options"] == "nosniff"
        with PillowImage.open(io.BytesIO(response.content)) as crop:
            width, height = crop.size
        # The box with half its size on each side, at most 640 pixels.
        assert max(width, height) <= 640
        assert width / height == pytest.approx(box["width"] / box["height"], abs=0.02)
        problem(client.get("/v1/identities/him/references/none/image"), 404, "unknown_reference")
        problem(client.get("/v1/identities/nobody/references/none/image"), 404, "unknown_identity")
    # The rest of the picture is nowhere on the disk.
    assert data[2000:2064] not in stored(tmp_path)


def test_the_original(tmp_path: Path, faces: Faces) -> None:
    settings = {"serve_images": "true", "keep": "original"}
    with running_service(tmp_path, **settings) as url, httpx.Client(base_url=url) as client:
        for name, kind in (("obama.jpg", "image/jpeg"), ("astronaut.png", "image/png")):
            enrol(client, name, faces.read(name))
            response = image_of(client, name)
            assert response.content == faces.read(name)
            assert response.headers["content-type"] == kind


def test_nothing(tmp_path: Path, faces: Faces) -> None:
    settings = {"serve_images": "true", "keep": "none"}
    with running_service(tmp_path, **settings) as url, httpx.Client(base_url=url) as client:
        enrol(client, "him", faces.read("obama.jpg"))
        assert answer(client.get("/v1/identities/him"))["items"][0]["has_image"] is False
        problem(image_of(client, "him"), 404, "unknown_reference")
    assert b"\xff\xd8\xff" not in stored(tmp_path)
