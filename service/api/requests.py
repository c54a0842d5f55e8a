"""The fields of a request, whether they came as a form or as JSON.

A rate or threshold must be a number between 0 and 1 written as one: JSON's
`false` is not 0, or a request could lower its own bar by accident.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from model.contract import Fusion
from service.core.enrol import Upload
from service.core.identify import DEFAULT_CANDIDATES, MOST_CANDIDATES
from service.core.policy import ConflictMode

MAX_IDENTITY_LENGTH = 128
# Composing takes the square of the marks' number; a letter and its marks are one or
# two characters then, of seldom more than four.
_MAX_UNCOMPOSED = 4 * MAX_IDENTITY_LENGTH
# Letters, digits and marks of any script, and a few signs that names and ids
# use. No slash, no control character, and nothing that could pass for a path.
_IDENTITY = re.compile(r"[^\W_](?:[\w .@+:'~=,-]*[\w.@+:'~=-])?")
# Grapheme joiner and variation selectors count as marks.
_INVISIBLE = ((0x034F, 0x034F), (0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_MAX_PREFIX = 200
"""Characters of a data: URL before its base64; a search through all could take gigabytes."""
_DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w.+=-]+)*;base64,", re.IGNORECASE)


def check_identity(value: str) -> str:
    """The identity in Unicode's composed form (NFC).

    Raises:
        ValueError: If it is too long or has characters that an identity may not.
    """
    name = unicodedata.normalize("NFC", value[:_MAX_UNCOMPOSED])
    if not name or len(value) > _MAX_UNCOMPOSED or len(name) > MAX_IDENTITY_LENGTH:
        raise ValueError(f"an identity has 1 to {MAX_IDENTITY_LENGTH} characters")
    if any(_is_invisible(c) for c in name):
        raise ValueError("an identity holds no invisible characters")
    # A vowel sign belongs to the letter before it, but is no \w.
    marks_aside = ("m" if unicodedata.category(c).startswith("M") else c for c in name[1:])
    if not _IDENTITY.fullmatch(name[0] + "".join(marks_aside)):
        raise ValueError(
            "an identity begins with a letter or digit and holds letters, digits, "
            "inner spaces and . _ - @ + : ' ~ = ,"
        )
    return name


def _is_invisible(character: str) -> bool:
    """Whether it is a mark that shows nothing, so that two names would look alike."""
    point = ord(character)
    return any(first <= point <= last for first, last in _INVISIBLE)


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    return value


def _upload(value: object) -> object:
    """An upload from a form's file or from base64 text."""
    if isinstance(value, Upload):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a file, or base64 text in a JSON body")
    found = _DATA_URL.match(value[:_MAX_PREFIX])
    try:
        data = base64.b64decode(value[found.end() :] if found else value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("is not valid base64") from error
    return Upload(data)


Identity = Annotated[str, StringConstraints(strict=True), AfterValidator(check_identity)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), BeforeValidator(_no_bool)]
Rate = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False), BeforeValidator(_no_bool)]
Picture = Annotated[Any, BeforeValidator(_upload)]
Ticket = Annotated[str, StringConstraints(strict=True, max_length=16_384)]
_SiteSessionText = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=4096)]
FaceChoice = Literal["error", "largest", "center"]


class _Request(BaseModel):
    # A misspelt threshold must not be silently without effect.
    model_config = ConfigDict(extra="forbid", frozen=True)


def _object(value: object) -> object:
    """An object from JSON, or from JSON as the text of a form's field."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError("is not valid JSON") from error


Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(strict=True, min_length=1, max_length=64)],
        Annotated[str, StringConstraints(strict=True, max_length=512)],
    ],
    Field(max_length=16),
    BeforeValidator(_object),
]


class EnrolRequest(_Request):
    identity: Identity
    images: Annotated[list[Picture], Field(min_length=1)]
    consent: Annotated[str, StringConstraints(strict=True, max_length=256)] | None = Field(
        None, description="Where the person's consent is on record; replaces what was given before."
    )
    metadata: Metadata | None = Field(
        None,
        description="Up to 16 names and texts of your own, in a form as JSON; replaces what was "
        "given before.",
    )
    faces: FaceChoice = "error"
    conflicts: ConflictMode | None = Field(
        None,
        description="off, report or strict, at least as strict as the operator's setting. "
        "null: as the setting says.",
    )


Audience = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=256, pattern=r"^[!-~]+$")
]
"""A site as it names itself, such as its origin."""
Nonce = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=128, pattern=r"^[\w.~-]+$")
]
_FOR_WHOM = "For another site: sign the result, for whoever names itself so (docs/embed.md)."
_NONCE = "Comes back in the signed result."


class VerifyRequest(_Request):
    identity: Identity
    image: Picture
    detection_threshold: Share | None = None
    verification_threshold: Share | None = None
    fmr: Rate | None = Field(
        None,
        description="Take the threshold measured for this false match rate of the whole verdict, "
        "where the manifest has a verdict table, or else of one comparison.",
    )
    fusion: Fusion | None = Field(
        None,
        description="share: the share of references that match; max: the best reference's score; "
        "mean: that of all references; centroid: against one template of them all. "
        "null: as the setting says.",
    )
    faces: FaceChoice = "error"
    liveness_token: Ticket | None = Field(
        None,
        description="From a liveness session of this identity that was passed: the probe must be "
        "who was live. Used up by the request.",
    )
    require_liveness: bool = Field(
        False, description="Refuse without `liveness_token`, also where the service would not."
    )
    audience: Audience | None = Field(None, description=_FOR_WHOM)
    nonce: Nonce | None = Field(None, description=_NONCE)


class StreamRequest(_Request):
    """The first message of a stream."""

    identity: Identity
    key: Annotated[str, StringConstraints(strict=True, max_length=200)] | None = None
    detection_threshold: Share | None = None
    verification_threshold: Share | None = None
    fmr: Rate | None = None
    fusion: Fusion | None = None
    # Somebody walking by must not end it.
    faces: FaceChoice = "largest"
    liveness_token: Ticket | None = None
    require_liveness: bool = False
    audience: Audience | None = None
    nonce: Nonce | None = None


class SessionRequest(_Request):
    """What a liveness session is asked for with."""

    identity: Identity


class LivenessRequest(_Request):
    """The first message of a liveness stream."""

    session: Ticket
    key: Annotated[str, StringConstraints(strict=True, max_length=200)] | None = None


class SessionHello(_Request):
    """The first message of a stream from a page of another site: the session says the rest."""

    session: _SiteSessionText
    liveness_token: Ticket | None = None


class SiteLivenessHello(_Request):
    """The first message of a liveness stream from such a page: no key, and no other session."""

    site_session: _SiteSessionText


class SiteSessionRequest(_Request):
    """What `SessionHello.session` is to say; all of it but `origin` is a `StreamRequest`."""

    identity: Identity
    audience: Audience = Field(description=_FOR_WHOM)
    origin: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=256)] = Field(
        description="Of the page, as a browser sends it; one of SEMBLANCE_CORS_ORIGINS."
    )
    nonce: Nonce | None = Field(None, description=_NONCE)
    detection_threshold: Share | None = None
    verification_threshold: Share | None = None
    fmr: Rate | None = None
    fusion: Fusion | None = None
    faces: FaceChoice = "largest"
    require_liveness: bool = False


class RenameRequest(_Request):
    to: Identity


class MergeRequest(_Request):
    into: Identity


class CompareRequest(_Request):
    image_a: Picture
    image_b: Picture
    detection_threshold: Share | None = None
    fmr: Rate | None = None
    faces: FaceChoice = "error"


class DetectRequest(_Request):
    image: Picture


class IdentifyRequest(_Request):
    image: Picture
    candidates: Annotated[int, Field(ge=1, le=MOST_CANDIDATES), BeforeValidator(_no_bool)] = Field(
        DEFAULT_CANDIDATES, description="Identities to name, at most."
    )
    max_fpir: Rate | None = Field(
        None,
        description="Take the threshold measured for this false positive identification rate among "
        "as many references as there are; refused if the model's table cannot say it.",
    )
    detection_threshold: Share | None = Field(
        None, description="Or a threshold of your own for the score."
    )
    faces: FaceChoice = "error"


class EmbeddingsRequest(_Request):
    image: Picture
    faces: FaceChoice = "error"
