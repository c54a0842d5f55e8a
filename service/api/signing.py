"""Signs a verdict for another site, where that was asked for."""

from __future__ import annotations

import time

from service.api.state import Running
from service.core.results import Verification
from service.core.sites import Receiver, claims_of


def signed_verdict(
    running: Running,
    receiver: Receiver,
    identity: str,
    *,
    verified: bool,
    last: Verification | None,
    frames: int | None = None,
) -> str:
    """As a JWT; to be called in a worker thread. The arguments are those of `claims_of`."""
    settings = running.settings
    claims = claims_of(
        receiver,
        f"{settings.issuer}/{running.core.collection}",
        identity,
        verified,
        last,
        frames=frames,
        now=time.time(),
        lifetime_s=settings.signed_result_s,
    )
    return running.sites.sign(claims)
