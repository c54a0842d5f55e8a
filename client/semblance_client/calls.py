"""From a method's arguments to the request that is sent; the same for both clients."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Unpack

from semblance_client import models
from semblance_client import operations as op
from semblance_client.batches import EnrolItem, VerifyItem, lines
from semblance_client.models import FaceChoice
from semblance_client.operations import Call
from semblance_client.options import (
    CompareOptions,
    EnrolOptions,
    IdentifyOptions,
    SiteSessionOptions,
    VerifyOptions,
)
from semblance_client.pictures import Picture, part


def enroll(
    identity: str, images: Sequence[Picture], **options: Unpack[EnrolOptions]
) -> Call[models.Enrolment]:
    if isinstance(images, str | bytes):
        # A text is a sequence, too: of one-letter file names.
        raise TypeError("`images` is a list, also of one picture")
    files = [part("images", image) for image in images]
    return Call(op.ENROLL, fields=_fields({"identity": identity, **options}), files=files)


def verify(
    identity: str, image: Picture, **options: Unpack[VerifyOptions]
) -> Call[models.Verification]:
    fields = _fields({"identity": identity, **options})
    return Call(op.VERIFY, fields=fields, files=[part("image", image)])


def compare(
    image_a: Picture, image_b: Picture, **options: Unpack[CompareOptions]
) -> Call[models.Comparison]:
    files = [part("image_a", image_a), part("image_b", image_b)]
    return Call(op.COMPARE, fields=_fields({**options}), files=files)


def detect(image: Picture) -> Call[models.Detection]:
    return Call(op.DETECT, files=[part("image", image)])


def identify(image: Picture, **options: Unpack[IdentifyOptions]) -> Call[models.Identification]:
    return Call(op.IDENTIFY, fields=_fields({**options}), files=[part("image", image)])


def embeddings(image: Picture, faces: FaceChoice | None = None) -> Call[models.Embeddings]:
    return Call(op.EMBEDDINGS, fields=_fields({"faces": faces}), files=[part("image", image)])


def verify_batch(items: Sequence[VerifyItem]) -> Call[list[models.VerifiedItem]]:
    return Call(op.VERIFY_BATCH, content=lines(items))


def enroll_batch(items: Sequence[EnrolItem]) -> Call[list[models.EnrolledItem]]:
    return Call(op.ENROLL_BATCH, content=lines(items))


def list_identities(cursor: str | None = None, limit: int = 100) -> Call[models.IdentityPage]:
    after = {} if cursor is None else {"cursor": cursor}
    return Call(op.LIST, params={**after, "limit": limit})


def get_identity(identity: str) -> Call[models.IdentityDetail]:
    return Call(op.GET, at={"identity": identity})


def rename_identity(identity: str, to: str) -> Call[models.IdentityDetail]:
    return Call(op.RENAME, at={"identity": identity}, json={"to": to})


def merge_identity(identity: str, into: str) -> Call[models.IdentityDetail]:
    return Call(op.MERGE, at={"identity": identity}, json={"into": into})


def unlock_identity(identity: str) -> Call[None]:
    return Call(op.UNLOCK, at={"identity": identity})


def delete_identity(identity: str) -> Call[models.Deleted]:
    return Call(op.DELETE, at={"identity": identity})


def delete_reference(identity: str, reference_id: str) -> Call[None]:
    return Call(op.DELETE_REFERENCE, at={"identity": identity, "reference_id": reference_id})


def get_image(identity: str, reference_id: str, size: int | None = None) -> Call[bytes]:
    at = {"identity": identity, "reference_id": reference_id}
    return Call(op.IMAGE, at=at, params={} if size is None else {"size": size})


def begin_liveness(identity: str) -> Call[models.LivenessSession]:
    return Call(op.LIVENESS, json={"identity": identity})


def begin_site_session(
    identity: str, audience: str, origin: str, **options: Unpack[SiteSessionOptions]
) -> Call[models.SiteSession]:
    said = {"identity": identity, "audience": audience, "origin": origin, **options}
    return Call(op.SITE_SESSION, json=_said(said))


def get_keys() -> Call[models.KeySet]:
    return Call(op.KEYS)


def get_model() -> Call[models.FaceModel]:
    return Call(op.MODEL)


def metrics() -> Call[str]:
    return Call(op.METRICS)


def healthz() -> Call[models.Health]:
    return Call(op.HEALTHZ)


def readyz() -> Call[models.Health]:
    return Call(op.READYZ)


def _said(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


def _fields(values: Mapping[str, object]) -> dict[str, str]:
    """As a form's fields: texts as they are, all else as JSON."""
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in _said(values).items()
    }
