"""Settings that are lists of addresses: whom the service believes, and whom it answers.

Both are written with commas between. A `*` is refused in both: it would undo what
they are for.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

# As a browser sends it: no path, no user, no port that goes without saying.
_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?:[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::(?P<port>[1-9]\d{0,4}))?"
)
_USUAL_PORTS = {("http", "80"), ("https", "443")}


def _listed(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _exact_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if "*" in origin:
            raise ValueError(
                "'*' is not taken: with it any page in any browser could use a key that it "
                "finds there; name each origin"
            )
        found = _ORIGIN.fullmatch(origin)
        if found is None or found.group("scheme", "port") in _USUAL_PORTS:
            raise ValueError(
                f"'{origin}' is no origin as a browser sends it, such as https://example.org "
                "or http://localhost:3000: lower case, no path, no slash at the end, no port "
                "that goes without saying"
            )
    return origins


def _networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    for network in networks:
        try:
            found = ip_network(network)
        except ValueError as error:
            raise ValueError(
                f"'{network}' is no address or network, such as 10.0.0.2 or 10.0.0.0/24 ({error})"
            ) from None
        if found.prefixlen == 0:
            raise ValueError(f"'{network}' is everybody; then anybody can claim any address")
    return networks


Origins = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_exact_origins)
]
Networks = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed), AfterValidator(_networks)]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host's address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
