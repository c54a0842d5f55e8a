"""The pictures of docs/how-it-decides.md: `python -m docs.website.pictures`.

A real service is asked, on faces in the public domain alone (tests/faces.py).
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageOps

from docs.website.pages import ROOT
from docs.website.scene import Scene, draw
from model.artifact import read_artifact
from model.chip import chip_of, located
from model.faces import Detector
from model.image import Limits, decode
from tests.faces import faces
from tests.running import running_service

FOLDER = ROOT / "docs" / "pictures"
ARTIFACT = ROOT / "models" / "fused"
_REFERENCES = ("obama.jpg", "obama2.jpg")
_PROBES = (
    ("decides-yes", "obama3.jpg", "another day, the same person"),
    ("decides-no", "biden.jpg", "somebody else, as the same identity"),
)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        running_service(Path(data), artifact=ARTIFACT) as url,
        httpx.Client(base_url=url, timeout=60) as service,
    ):
        for name in _REFERENCES:
            _post(service, "enroll", "images", name)
        for name, file, said in _PROBES:
            answer = _post(service, "verify", "image", file)
            print(file, {one["score"] for one in answer["scores"]}, answer["verified"])
            probe = faces().read(file)
            picture = ImageOps.exif_transpose(Image.open(io.BytesIO(probe))).convert("RGB")
            # Faces are at the top of portraits; below it there is nothing to see.
            picture = picture.crop((0, 0, picture.width, min(picture.size)))
            scene = Scene(picture, _chip(probe), answer, said)
            draw(scene).save(FOLDER / f"{name}.webp", "WEBP", quality=80, method=6)


def _post(service: httpx.Client, route: str, field: str, file: str) -> dict[str, Any]:
    answer = service.post(
        f"/v1/{route}",
        data={"identity": "barack", "faces": "largest"},
        files={field: (file, faces().read(file))},
    )
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    return content


def _chip(data: bytes) -> Image.Image:
    """The largest face as the service cuts it, by its own functions."""
    artifact = read_artifact(ARTIFACT)
    detector = Detector(artifact.detector)
    image = decode(data, Limits())
    face = max(detector.detect(image), key=lambda one: one.area)
    seen = located(detector, image, face, artifact.manifest)
    return Image.fromarray(chip_of(image, seen, artifact.manifest))


if __name__ == "__main__":
    main()
