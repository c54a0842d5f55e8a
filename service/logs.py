"""Logs that name nobody, as text or as JSON lines.

A message of ours holds no name, address, file name, secret or picture; what is not of
ours may: the text of a foreign exception quotes the value it choked on. So an
exception is logged by its kind and the lines of code it came through, without its
text. Also the server's own lines go through here, and none of them shows an address.

    text   INFO semblance.access: 3f2a... POST /v1/verify 200 41.3 ms key 0123456789abcdef
    json   {"time": "...", "level": "INFO", "logger": "semblance.access", "message": "...",
            "request_id": "3f2a...", "method": "POST", "route": "/v1/verify", ...}
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal

LogFormat = Literal["text", "json"]

FIELDS: Final = "fields"
"""`extra={FIELDS: {...}}` gives a line members of its own in JSON."""

_log = logging.getLogger("semblance")
_CODES: Final = ("sqlite_errorname", "errno")
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class TextFormatter(logging.Formatter):
    """`LEVEL logger: message`, and below it where an exception came from."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = _message(record)
        return super().formatMessage(record)

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802  (its name in `logging`)
        return "\n".join(without_text(ei[1])) if ei[1] is not None else ""


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        line |= getattr(record, FIELDS, {})
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = list(without_text(record.exc_info[1]))
        return json.dumps(line)


def install(form: LogFormat) -> None:
    """Sends everything that is logged to standard error, in one form.

    The server must be told to bring no handlers of its own (`log_config=None`).
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    threading.excepthook = _thread_failed
    logging.getLogger("alembic").setLevel(logging.WARNING)


def without_text(error: BaseException) -> Iterator[str]:
    """The lines of a traceback without what the exceptions say; causes first."""
    seen: set[int] = set()
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        chain.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    for link in reversed(chain):
        for frame in traceback.extract_tb(link.__traceback__):
            yield f"{frame.filename}:{frame.lineno} {frame.name}"
        yield _kind(link)
        if isinstance(link, BaseExceptionGroup):
            for part in link.exceptions:
                yield from without_text(part)


def _message(record: logging.LogRecord) -> str:
    message = record.getMessage()
    # Below its first line asyncio shows what a task failed with, with its text.
    return message.partition("\n")[0] if record.name == "asyncio" else message


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    error = failed.exc_value
    if error is not None:
        _log.critical("a thread ended", exc_info=(type(error), error, error.__traceback__))


def _kind(error: BaseException) -> str:
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    codes = [str(getattr(error, code)) for code in _CODES if getattr(error, code, None)]
    return " ".join([f"{module}{kind.__qualname__}", *codes])
