"""POST verify, represent and analyze, below /deepface: its own /verify is ours already.

distance = 1 - score        threshold = 1 - detection threshold
"""

from __future__ import annotations

import time
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from service.api.access import admitted
from service.api.adapters.deepface.asked import RepresentBody, VerifyBody
from service.api.adapters.scope import EMBEDDINGS
from service.api.adapters.translated import TranslatedRoute
from service.api.audited import audited
from service.api.door import answered
from service.api.present import Json
from service.api.state import Running
from service.core import compare as core_compare
from service.core.audit_details import comparison_details, verdict
from service.core.errors import InvalidRequest
from service.core.every_face import every_face
from service.core.results import FoundFace
from service.core.stopwatch import Stopwatch

_OF_A_PICTURE: Final = {404, 409, 413, 415, 422}


class DeepfaceRoute(TranslatedRoute):
    """Problems as {"error": ...}, 400 where a picture is to blame; our code beside it."""

    @staticmethod
    def translated(problem: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status = problem["status"]
        content = {"error": problem["detail"], "semblance_code": problem["code"]}
        return 400 if status in _OF_A_PICTURE else status, content


router = APIRouter(prefix="/deepface", route_class=DeepfaceRoute, include_in_schema=False)


@router.post("/verify")
async def verify(request: Request) -> Response:
    running = await admitted(request, "verify")
    return await answered(request, running, VerifyBody, _verify)


def _verify(body: VerifyBody, running: Running) -> Json:
    begun = time.perf_counter()
    with audited(running, "compare") as note:
        result = core_compare.compare(
            running.core, body.img1.data, body.img2.data, choice="largest"
        )
        _check_presentation(running, result.found_a, result.found_b, asked=body.anti_spoofing)
        note.outcome = verdict(result.verified)
        note.details = comparison_details(result, scores=running.settings.audit_scores)
    # Where the key may not see scores, the verdict alone.
    score = result.score if running.sees_scores else float(result.verified)
    return {
        "verified": result.verified,
        "distance": round(1 - score, 6),
        "threshold": round(1 - result.threshold.value, 6),
        "confidence": round(100 * score, 2),
        "model": result.manifest.name,
        "detector_backend": "yunet",
        "similarity_metric": "1 - score",
        "facial_areas": {"img1": _area(result.found_a), "img2": _area(result.found_b)},
        "time": round(time.perf_counter() - begun, 2),
    }


@router.post("/represent")
async def represent(request: Request) -> Response:
    running = await admitted(request, EMBEDDINGS)
    return await answered(request, running, RepresentBody, _represent)


def _represent(body: RepresentBody, running: Running) -> Json:
    with audited(running, "embeddings") as note:
        faces = every_face(running.core, body.img.data, Stopwatch(), most=body.max_faces or 0)
        found = [face.found for face in faces]
        _check_presentation(running, *found, asked=body.anti_spoofing)
        note.details["faces"] = len(faces)
    return {
        "results": [
            {
                "embedding": face.embedding.tolist(),
                "facial_area": _area(face.found),
                "face_confidence": round(face.found.face.confidence, 2),
            }
            for face in faces
        ]
    }


@router.post("/analyze")
async def analyze(request: Request) -> Response:
    await admitted(request, "verify")
    raise InvalidRequest(
        "age, gender, emotion and race are not judged here: nothing that is made of a face but "
        "who it is"
    )


def _check_presentation(running: Running, *faces: FoundFace, asked: bool) -> None:
    """Raises InvalidRequest if it is asked for and cannot be had, or is an attack."""
    if not asked:
        return
    if running.core.presentation is None:
        raise InvalidRequest(
            "anti_spoofing takes SEMBLANCE_PASSIVE_LIVENESS (docs/presentation.md)"
        )
    if any(face.presentation and face.presentation.attack for face in faces):
        raise InvalidRequest("Spoof detected in given image.")


def _area(found: FoundFace) -> Json:
    face = found.face
    right_eye, left_eye = face.landmarks[0].tolist(), face.landmarks[1].tolist()
    return {
        "x": round(face.x),
        "y": round(face.y),
        "w": round(face.width),
        "h": round(face.height),
        "left_eye": [round(value) for value in left_eye],
        "right_eye": [round(value) for value in right_eye],
    }
