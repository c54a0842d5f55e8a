"""The JSON of answers for other sites."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from service.api.schema import Schema


class SiteSessionOut(Schema):
    session: str = Field(description="For the page: the attribute `session` of its component.")
    identity: str
    expires_at: datetime = Field(description="Until then a verification can be begun with it.")


class PublicKeyOut(Schema):
    """A JWK (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class KeySetOut(Schema):
    keys: list[PublicKeyOut]
