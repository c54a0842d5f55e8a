"""The name of an identity in an address."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path

from service.api.requests import check_identity
from service.core.errors import UnknownIdentity


async def _identity(identity: Annotated[str, Path()]) -> str:
    try:
        return check_identity(identity)
    except ValueError as error:
        # A name that nobody could have enrolled.
        raise UnknownIdentity("no such identity is enrolled") from error


IdentityPath = Annotated[str, Depends(_identity)]
