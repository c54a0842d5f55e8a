"""HTTP as bytes: requests made beforehand, answers cut from the stream.

A load generator that shares the service's cores must cost next to nothing.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

_BOUNDARY = b"semblance-bench-boundary"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


def post_form(path: str, key: str, fields: dict[str, str], files: list[tuple[str, bytes]]) -> bytes:
    """A whole POST request, multipart/form-data, for a connection that is kept.

    Raises:
        ValueError: If a file holds the boundary.
    """
    body = bytearray()
    for name, value in fields.items():
        body += b"--%b\r\n" % _BOUNDARY
        body += f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, data in files:
        if _BOUNDARY in data:
            raise ValueError("a file holds the boundary")
        body += b"--%b\r\n" % _BOUNDARY
        body += f'Content-Disposition: form-data; name="{name}"; filename="p.jpg"\r\n'.encode()
        body += b"Content-Type: image/jpeg\r\n\r\n%b\r\n" % data
    body += b"--%b--\r\n" % _BOUNDARY
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY.decode()}\r\n\r\n"
    )
    return head.encode() + bytes(body)


class Connection:
    """One connection to 127.0.0.1 that is kept from request to request.

    A server closes a kept connection that nothing was asked on for some seconds; then
    another is opened, as every HTTP client does.
    """

    def __init__(self, port: int, timeout_s: float = 120) -> None:
        self._port, self._timeout_s = port, timeout_s
        self._open()

    def ask(self, request: bytes) -> Answer:
        """Sends a request, waits for its answer.

        Raises:
            OSError: If the connection ends before the answer does.
        """
        try:
            return self._ask(request)
        except _ClosedBetween:
            self.close()
            self._open()
            return self._ask(request)

    def close(self) -> None:
        self._socket.close()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), self._timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answered, self._rest = 0, b""

    def _ask(self, request: bytes) -> Answer:
        received = self._rest
        try:
            self._socket.sendall(request)
            while (end := received.find(b"\r\n\r\n")) < 0:
                received += self._more()
        except ConnectionError as error:
            if self._answered and not received:
                raise _ClosedBetween from error
            raise
        length = _LENGTH.search(received, 0, end + 2)
        if length is None:
            raise OSError("an answer without a length")
        last = end + 4 + int(length[1])
        while len(received) < last:
            received += self._more()
        self._answered, self._rest = self._answered + 1, received[last:]
        return Answer(int(received[9:12]), received[end + 4 : last])

    def _more(self) -> bytes:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise ConnectionError("the service closed the connection")
        return chunk


class _ClosedBetween(Exception):
    """The connection was kept, and closed before anything of an answer came."""
