"""Identifications and embeddings as the API's JSON."""

from __future__ import annotations

from model.quality import Gate
from service.api.present import Json, face_out, model_ref, threshold_out
from service.core.embeddings import Embedding
from service.core.identify import Identification


def identify_out(result: Identification, gate: Gate, *, scores: bool = True) -> Json:
    # The order of those who do not match would tell what the scores do.
    shown = [one for one in result.candidates if scores or one.matched]
    return {
        "identified": result.identity is not None,
        "identity": result.identity,
        "candidates": [
            {
                "rank": one.rank,
                "identity": one.identity,
                "reference_id": one.reference_id,
                "score": one.score if scores else None,
                "matched": one.matched,
            }
            for one in shown
        ],
        "threshold": threshold_out(result.threshold),
        "fpir": result.fpir,
        "gallery": {
            "identities": result.identities,
            "references": result.references,
            "search": result.way,
        },
        "face": face_out(result.found, gate),
        "model": model_ref(result.manifest),
        "timings_ms": result.timings_ms,
    }


def embeddings_out(result: Embedding, gate: Gate) -> Json:
    return {
        "embeddings": [
            {
                "embedding": one.embedding.tolist(),
                "dimension": len(one.embedding),
                "metric": one.metric,
                "model": model_ref(one.manifest),
            }
            for one in result.by_model
        ],
        "face": face_out(result.found, gate),
        "timings_ms": result.timings_ms,
    }
