"""CompreFace's recognition, verification and detection.

Verifying against a stored face counts against its identity as POST /v1/verify does: it
is a verification, of whose scores the one of that face is told.
"""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from service.api.access import admitted
from service.api.adapters.compreface import faces
from service.api.adapters.compreface.asked import Asked, FileBody, Options, TwoFilesBody
from service.api.adapters.compreface.errors import CompreFaceRoute
from service.api.adapters.compreface.shapes import (
    embedded_out,
    face_out,
    similarity,
    with_status,
)
from service.api.adapters.scope import EMBEDDINGS
from service.api.audited import audited
from service.api.door import answered
from service.api.present import Json
from service.api.state import Running
from service.core import verify as core_verify
from service.core.audit_details import verdict, verification_details
from service.core.detect import detect
from service.core.errors import MissingScope, NoFace, UnknownReference
from service.core.every_face import compare_with_all, embedded, every_face, every_percept
from service.core.identify import Identification, identify_face
from service.core.stopwatch import Stopwatch

router = APIRouter(prefix="/api/v1", route_class=CompreFaceRoute, include_in_schema=False)


@router.post("/recognition/recognize")
async def recognize(request: Request, asked: Asked) -> Response:
    running = await admitted(request, "identify")
    _check_plugins(asked, running)
    return await answered(request, running, FileBody, partial(_recognize, asked))


def _recognize(asked: Options, body: FileBody, running: Running) -> Json:
    core, watch = running.core, Stopwatch()
    with audited(running, "identify") as note:
        percepts = every_percept(
            core, body.file.data, watch, asked.det_prob_threshold, most=asked.limit
        )
        found = [
            identify_face(core, percept, watch, candidates=asked.prediction_count)
            for percept in percepts
        ]
        identified = sum(one.identity is not None for one in found)
        note.outcome = "identified" if identified else "not_identified"
        note.details["faces"], note.details["identified"] = len(found), identified
    if "calculator" in asked.plugins:
        shown = [embedded_out(face, asked) for face in embedded(core, percepts, watch)]
    else:
        shown = [face_out(one.found, asked) for one in found]
    result: list[Json] = [
        {**face, "subjects": _subjects_out(running, one)}
        for face, one in zip(shown, found, strict=True)
    ]
    return with_status({"result": result}, running, asked, watch.read_ms())


def _subjects_out(running: Running, found: Identification) -> list[Json]:
    """Where the key may not see scores, those alone that match: their order would tell."""
    return [
        {
            "subject": one.identity,
            "similarity": similarity(one.score, verified=one.matched, running=running),
        }
        for one in found.candidates
        if running.sees_scores or one.matched
    ]


@router.post("/recognition/faces/{image_id}/verify")
async def verify_face(image_id: str, request: Request, asked: Asked) -> Response:
    running = await admitted(request, "verify")
    _check_plugins(asked, running)
    return await answered(request, running, FileBody, partial(_verify_face, image_id, asked))


def _verify_face(image_id: str, asked: Options, body: FileBody, running: Running) -> Json:
    core = running.core
    identity, reference_id = faces.found(running, image_id)
    with audited(running, "verify", identity) as note:
        proof = running.proof(identity, None, False)
        result = core_verify.verify(core, identity, body.file.data, choice="largest", proof=proof)
        note.outcome = verdict(result.verified)
        note.details = verification_details(result, scores=running.settings.audit_scores)
    one = next((row for row in result.references if row.reference_id == reference_id), None)
    if one is None:
        raise UnknownReference("there is no such image")
    if result.found.face.confidence < asked.det_prob_threshold:
        raise NoFace("no face was found in the image")
    shown = face_out(result.found, asked)
    shown["similarity"] = similarity(one.score, verified=one.matched, running=running)
    return with_status({"result": [shown]}, running, asked, result.timings_ms)


@router.post("/verification/verify")
async def verify(request: Request, asked: Asked) -> Response:
    running = await admitted(request, "verify")
    _check_plugins(asked, running)
    return await answered(request, running, TwoFilesBody, partial(_verify, asked))


def _verify(asked: Options, body: TwoFilesBody, running: Running) -> Json:
    watch = Stopwatch()
    with audited(running, "compare") as note:
        found = compare_with_all(
            running.core,
            body.source_image.data,
            body.target_image.data,
            watch,
            least_confidence=asked.det_prob_threshold,
            most=asked.limit,
        )
        note.outcome = verdict(found.verified)
        note.details["detection_threshold"] = found.threshold.value
        if running.settings.audit_scores:
            note.details["scores"] = list(found.scores)
    ranked = sorted(zip(found.scores, found.faces, strict=True), key=lambda x: x[0], reverse=True)
    matches: list[Json] = []
    for score, face in ranked:
        matched = score > found.threshold.value
        told = similarity(score, verified=matched, running=running)
        matches.append({**embedded_out(face, asked), "similarity": told})
    result: Json = {
        "source_image_face": embedded_out(found.source, asked),
        "face_matches": matches,
    }
    return with_status({"result": [result]}, running, asked, watch.read_ms())


@router.post("/detection/detect")
async def detect_faces(request: Request, asked: Asked) -> Response:
    running = await admitted(request, "verify")
    _check_plugins(asked, running)
    return await answered(request, running, FileBody, partial(_detect, asked))


def _detect(asked: Options, body: FileBody, running: Running) -> Json:
    core, watch = running.core, Stopwatch()
    with audited(running, "detect") as note:
        if "calculator" in asked.plugins:
            found = every_face(core, body.file.data, watch)
            shown = [(face.found, embedded_out(face, asked)) for face in found]
            ms = watch.read_ms()
        else:
            detection = detect(core, body.file.data)
            shown = [(face, face_out(face, asked)) for face in detection.faces]
            ms = dict(detection.timings_ms)
        note.details["faces"] = len(shown)
        result = [out for face, out in shown if face.face.confidence >= asked.det_prob_threshold]
        if not result:
            raise NoFace("no face was found in the image")
    return with_status({"result": result[: asked.limit or None]}, running, asked, ms)


def _check_plugins(asked: Options, running: Running) -> None:
    if "calculator" in asked.plugins and not running.caller.may(EMBEDDINGS):
        raise MissingScope(f"the plugin calculator takes a key with the scope '{EMBEDDINGS}'")
