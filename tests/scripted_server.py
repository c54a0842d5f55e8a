"""A server on 127.0.0.1 that answers as it was told, one request after the other."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG_UP = "hang up"
"""Reads the request, and closes the connection without an answer."""


@dataclass
class Scripted:
    """Attributes: asked: Method, path and body of each request that came."""

    url: str
    script: list[Any]
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)


@contextmanager
def scripted_server(*script: Any) -> Iterator[Scripted]:
    """Args: script: For each request, (status, headers, content) or HANG_UP; the last stays."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            scripted.asked.append((self.command, self.path, body))
            said = scripted.script.pop(0) if len(scripted.script) > 1 else scripted.script[0]
            if said == HANG_UP:
                self.close_connection = True
                return
            status, headers, content = said
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815
        do_DELETE = do_GET  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host, port = server.server_address[:2]
    scripted = Scripted(f"http://{host!s}:{port}", list(script))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
