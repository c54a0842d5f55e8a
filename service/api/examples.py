"""Answers as they look, for OpenAPI."""

from __future__ import annotations

from typing import Any

_POINTS = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")
_PLACES = ((262.1, 190.4), (331.8, 188.9), (297.5, 232.0), (268.4, 270.7), (327.9, 269.5))
FACE: dict[str, Any] = {
    "box": {"x": 224.6, "y": 120.2, "width": 148.3, "height": 198.7},
    "box_normalized": {"x": 0.35094, "y": 0.25042, "width": 0.23172, "height": 0.41396},
    "landmarks": {name: {"x": x, "y": y} for name, (x, y) in zip(_POINTS, _PLACES, strict=True)},
    "confidence": 0.93127,
    "quality": {
        "score": 0.931,
        "reasons": [],
        "face_size_px": 148.3,
        "confidence": 0.931,
        "sharpness": 412.7,
        "brightness": 128.4,
        "contrast": 44.2,
        "yaw": 0.021,
        "pitch": 0.043,
        "roll_degrees": -1.2,
        "visible": 1.0,
    },
    "presentation": None,
}
MODEL = {"name": "sface", "version": "1.0.0", "fingerprint": "0123456789abcdef"}
_TIMINGS = {"decode": 2.9, "detect": 5.1, "align": 0.3, "embed": 7.4, "score": 0.2, "total": 16.2}
_REFERENCE = "0b9d7c52c1f14be5a5f4f1b9b7a5f0d3"
_AT_1E4 = {"value": 0.960359, "source": "default"}

ENROL: dict[str, Any] = {
    "identity": "ada",
    "references": 1,
    "accepted": [
        {
            "index": 0,
            "filename": "ada-1.jpg",
            "reference_id": _REFERENCE,
            "duplicate": False,
            "face": FACE,
            "quality": 0.931,
        }
    ],
    "rejected": [
        {
            "index": 1,
            "filename": "team.jpg",
            "code": "several_faces",
            "detail": "4 faces were found; send a picture of one person, "
            "or choose with faces=largest or faces=center",
            "reasons": [],
            "face": None,
        }
    ],
    "conflicts": [
        {
            "index": 0,
            "filename": "ada-1.jpg",
            "reference_id": _REFERENCE,
            "code": "identity_conflict",
            "kind": "like_another_identity",
            "own_best": None,
            "own_median": None,
            "other_score": 0.99961,
            "other_identity": "augusta",
        }
    ],
    "others_searched": True,
    "model": MODEL,
}
VERIFY: dict[str, Any] = {
    "identity": "ada",
    "verified": True,
    "matched": 1,
    "references": 1,
    "fusion": "share",
    "fused_score": None,
    "share": 1.0,
    "detection_threshold": _AT_1E4,
    "verification_threshold": {"value": 0.5, "source": "default"},
    "fmr": 0.0001,
    "verdict_fmr": 0.0001,
    "scores": [{"reference_id": _REFERENCE, "score": 0.99982, "matched": True}],
    "face": FACE,
    "liveness": None,
    "model": MODEL,
    "timings_ms": {"references": 0.6, **_TIMINGS},
    "signed": None,
}
COMPARE: dict[str, Any] = {
    "score": 0.99982,
    "threshold": _AT_1E4,
    "fmr": 0.0001,
    "verified": True,
    "face_a": FACE,
    "face_b": FACE,
    "model": MODEL,
    "timings_ms": _TIMINGS,
}
IDENTIFY: dict[str, Any] = {
    "identified": True,
    "identity": "ada",
    "candidates": [
        {
            "rank": 1,
            "identity": "ada",
            "reference_id": _REFERENCE,
            "score": 0.99982,
            "matched": True,
        },
        {
            "rank": 2,
            "identity": "augusta",
            "reference_id": "5f3c0d2e9a4b4c3f8e1d7a6b5c4d3e2f",
            "score": 0.41702,
            "matched": False,
        },
    ],
    "threshold": {"value": 0.998478, "source": "default"},
    "fpir": 0.0049875,
    "gallery": {"identities": 1800, "references": 5000, "search": "exact"},
    "face": FACE,
    "model": MODEL,
    "timings_ms": {"search": 4.1, **{k: v for k, v in _TIMINGS.items() if k != "score"}},
}
EMBEDDINGS: dict[str, Any] = {
    "embeddings": [
        {
            "embedding": [0.0512, -0.0127, 0.0903],
            "dimension": 3,
            "metric": "euclidean",
            "model": MODEL,
        }
    ],
    "face": FACE,
    "timings_ms": {k: v for k, v in _TIMINGS.items() if k != "score"},
}
DETECT: dict[str, Any] = {
    "faces": [FACE],
    "width": 640,
    "height": 480,
    "timings_ms": {"decode": 2.9, "detect": 5.1, "align": 0.3, "total": 8.4},
}
