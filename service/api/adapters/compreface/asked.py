"""What a request of CompreFace says: its query, and its body as a form or as JSON."""

from __future__ import annotations

import re
import uuid
from typing import Annotated, Final

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field, RootModel

from service.api.requests import Identity, Picture, check_identity
from service.core.errors import InvalidRequest, UnknownReference

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")


class _Body(BaseModel):
    # Clients send fields here that we have no use for.
    model_config = ConfigDict(extra="ignore", frozen=True)


class FileBody(_Body):
    file: Picture


class TwoFilesBody(_Body):
    source_image: Picture
    target_image: Picture


class SubjectBody(_Body):
    subject: Identity


class ImageIds(RootModel[list[str]]):
    pass


class Options(BaseModel):
    """How a picture is looked at.

    Attributes:
        limit: Of the faces, the largest; 0: all.
        face_plugins: What is told of a face, with commas between; what we do not know
            of, such as age, is left out.
        status: Whether to tell how long it took.
    """

    limit: int = Field(0, ge=0, le=1000)
    prediction_count: int = Field(1, ge=1, le=100)
    det_prob_threshold: float = Field(0.0, ge=0, le=1, allow_inf_nan=False)
    face_plugins: str = Field("", max_length=200)
    status: bool = False

    @property
    def plugins(self) -> frozenset[str]:
        return frozenset(name.strip() for name in self.face_plugins.split(","))


Asked = Annotated[Options, Query()]


async def _subject(subject: Annotated[str, Query()]) -> str:
    try:
        return check_identity(subject)
    except ValueError as error:
        raise InvalidRequest(f"subject: {error}") from error


async def _any_subject(subject: Annotated[str | None, Query()] = None) -> str | None:
    return None if subject is None else await _subject(subject)


Subject = Annotated[str, Depends(_subject)]
AnySubject = Annotated[str | None, Depends(_any_subject)]
"""None: of all."""


def reference_id_of(image_id: str) -> str:
    """Our id of theirs, which is a UUID. Raises UnknownReference."""
    if not _UUID.fullmatch(image_id):
        raise UnknownReference("there is no such image")
    return uuid.UUID(image_id).hex


def image_id_of(reference_id: str) -> str:
    return str(uuid.UUID(reference_id))
