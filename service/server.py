"""uvicorn with the app in it, from the listening socket to the end."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from ipaddress import ip_address
from types import FrameType

import uvicorn
from fastapi import FastAPI

from model.errors import SemblanceError
from service.app import create_app
from service.connection import connection_class
from service.memory import end_start
from service.models import Ahead
from service.settings import Settings
from service.stopping import DRAIN_S, end_by_deadline


class _Server(uvicorn.Server):
    """Says where the page is once connections are taken, and ends in time when told to.

    With the first key, if that lies in the data folder: behind the #, which a browser
    keeps to itself.
    """

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app
        # uvicorn takes both over while it runs; at the end it raises what came again,
        # by which an orderly stop would look like a failure.
        for told in (signal.SIGTERM, signal.SIGINT):
            signal.signal(told, self.handle_exit)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            end_by_deadline()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        end_start()
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = "localhost" if ip_address(host).is_unspecified else host
            shown = f"[{shown}]" if ":" in shown else shown
            key = self._app.state.page_key
            behind = f"#key={key}" if key else ""
            print(f"Semblance is ready: http://{shown}:{port}/{behind}", flush=True)


def serve(settings: Settings, listening: socket.socket, ahead: Ahead) -> int:
    """Serves until it is told to end; returns the process's exit status."""
    try:
        app = create_app(settings, ahead=ahead)
    except SemblanceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        app,
        # Asked for by name, so that a missing one is a fault and not a slower service.
        loop="uvloop",
        http=connection_class(settings.receive_timeout_s),
        # Its lines go where ours go; its own line of a request would show identities.
        log_config=None,
        log_level="warning",
        # Of one frame; of a stream at most two are held.
        ws_max_size=settings.max_image_bytes,
        ws_max_queue=2,
        ws_per_message_deflate=False,
        access_log=False,
        server_header=False,
        # Named even when there are none: uvicorn would believe what it finds in the environment.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=DRAIN_S,
    )
    # What an operator can put right is said in one line below, not as a traceback.
    logging.getLogger("uvicorn.error").addFilter(lambda _: app.state.failure is None)
    server = _Server(config, app)
    try:
        server.run(sockets=[listening])
    except SystemExit:
        # uvicorn's own way to say that the app did not start.
        if app.state.failure is not None:
            print(f"error: {app.state.failure}", file=sys.stderr)
    return 0 if server.started else 1
