"""A connection that waits for no request for ever, and takes no headers without end.

uvicorn waits as long as it takes for the first byte of a request and for the last
of its headers, and its parser keeps all of them. Bodies are read, and timed, in
service.api.body.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from typing import ClassVar, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.api.arrival import RequestTimeout
from service.api.problems import (
    BAD_REQUEST,
    HEADERS_TOO_LARGE,
    MEDIA_TYPE,
    TABLE,
    Kind,
    content_of,
)

MAX_HEAD_BYTES: Final = 64 * 1024
"""Of a request's target and headers; browsers and proxies stay below 16 KiB."""


class Connection(HttpToolsProtocol):
    """uvicorn's, with limits of time and size for what comes before a body.

    Attributes:
        limit_s: Longest wait for the headers of a request: from the beginning of the
            connection, or from the last answer.
    """

    limit_s: ClassVar[float] = 30.0

    _timer: asyncio.TimerHandle | None = None
    _in_head = _in_body = False
    _begun = 0
    _head_bytes = 0
    _listed_bytes = 0
    _fault: tuple[Kind, str] = (BAD_REQUEST, "this is not a request of HTTP/1.1")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        begun = self._begun
        super().data_received(data if self._in_body else _without_h2c(data))
        # What began in this piece is counted by its headers, and at the next piece.
        if self._in_head and self._begun == begun:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self._fault = HEADERS_TOO_LARGE, _TOO_LARGE
                self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._begun += 1
        self._head_bytes = self._listed_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._listed_bytes += len(name) + len(value)
        self._check_size()

    def on_headers_complete(self) -> None:
        self._check_size()
        self._in_head = False
        self._in_body = True
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Else the next of several requests that came together is in work.
        if self.cycle.response_complete and not self.transport.is_closing():
            self._await_request()

    def send_400_response(self, msg: str) -> None:
        """What cannot be taken as a request, as a problem like any other."""
        kind, detail = self._fault
        request_id = uuid.uuid4().hex
        content = json.dumps(content_of(kind, detail, request_id)).encode()
        head = (
            f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(content)}\r\n"
            f"x-request-id: {request_id}\r\nx-content-type-options: nosniff\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[kind.status] + head.encode() + content)
        self.transport.close()

    def _check_size(self) -> None:
        if len(self.url) + self._listed_bytes > MAX_HEAD_BYTES:
            self._fault = HEADERS_TOO_LARGE, _TOO_LARGE
            raise ValueError(_TOO_LARGE)  # how the parser is told to refuse a request

    def _await_request(self) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(self.limit_s, self._waited_enough)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _waited_enough(self) -> None:
        if self.transport.is_closing():
            return
        if self._in_head:
            self._fault = TABLE[RequestTimeout], "the headers did not arrive in time"
            self.send_400_response("")
        else:
            self.transport.close()


def _without_h2c(data: bytes) -> bytes:
    """What begins a request, without an offer to go on in HTTP/2, which may be ignored.

    Java's own client makes one with each first request; the parser would take what
    follows the headers for HTTP/2 and lose the body.
    """
    # Not beyond the headers: there, a picture follows.
    ends_at = data.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
    if data.find(b"h2c", 0, ends_at if ends_at >= 0 else MAX_HEAD_BYTES) < 0:
        return data
    head, end, body = data.partition(b"\r\n\r\n")
    return _H2C.sub(rb"\1x-ignored:", head) + end + body


_H2C = re.compile(rb"(\r\n)upgrade:(?=[ \t]*h2c[ \t]*(?:\r\n|$))", re.IGNORECASE)
_TOO_LARGE = f"a request's headers have at most {MAX_HEAD_BYTES} bytes"


def connection_class(limit_s: float) -> type[Connection]:
    """For uvicorn, which makes one of each connection."""
    return type("Connection", (Connection,), {"limit_s": limit_s})
