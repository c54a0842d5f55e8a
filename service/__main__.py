"""`python -m service`: reads the settings, starts the server, says when ready."""

from __future__ import annotations

import logging
import socket
import sys
from ipaddress import ip_address

import uvicorn

from model.errors import SemblanceError
from service.app import create_app
from service.memory import begin_start, end_start
from service.settings import Settings, read_settings


class _Server(uvicorn.Server):
    """Says where the page is once connections are taken."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        end_start()
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = "localhost" if ip_address(host).is_unspecified else host
            shown = f"[{shown}]" if ":" in shown else shown
            print(f"Semblance is ready: http://{shown}:{port}/", flush=True)


def main() -> int:
    """Runs the service until it is told to stop. Returns the exit status."""
    begin_start()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        settings = read_settings()
        listening = _listen(settings)
    except (SemblanceError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not _is_loopback(settings.host):
        logging.getLogger("semblance").warning(
            "listening on %s: whoever reaches this address can enrol, verify and delete; "
            "let only a proxy that checks access reach it",
            settings.host,
        )
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        # Asked for by name, so that a missing one is a fault and not a slower service.
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=settings.access_log,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    if settings.access_log:
        logging.getLogger("uvicorn.access").setLevel(logging.INFO)
    # What an operator can put right is said in one line below, not as a traceback.
    logging.getLogger("uvicorn.error").addFilter(lambda _: app.state.failure is None)
    server = _Server(config)
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


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
