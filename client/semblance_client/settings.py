"""Where the service is, and the key that opens it."""

from __future__ import annotations

import os
from typing import Final

DEFAULT_URL: Final = "http://127.0.0.1:8000"
URL_VARIABLE: Final = "SEMBLANCE_URL"
KEY_VARIABLE: Final = "SEMBLANCE_KEY"
DEFAULT_TIMEOUT_S: Final = 60.0


def address(url: str | None) -> str:
    """As said, or by the environment, or this machine's."""
    return (url or os.environ.get(URL_VARIABLE) or DEFAULT_URL).rstrip("/")


def headers(key: str | None) -> dict[str, str]:
    """With the key, if there is one."""
    key = key or os.environ.get(KEY_VARIABLE)
    return {"Authorization": f"Bearer {key}"} if key else {}
