"""Keys that results are signed with: made once, rotated without a gap, checked by PyJWT."""

from __future__ import annotations

import hashlib
from typing import Any

import jwt
import pytest

from service.security import site_keys
from service.security.passing_keys import PassingKeys
from service.security.site_keys import SETTLES_S, Ed25519SiteKeys, rotate

NOW = 1_764_144_000.0
CLAIMS = {"sub": "ädá", "verified": True}


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def keys() -> PassingKeys:
    return PassingKeys()


@pytest.fixture(autouse=True)
def _always_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_keys, "_LOOKS_S", -1.0)


def read(signed: str, published: list[dict[str, str]]) -> dict[str, Any]:
    found = jwt.PyJWKSet.from_dict({"keys": published})
    key = found[jwt.get_unverified_header(signed)["kid"]]
    claims: dict[str, Any] = jwt.decode(signed, key.key, algorithms=["EdDSA"])
    return claims


def test_a_signature_is_what_another_library_takes(keys: PassingKeys) -> None:
    signer = Ed25519SiteKeys(keys)
    signed = signer.sign(CLAIMS)
    assert read(signed, signer.public_keys()) == CLAIMS
    header = jwt.get_unverified_header(signed)
    assert (header["alg"], header["typ"]) == ("EdDSA", site_keys.TYPE)
    (published,) = signer.public_keys()
    # The public part alone.
    assert set(published) == {"kty", "crv", "x", "kid", "use", "alg"}


def test_the_name_of_a_key_is_its_thumbprint() -> None:
    """By the example of RFC 8037, A.3."""
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    needed = {"crv": "Ed25519", "kty": "OKP", "x": x}
    digest = hashlib.sha256(site_keys._json(needed)).digest()
    assert site_keys._base64(digest) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_all_replicas_sign_by_one_key(keys: PassingKeys) -> None:
    one, other = Ed25519SiteKeys(keys), Ed25519SiteKeys(keys)
    assert one.public_keys() == other.public_keys()
    assert read(one.sign(CLAIMS), other.public_keys()) == CLAIMS
    assert one.session_key().open(other.session_key().seal(b"x", b""), b"") == b"x"
    elsewhere = Ed25519SiteKeys(PassingKeys())
    with pytest.raises(KeyError):
        read(elsewhere.sign(CLAIMS), one.public_keys())


def test_a_changed_result_does_not_pass(keys: PassingKeys) -> None:
    signer = Ed25519SiteKeys(keys)
    header, claims, signature = signer.sign({"verified": False}).split(".")
    _, yes, _ = Ed25519SiteKeys(PassingKeys()).sign({"verified": True}).split(".")
    for changed in (f"{header}.{yes}.{signature}", f"{header}.{claims}.{signature[:-4]}AAAA"):
        with pytest.raises(jwt.InvalidSignatureError):
            read(changed, signer.public_keys())


def test_a_new_key_is_published_before_it_signs(keys: PassingKeys) -> None:
    clock = Clock()
    one, other = Ed25519SiteKeys(keys, clock), Ed25519SiteKeys(keys, clock)
    (first,) = one.public_keys()
    assert rotate(keys, now=clock.now) == ["results 0"]
    published = one.public_keys()
    assert published[0] == first
    assert len(published) == 2
    clock.now += SETTLES_S - 1
    assert jwt.get_unverified_header(other.sign(CLAIMS))["kid"] == first["kid"]
    clock.now += 1
    signed = other.sign(CLAIMS)
    assert jwt.get_unverified_header(signed)["kid"] == published[1]["kid"]
    assert read(signed, one.public_keys()) == CLAIMS
    # A clock that was set back leaves nobody without a key.
    clock.now -= 10 * SETTLES_S
    assert read(other.sign(CLAIMS), one.public_keys()) == CLAIMS


def test_who_has_never_signed_rotates_to_a_first_key(keys: PassingKeys) -> None:
    assert rotate(keys, now=NOW) == []
    assert len(Ed25519SiteKeys(keys).public_keys()) == 1
