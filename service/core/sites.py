"""Results that another site's server can check, and sessions for pages of other sites.

A page of another site holds no key. Its server asks for a session (`SiteSession`), which
says who is to be verified, how, and from which page; sealed, so that the page can carry
it but not change it. The verdict comes back signed, so that the page can carry it, too.
"""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from service.core.errors import DamagedData, SiteSessionExpired, WrongSiteSession
from service.core.results import Threshold, Verification
from service.core.secrecy import DataKey

Claims = dict[str, object]
_ABOUT: Final = b"site session"
_MOST_CHARACTERS: Final = 4096


class SiteKeys(Protocol):
    """What results are signed and sessions are sealed with; the same in all replicas.

    Called from worker threads: each may wait for the database.
    """

    def sign(self, claims: Mapping[str, object]) -> str:
        """The claims as a signed JWT (JWS in its compact form, Ed25519)."""
        ...

    def public_keys(self) -> list[dict[str, str]]:
        """What signatures are checked with, as JWKs: the one in use, and one before or after."""
        ...

    def session_key(self) -> DataKey: ...


@dataclass(frozen=True)
class SiteSession:
    """What a page may do, for so long.

    Attributes:
        fields: Of a stream's first message: the identity and all else, none for the page
            to choose.
        origin: Of the page, as a browser sends it.
        collection: Of the key that asked for this session.
        key_id: Of that key; None where no key is asked for.
        expires_at: Seconds since 1970. A stream that has begun before goes on.
    """

    fields: Mapping[str, object]
    origin: str
    collection: str
    key_id: str | None
    expires_at: float

    def sealed(self, key: DataKey) -> str:
        """Text that only the service can read and make."""
        content = json.dumps(vars(self), separators=(",", ":"))
        return base64.urlsafe_b64encode(key.seal(content.encode(), _ABOUT)).decode()


def opened_session(text: str, key: DataKey, *, origin: str | None, now: float) -> SiteSession:
    """The session of this text, asked for by a page of `origin` at `now`.

    Raises:
        WrongSiteSession: If it was not made here, was changed, or is for another page.
        SiteSessionExpired
    """
    try:
        sealed = base64.b64decode(text[:_MOST_CHARACTERS], altchars=b"-_", validate=True)
        session = SiteSession(**json.loads(key.open(sealed, _ABOUT)))
    except (binascii.Error, ValueError, DamagedData) as error:
        raise WrongSiteSession("the session was not made by this service") from error
    if origin != session.origin:
        raise WrongSiteSession("the session is for a page of another origin")
    if now >= session.expires_at:
        raise SiteSessionExpired("the session is over; the site's server can ask for a new one")
    return session


@dataclass(frozen=True)
class Receiver:
    """For whom a result is signed.

    Attributes:
        audience: The site, as it names itself.
        nonce: What it gave, to know the result again; None if nothing.
    """

    audience: str
    nonce: str | None = None


def claims_of(
    receiver: Receiver,
    issuer: str,
    identity: str,
    verified: bool,
    last: Verification | None,
    *,
    frames: int | None,
    now: float,
    lifetime_s: int,
) -> Claims:
    """What is signed: the verdict, about whom, for whom, by which numbers, until when.

    Args:
        issuer: With the collection, so that no other one's result passes for this one's.
        last: The one picture's, or that of the last frame that counted; None if none did.
        frames: That counted; None of one picture.
    """
    return {
        "iss": issuer,
        "aud": receiver.audience,
        "sub": identity,
        "iat": int(now),
        "exp": int(now) + lifetime_s,
        "jti": uuid.uuid4().hex,
        "nonce": receiver.nonce,
        "verified": verified,
        "frames": frames,
        "fmr": last.fmr if last else None,
        "verdict_fmr": last.verdict_fmr if last else None,
        "detection_threshold": _threshold(last.detection_threshold if last else None),
        "verification_threshold": _threshold(last.verification_threshold if last else None),
        "model": last.manifest.fingerprint if last else None,
        "liveness": last.live if last else None,
    }


def _threshold(found: Threshold | None) -> Claims | None:
    return None if found is None else {"value": found.value, "source": found.source}
