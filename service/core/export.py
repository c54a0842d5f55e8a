"""All that is held on one person, as content for JSON."""

from __future__ import annotations

import base64
from typing import Any

from service.core.ports import Store


def export_identity(store: Store, collection: str, identity: str) -> dict[str, Any]:
    """Pictures, embeddings and what was said, for the person it is about.

    Args:
        store: Of the collection.

    Raises:
        UnknownIdentity
    """
    summary, about, standing = (
        store.summary(identity),
        store.about(identity),
        store.standing(identity),
    )
    return {
        "identity": identity,
        "collection": collection,
        "created_at": summary.created_at.isoformat(),
        "last_used_at": standing.used_at.isoformat() if standing.used_at else None,
        "failures": standing.failures,
        "consent": about.consent,
        "metadata": dict(about.metadata),
        "references": [
            {
                "reference_id": reference.reference_id,
                "created_at": reference.created_at.isoformat(),
                "filename": reference.filename,
                "quality": reference.quality,
                "model_fingerprint": reference.fingerprint,
                "embedding": reference.embedding.tolist(),
                "image": _image(store, identity, reference.reference_id),
            }
            for reference in store.references(identity)
        ],
    }


def _image(store: Store, identity: str, reference_id: str) -> dict[str, Any] | None:
    found = store.image(identity, reference_id)
    if found is None:
        return None
    return {
        "media_type": found.media_type,
        "base64": base64.b64encode(found.data).decode(),
        "landmarks": found.landmarks.tolist(),
    }
