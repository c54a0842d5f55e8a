"""`python -m service`: starts the server and says when ready, or runs a command.

python -m service [--insecure]     the server
python -m service keys ...         API keys and master keys; `--help` says more
"""

from __future__ import annotations

import logging
import socket
import sys

from model.errors import SemblanceError
from service import logs
from service.addresses import is_loopback
from service.memory import begin_start
from service.open_files import allow_many_connections
from service.settings import Settings, read_settings
from service.stopping import leave


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
    from service.models import Ahead

    ahead = Ahead(settings)
    # Only now: it imports nearly all there is.
    from service.server import serve

    return serve(settings, listening, ahead)


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
