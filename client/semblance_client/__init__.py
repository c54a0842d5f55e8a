"""Client of Semblance: self-hosted face verification.

    with Client("http://127.0.0.1:8000", key="smb_...") as semblance:
        semblance.enroll("ada", ["ada-1.jpg", "ada-2.jpg"])
        semblance.verify("ada", "today.jpg").verified

`AsyncClient` has the same methods, to be awaited.
"""

from semblance_client import models
from semblance_client.async_client import AsyncClient
from semblance_client.batches import EnrolItem, VerifyItem
from semblance_client.client import Client
from semblance_client.errors import (
    FieldError,
    Problem,
    SemblanceClientError,
    UnexpectedAnswer,
    Unreachable,
)
from semblance_client.pictures import Picture
from semblance_client.retries import Retries

__all__ = [
    "AsyncClient",
    "Client",
    "EnrolItem",
    "FieldError",
    "Picture",
    "Problem",
    "Retries",
    "SemblanceClientError",
    "UnexpectedAnswer",
    "Unreachable",
    "VerifyItem",
    "models",
]
