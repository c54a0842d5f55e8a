"""What a request of deepface says.

A text that is no data: URL would be a path or an address of the server's there. Nothing
is opened here because a caller named it.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from service.api.requests import Picture


def _no_path(value: object) -> object:
    if isinstance(value, str) and not value.lower().startswith("data:"):
        raise ValueError(
            "paths and addresses are not opened here; send a file, or "
            "data:image/jpeg;base64, and the picture behind it"
        )
    if isinstance(value, list):
        raise ValueError("embeddings are not taken here; send pictures")
    return value


def _flag(value: object) -> object:
    """A form's text; as deepface reads it, anything but "true" is false."""
    return value.lower() == "true" if isinstance(value, str) else value


_Sent = Annotated[Picture, BeforeValidator(_no_path)]
_Flag = Annotated[bool, BeforeValidator(_flag)]


class _Body(BaseModel):
    # Which network, detector or metric is asked for changes nothing: there is one here.
    model_config = ConfigDict(extra="ignore", frozen=True)

    anti_spoofing: _Flag = False


class VerifyBody(_Body):
    img1: _Sent = Field(validation_alias=AliasChoices("img1", "img1_path"))
    img2: _Sent = Field(validation_alias=AliasChoices("img2", "img2_path"))
    threshold: Any = None

    @field_validator("threshold")
    @classmethod
    def _of_another_scale(cls, value: object) -> object:
        if value is not None:
            raise ValueError(
                "a threshold of another network means nothing here; leave it out, or set "
                "SEMBLANCE_DETECTION_THRESHOLD"
            )
        return value


class RepresentBody(_Body):
    img: _Sent = Field(validation_alias=AliasChoices("img", "img_path"))
    max_faces: int | None = Field(None, ge=1)
