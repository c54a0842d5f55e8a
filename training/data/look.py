"""One look at a picture: what it is, how it looks, which faces are in it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from model.artifact import sha256_of
from model.chip import chip_of, located
from model.faces import Detector, Face
from model.image import ImageError, Limits, decode
from model.runtimes.base import Runtime
from model.types import Array, Image
from training.data.fingerprints import content_hash, perceptual_hash

# A picture of a crowd: more faces than these are not of its folder's person.
_MOST_FACES = 16


@dataclass(frozen=True)
class Look:
    """What was seen in one picture; all that is decided later is decided by it.

    Attributes:
        name: Of the picture.
        model: Fingerprint of the artifact that looked.
        stamp: Size and time of the file, so that a changed file is looked at again.
        digest: SHA-256 of the file, hex: on another machine, or unpacked anew, the
            same file has another time.
        fault: Why it could not be read, or None.
        content: `content_hash`, hex.
        perceptual: `perceptual_hash`.
        size: (height, width) in pixels.
        faces: The largest first.
        embeddings: A row for each face, or none if they were not asked for.
            Shape (len(faces), D).
    """

    name: str
    model: str
    stamp: str
    digest: str = ""
    fault: str | None = None
    content: str = ""
    perceptual: int = 0
    size: tuple[int, int] = (0, 0)
    faces: tuple[Face, ...] = ()
    embeddings: Array | None = None

    def to_json(self) -> dict[str, Any]:
        faces = [
            [face.x, face.y, face.width, face.height, face.confidence, face.landmarks.tolist()]
            for face in self.faces
        ]
        rows = self.embeddings
        packed = None if rows is None else base64.b64encode(rows.astype("<f4").tobytes()).decode()
        return {
            "name": self.name,
            "model": self.model,
            "stamp": self.stamp,
            "digest": self.digest,
            "fault": self.fault,
            "content": self.content,
            "perceptual": f"{self.perceptual:016x}",
            "size": list(self.size),
            "faces": faces,
            "embeddings": packed,
        }

    @staticmethod
    def from_json(content: dict[str, Any]) -> Look:
        faces = tuple(
            Face(x, y, width, height, np.array(landmarks, dtype=np.float32), confidence)
            for x, y, width, height, confidence, landmarks in content["faces"]
        )
        packed = content["embeddings"]
        rows = None
        if packed is not None:
            flat = np.frombuffer(base64.b64decode(packed), dtype="<f4")
            rows = flat.reshape(len(faces), -1) if faces else flat.reshape(0, 0)
        height, width = content["size"]
        return Look(
            name=content["name"],
            model=content["model"],
            stamp=content["stamp"],
            digest=content["digest"],
            fault=content["fault"],
            content=content["content"],
            perceptual=int(content["perceptual"], 16),
            size=(height, width),
            faces=faces,
            embeddings=rows,
        )

    def is_of(self, path: Path, model: str, *, embedded: bool) -> bool:
        """Whether this is what one would see now.

        Args:
            path: The picture's file.
            embedded: Faces must have been embedded.
        """
        if self.model != model or (embedded and self.embeddings is None and self.fault is None):
            return False
        if self.stamp == stamp_of(path):
            return True
        same_size = self.stamp.split("-")[0] == stamp_of(path).split("-")[0]
        return same_size and self.digest != "" and self.digest == digest_of(path)


def stamp_of(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def read_image(path: Path) -> Image | str:
    """The picture, or the reason why it cannot be had."""
    try:
        return decode(path.read_bytes(), Limits())
    except ImageError as error:
        return str(error)
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"


def digest_of(path: Path) -> str:
    """SHA-256 of the file, or nothing if it cannot be read."""
    try:
        return sha256_of(path)
    except OSError:
        return ""


def look_at(path: Path, name: str, model: str, detector: Detector, runtime: Runtime | None) -> Look:
    """Reads a picture and finds its faces; never raises for what is in the file.

    Args:
        model: Fingerprint of the artifact whose detector and runtime these are.
        runtime: Embeds each face, or None if nobody will ask.
    """
    look = Look(name=name, model=model, stamp=stamp_of(path), digest=digest_of(path))
    image = read_image(path)
    if isinstance(image, str):
        return replace(look, fault=image)
    try:
        found = [face for face in detector.detect(image) if _has_extent(face)][:_MOST_FACES]
        embeddings = None if runtime is None else _embedded(image, found, detector, runtime)
    except (cv2.error, RuntimeError) as error:
        return replace(look, fault=f"the detector failed on it ({type(error).__name__})")
    return replace(
        look,
        content=content_hash(image),
        perceptual=perceptual_hash(image),
        size=(image.shape[0], image.shape[1]),
        faces=tuple(found),
        embeddings=embeddings,
    )


def _has_extent(face: Face) -> bool:
    """Landmarks in one point cannot be turned onto a template."""
    return float(np.ptp(face.landmarks, axis=0).max()) >= 1


def _embedded(image: Image, faces: list[Face], detector: Detector, runtime: Runtime) -> Array:
    manifest = runtime.manifest
    if not faces:
        return np.zeros((0, manifest.embedding_size), dtype=np.float32)
    seen = [located(detector, image, face, manifest) for face in faces]
    chips = [chip_of(image, face, manifest) for face in seen]
    return runtime.embed(np.stack(chips))
