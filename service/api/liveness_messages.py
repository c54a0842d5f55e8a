"""What a liveness stream says, as JSON: docs/liveness.md has every field."""

from __future__ import annotations

from model.quality import Gate
from service.api.present import Json, face_out
from service.api.problems import TABLE
from service.core.liveness.ending import SENTENCES
from service.core.liveness.session import Asked, Seen, Session
from service.core.liveness.tickets import Ticket


def challenge_out(asked: Asked, session: Session) -> Json:
    return {
        "type": "challenge",
        "number": asked.number,
        "of": session.count,
        "kind": asked.kind,
        "seconds": asked.seconds,
    }


def seen_out(seen: Seen, gate: Gate) -> Json:
    """What one frame has shown."""
    problem, steps = seen.problem, seen.steps
    return {
        "face": face_out(seen.found, gate) if seen.found else None,
        "code": TABLE[type(problem)].code if problem else None,
        "detail": str(problem) if problem else None,
        "progress": round(seen.progress, 3),
        "pose": {
            "yaw": round(steps.yaw, 3),
            "pitch": round(steps.pitch, 3),
            "scale": round(seen.scale or 1.0, 3),
        }
        if steps
        else None,
    }


def live_out(session: Session, token: Ticket) -> Json:
    return {
        "type": "result",
        "identity": session.identity,
        "live": True,
        "token": token.text,
        "expires_at": token.expires_at,
    }


def not_live_out(session: Session) -> Json:
    assert session.ended is not None  # it is not live, and has ended
    return {
        "type": "result",
        "identity": session.identity,
        "live": False,
        "why": session.ended,
        "detail": SENTENCES[session.ended],
    }
