"""`python -m service`: starts the server and says when ready, or runs a command.

python -m service [--insecure]     the server
python -m service keys ...         API keys and master keys; `--help` says more
"""

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
from service import logs
from service.app import create_app
from service.connection import connection_class
from service.memory import begin_start, end_start
from service.open_files import allow_many_connections
from service.opening import is_loopback
from service.settings import Settings, read_settings
from service.stopping import DRAIN_S, end_by_deadline, leave


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


def main(arguments: list[str] | None = None) -> int:
    """Runs a command and returns its exit status; or the service, and leaves with its."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and arguments[0] != "--insecure":
        # Commands take modules that the server does without.
        from service.commands.main import run

        return run(arguments)
    leave(_serve(insecure=bool(arguments)))


def _serve(*, insecure: bool) -> int:
    begin_start()
    allow_many_connections()
    try:
        settings = read_settings()
        if insecure:
            settings = settings.model_copy(update={"insecure": True})
        logs.install(settings.log_format)
        listening = _listen(settings)
    except (SemblanceError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if settings.insecure and not is_loopback(settings.host):
        logging.getLogger("semblance").warning(
            "listening on %s without keys: whoever reaches this address can enrol, verify and "
            "delete; let only a proxy that checks access reach it",
            settings.host,
        )
    try:
        app = create_app(settings)
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


def _listen(settings: Settings) -> socket.socket:
    """The listening socket, bound first so that a taken port is known at once."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise OSError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}; "
            "choose another with SEMBLANCE_HOST and SEMBLANCE_PORT"
        ) from error
    return listening


if __name__ == "__main__":
    sys.exit(main())
