"""CompreFace's statuses and numeric codes for our problems."""

from __future__ import annotations

from typing import Any, Final

from service.api.adapters.translated import TranslatedRoute

_UNDEFINED: Final = 0
_CODES: Final[dict[str, tuple[int, int]]] = {
    # ours                    status, theirs
    "missing_scope": (403, 1),
    "wrong_key": (404, 10),
    "unknown_identity": (404, 11),
    "unknown_reference": (404, 11),
    "image_not_kept": (404, 11),
    "missing_key": (400, 20),
    "undecodable_image": (400, 21),
    "unsupported_image_type": (400, 21),
    "invalid_request": (400, 26),
    "low_quality": (400, 26),
    "image_too_small": (400, 26),
    "too_many_references": (400, 26),
    "no_face": (400, 28),
    "several_faces": (400, 31),
    "images_not_served": (405, 32),
    "internal_error": (500, 41),
    "damaged_data": (500, 41),
}
_MESSAGES: Final = {
    # Clients compare these texts.
    "missing_key": "Missing header: x-api-key",
    "no_face": "No face is found in the given image",
}


class CompreFaceRoute(TranslatedRoute):
    """Problems as {"message": ..., "code": number}; our own code stands beside them."""

    @staticmethod
    def translated(problem: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        ours = problem["code"]
        status, code = _CODES.get(ours, (problem["status"], _UNDEFINED))
        message = _MESSAGES.get(ours, problem["detail"])
        return status, {"message": message, "code": code, "semblance_code": ours}
