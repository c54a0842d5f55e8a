"""Faces as CompreFace shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from service.api.adapters.compreface.asked import Options
from service.api.present import Json
from service.api.state import Running
from service.core.every_face import EmbeddedFace
from service.core.results import FoundFace

_DIGITS: Final = 5


def face_out(found: FoundFace, asked: Options) -> Json:
    """Box and, if asked for, landmarks; in whole pixels."""
    face = found.face
    shown: Json = {
        "box": {
            "probability": round(face.confidence, _DIGITS),
            "x_max": round(face.x + face.width),
            "y_max": round(face.y + face.height),
            "x_min": round(face.x),
            "y_min": round(face.y),
        }
    }
    if "landmarks" in asked.plugins:
        shown["landmarks"] = [[round(x), round(y)] for x, y in face.landmarks.tolist()]
    return shown


def embedded_out(face: EmbeddedFace, asked: Options) -> Json:
    """The same, and the embedding if asked for; whether that is allowed was checked."""
    shown = face_out(face.found, asked)
    if "calculator" in asked.plugins:
        shown["embedding"] = face.embedding.tolist()
    return shown


def similarity(score: float, *, verified: bool, running: Running) -> float:
    """The score; where the key may not see it, the verdict alone."""
    return round(score, _DIGITS) if running.sees_scores else float(verified)


def with_status(answer: Json, running: Running, asked: Options, ms: Mapping[str, float]) -> Json:
    """With how long it took, and by what, if asked for."""
    if not asked.status:
        return answer
    manifest = running.core.model.manifest
    times = {"detector": ms.get("detect", 0.0), "calculator": ms.get("embed", 0.0)}
    versions = {"detector": "yunet", "calculator": f"{manifest.name} {manifest.version}"}
    shown = answer["result"]
    assert isinstance(shown, list)
    return {
        "result": [{**item, "execution_time": times} for item in shown],
        "plugins_versions": versions,
    }
