"""The JSON of one line of a batch's answer."""

from __future__ import annotations

from pydantic import Field

from service.api.schema import Schema
from service.api.schemas import EnrolOut, Problem, VerifyOut


class _Item(Schema):
    index: int = Field(description="Of the item among those of the request, from 0.")
    id: str | None = Field(description="As the item has it; null if it has none.")
    status: int = Field(description="That the same request by itself would have had.")
    problem: Problem | None = Field(None, description="What was wrong with this item.")


class VerifyItemOut(_Item):
    result: VerifyOut | None = Field(None, description="As of POST /v1/verify.")


class EnrolItemOut(_Item):
    result: EnrolOut | None = Field(None, description="As of POST /v1/enroll.")
