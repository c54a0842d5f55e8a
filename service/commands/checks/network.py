"""Who can reach it, and how: address, HTTPS, proxies, pages of other sites."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

from sqlalchemy import make_url

from service.addresses import is_loopback
from service.commands.checks.finding import Finding, fail, ok, warn
from service.settings import Settings

_WIDE: Final = 65_536
_WAIT_S: Final = 3
_WHOLE: Final = ("verify-full", "verify-ca")


def check_address(settings: Settings) -> Iterator[Finding]:
    own = is_loopback(settings.host)
    if settings.insecure and not own:
        said = f"{settings.host} without keys: whoever reaches it can do everything"
        yield fail("access", said, "unset SEMBLANCE_INSECURE, and make keys")
    elif settings.insecure:
        yield warn("access", "no keys are asked for", "unset SEMBLANCE_INSECURE for real use")
    else:
        yield ok("access", "keys are asked for")
    proxies = ", ".join(settings.trusted_proxies)
    if own and not proxies:
        yield ok("https", f"{settings.host}: browsers on this machine alone")
    elif not proxies:
        said = f"{settings.host}, and no proxy is named: browsers elsewhere get no camera"
        todo = "put a proxy with HTTPS before it and name it in SEMBLANCE_TRUSTED_PROXIES"
        yield warn("https", said, f"{todo} (docs/security-deployment.md)")
    elif wide := [one for one in settings.trusted_proxies if _is_wide(one)]:
        said = f"every machine in {', '.join(wide)} is believed about where a request came from"
        yield warn("https", said, "name the proxy's own address in SEMBLANCE_TRUSTED_PROXIES")
    else:
        yield ok("https", f"by the proxy at {proxies}")


def check_origins(settings: Settings) -> Iterator[Finding]:
    plain = [
        one
        for one in settings.cors_origins
        if one.startswith("http://") and not is_loopback(one[7:].rpartition(":")[0] or one[7:])
    ]
    if plain:
        said = f"pages without HTTPS may call it: {', '.join(plain)}"
        yield warn("other sites", said, "name their https:// origins in SEMBLANCE_CORS_ORIGINS")
    elif settings.cors_origins:
        yield ok("other sites", ", ".join(settings.cors_origins))


def check_database_line(settings: Settings) -> Iterator[Finding]:
    for name in ("database", "keys_database"):
        secret = getattr(settings, name)
        if secret is None:
            continue
        about = name.replace("_", " ") + " line"
        try:
            url = make_url(secret.get_secret_value())
        except Exception:  # its text may hold the password
            yield fail(about, "is no address", "see SEMBLANCE_DATABASE in docs/scaling.md")
            continue
        mode = url.query.get("sslmode", "prefer")
        if url.host is None or is_loopback(url.host):
            yield ok(about, "on this machine")
        elif mode in _WHOLE:
            yield ok(about, f"to {url.host}, encrypted (sslmode={mode})")
        else:
            said = f"to {url.host} with sslmode={mode}: somebody on the way could read along"
            yield warn(about, said, "add sslmode=verify-full and sslrootcert to the address")


def check_service(settings: Settings) -> Iterator[Finding]:
    """Whether one answers at the address of the settings; that none does is no fault."""
    if settings.port == 0:
        return
    host = settings.host
    with suppress(ValueError):
        found = ip_address(host)
        if found.is_unspecified:
            host = "127.0.0.1" if found.version == 4 else "::1"
    shown = f"[{host}]" if ":" in host else host
    opener = build_opener(ProxyHandler({}))
    try:
        opener.open(f"http://{shown}:{settings.port}/readyz", timeout=_WAIT_S).close()
    except HTTPError as error:
        code = error.code
        error.close()
        if code in (503, 507):
            said = f"a service on port {settings.port} says it is not ready ({code})"
            yield fail("service", said, "see its log, and the other lines here")
        else:
            said = f"something else answers on port {settings.port} ({code})"
            yield fail("service", said, "end it, or choose another port with SEMBLANCE_PORT")
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ConnectionRefusedError | socket.gaierror):
            yield ok("service", f"none runs on port {settings.port}")
        else:
            said = f"what listens on port {settings.port} does not answer"
            yield fail("service", said, "look at it; a service that hangs is to be restarted")
    else:
        yield ok("service", f"ready on port {settings.port}")


def _is_wide(network: str) -> bool:
    return ip_network(network).num_addresses >= _WIDE
