"""Sessions for pages of other sites, and what is signed for them, by a real service."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.faces import Faces
from tests.integration.api_client import answer, enrol, problem
from tests.integration.commands import audit_rows, new_key, service_command
from tests.running import Service, running_service, service_process

SHOP, OTHER = "https://shop.example", "https://other.example"
ISSUER = "https://faces/default"
SESSION_S = 10
ASKED = {"identity": "ada", "audience": "shop", "origin": SHOP, "nonce": "n-1"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Sites:
    """A service that two sites use."""

    service: Service
    data_dir: Path
    key: str

    @property
    def server(self) -> httpx.Client:
        """The site's server: its key may only verify."""
        return httpx.Client(base_url=self.service.url, headers={"X-API-Key": self.key}, timeout=60)

    def begin(self, **more: object) -> str:
        with self.server as server:
            given = answer(server.post("/v1/verify/sessions", json=ASKED | more), 201)
        assert given["identity"] == (more.get("identity") or "ada")
        session: str = given["session"]
        return session

    def read(self, signed: str, audience: str = "shop", issuer: str = ISSUER) -> Json:
        """As another library reads it, with the published keys."""
        published = answer(httpx.get(f"{self.service.url}/v1/keys"))
        key = jwt.PyJWKSet.from_dict(published)[jwt.get_unverified_header(signed)["kid"]]
        claims: Json = jwt.decode(
            signed, key.key, algorithms=["EdDSA"], audience=audience, issuer=issuer
        )
        return claims


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Iterator[Sites]:
    data_dir = tmp_path_factory.mktemp("data")
    settings = {
        "insecure": False,
        "cors_origins": f"{SHOP},{OTHER}",
        "issuer": "https://faces",
        "site_session_s": SESSION_S,
        "stream_s": 6,
        "hide_scores": True,
        "throttle_after": 5,
    }
    with service_process(data_dir, **settings) as service:
        with httpx.Client(base_url=service.url, headers={"X-API-Key": service.key}) as boss:
            enrol(boss, "ada", faces.read("obama.jpg"), faces.read("obama2.jpg"))
        yield Sites(service, data_dir, new_key(data_dir, "verify"))


@dataclass(frozen=True)
class Early:
    """A session from before all tests, so that one of them need hardly wait for its end."""

    session: str
    begun: float


@pytest.fixture(scope="module", autouse=True)
def early(sites: Sites) -> Early:
    session = sites.begin()
    return Early(session, time.monotonic())


@contextmanager
def page(
    sites: Sites, origin: str | None = SHOP, path: str = "/v1/verify/stream"
) -> Iterator[ClientConnection]:
    """A page of a site, as far as the service can tell."""
    address = sites.service.url.replace("http", "ws", 1) + path
    with connect(address, origin=origin, proxy=None) as socket:  # type: ignore[arg-type]
        yield socket


def shown(socket: ClientConnection, first: Json, picture: bytes) -> Json:
    """What comes in the end: a result or a problem."""
    socket.send(json.dumps(first))
    message: Json = json.loads(socket.recv(timeout=20))
    while message["type"] in ("ready", "frame", "busy"):
        if message["type"] != "frame" or message["verdict"] == "undecided":
            with suppress(ConnectionClosed):
                socket.send(picture)
        message = json.loads(socket.recv(timeout=20))
    return message


def refused(
    sites: Sites,
    first: Json,
    code: str,
    origin: str | None = SHOP,
    path: str = "/v1/verify/stream",
) -> None:
    with page(sites, origin, path) as socket:
        said = shown(socket, first, b"")
    assert said["type"] == "problem", said
    assert said["code"] == code
    assert "Traceback" not in json.dumps(said)


def test_a_page_without_a_key_verifies_and_its_server_can_check_it(
    sites: Sites, faces: Faces
) -> None:
    with page(sites) as socket:
        result = shown(socket, {"session": sites.begin()}, faces.read("obama3.jpg"))
    assert result["verified"] is True
    claims = sites.read(result["signed"])
    assert (claims["sub"], claims["aud"], claims["nonce"]) == ("ada", "shop", "n-1")
    assert claims["verified"] is True
    assert claims["frames"] == result["frames"] >= 3
    assert claims["verdict_fmr"] == result["verdict_fmr"] <= 1e-3
    assert claims["model"] == result["model"]["fingerprint"]
    assert claims["detection_threshold"] == result["detection_threshold"]
    assert claims["exp"] - claims["iat"] == 60
    assert abs(claims["iat"] - time.time()) < 10
    assert claims["liveness"] is None
    # Numbers that tell how alike faces are, are hidden from this key.
    assert set(claims) == {
        *("iss", "aud", "sub", "iat", "exp", "jti", "nonce", "verified", "frames", "fmr"),
        *("verdict_fmr", "detection_threshold", "verification_threshold", "model", "liveness"),
    }


def test_a_stranger_gets_a_signed_no(sites: Sites, faces: Faces) -> None:
    with page(sites) as socket:
        result = shown(socket, {"session": sites.begin()}, faces.read("biden.jpg"))
    assert result["verified"] is False
    claims = sites.read(result["signed"])
    assert claims["verified"] is False
    for wrong in ({"audience": OTHER}, {"issuer": "https://faces/shop"}):
        with pytest.raises((jwt.InvalidAudienceError, jwt.InvalidIssuerError)):
            sites.read(result["signed"], **wrong)


def test_a_session_is_for_one_page_and_says_it_all(sites: Sites) -> None:
    session = sites.begin(detection_threshold=0.99)
    # Listed, but it is not this page's.
    refused(sites, {"session": session}, "wrong_site_session", OTHER)
    # A program that says no origin.
    refused(sites, {"session": session}, "wrong_site_session", None)
    with pytest.raises(InvalidStatus), page(sites, "https://evil.example"):
        pass
    for more in ({"detection_threshold": 0}, {"identity": "eve"}, {"audience": "me"}, {"key": "x"}):
        refused(sites, {"session": session, **more}, "invalid_request")
    refused(sites, {"identity": "ada"}, "missing_key")


def test_what_is_no_session_opens_nothing(sites: Sites) -> None:
    session = sites.begin()
    middle = len(session) // 2
    changed = session[:middle] + ("A" if session[middle] != "A" else "B") + session[middle + 1 :]
    for wrong in (changed, session[:-8], session + "AAAA", "x", "AAAA", "é", sites.key, "=" * 9):
        refused(sites, {"session": wrong}, "wrong_site_session")
    for none in ("", 7, None, ["x"], "x" * 4097):
        refused(sites, {"session": none}, "invalid_request")


def test_a_site_that_demands_a_living_person_is_not_talked_out_of_it(sites: Sites) -> None:
    session = sites.begin(require_liveness=True)
    refused(sites, {"session": session}, "missing_liveness")
    refused(sites, {"session": session, "require_liveness": False}, "invalid_request")
    refused(sites, {"session": session, "liveness_token": "AAAA"}, "wrong_liveness")


def test_movements_are_asked_for_by_the_session_alone(sites: Sites) -> None:
    """How a person passes them is shown in a browser (tests/browser/test_embed.py)."""
    moves = "/v1/liveness/stream"
    session = sites.begin(require_liveness=True)
    refused(sites, {"site_session": session}, "wrong_site_session", OTHER, moves)
    refused(sites, {"site_session": session}, "wrong_site_session", None, moves)
    refused(sites, {"site_session": session[:-8]}, "wrong_site_session", path=moves)
    refused(sites, {"site_session": ""}, "invalid_request", path=moves)
    refused(sites, {"site_session": session, "session": "x"}, "invalid_request", path=moves)
    # One is no liveness session, and no key.
    refused(sites, {"session": session}, "missing_key", path=moves)
    with page(sites, path=moves) as socket:
        socket.send(json.dumps({"site_session": session}))
        assert json.loads(socket.recv(timeout=20))["type"] == "ready"
        assert json.loads(socket.recv(timeout=20))["type"] == "challenge"


def test_thresholds_of_the_site_hold(sites: Sites, faces: Faces) -> None:
    session = sites.begin(detection_threshold=0.999999)
    with page(sites) as socket:
        result = shown(socket, {"session": session}, faces.read("obama3.jpg"))
    assert result["verified"] is False
    claims = sites.read(result["signed"])
    assert claims["detection_threshold"] == {"value": 0.999999, "source": "request"}


def test_a_revoked_key_takes_its_sessions_with_it(sites: Sites) -> None:
    key = new_key(sites.data_dir, "verify")
    session = Sites(sites.service, sites.data_dir, key).begin()
    service_command(sites.data_dir, "keys", "revoke", key.split("_")[1])
    refused(sites, {"session": session}, "wrong_key")


def test_another_collection_is_another_issuer(sites: Sites, faces: Faces) -> None:
    key = new_key(sites.data_dir, "enroll,verify", "--collection", "shop")
    shop = Sites(sites.service, sites.data_dir, key)
    with shop.server as server:
        problem(server.post("/v1/verify/sessions", json=ASKED), 404, "unknown_identity")
        enrol(server, "ada", faces.read("biden.jpg"))
        form = {"identity": "ada", "audience": "shop", "nonce": "n"}
        picture = {"image": faces.read("biden.jpg")}
        signed = answer(server.post("/v1/verify", data=form, files=picture))["signed"]
    # Its own face under the other's name: the site that knows its issuer is not taken in.
    with pytest.raises(jwt.InvalidIssuerError):
        sites.read(signed)
    claims = sites.read(signed, issuer="https://faces/shop")
    assert (claims["verified"], claims["frames"]) == (True, None)


def test_a_single_picture_is_signed_only_if_asked(sites: Sites, faces: Faces) -> None:
    picture = {"image": faces.read("obama3.jpg")}
    with sites.server as server:
        plain = answer(server.post("/v1/verify", data={"identity": "ada"}, files=picture))
        assert plain["signed"] is None
        form = {"identity": "ada", "audience": "https://shop.example/é"}
        problem(server.post("/v1/verify", data=form, files=picture), 422, "invalid_request")
        form = {"identity": "ada", "audience": "shop", "nonce": "a b"}
        problem(server.post("/v1/verify", data=form, files=picture), 422, "invalid_request")
        one, two = (
            answer(
                server.post(
                    "/v1/verify", data={"identity": "ada", "audience": "shop"}, files=picture
                )
            )["signed"]
            for _ in range(2)
        )
    assert sites.read(one)["nonce"] is None
    assert sites.read(one)["jti"] != sites.read(two)["jti"]


def test_who_may_ask_for_a_session(sites: Sites) -> None:
    post = f"{sites.service.url}/v1/verify/sessions"
    problem(httpx.post(post, json=ASKED), 401, "missing_key")
    enrolling = new_key(sites.data_dir, "enroll")
    problem(httpx.post(post, json=ASKED, headers={"X-API-Key": enrolling}), 403, "missing_scope")
    with sites.server as server:
        for wrong in (
            {"origin": "https://evil.example"},
            {"origin": SHOP + "/"},
            {"origin": None},
            {"audience": ""},
            {"audience": "a\nb"},
            {"detection_threshold": 2},
            {"key": "x"},
        ):
            problem(server.post(post, json=ASKED | wrong), 422, "invalid_request")
        problem(server.post(post, json=ASKED | {"identity": "eve"}), 404, "unknown_identity")


def test_it_is_on_record_and_neither_session_nor_result_is_in_it(
    sites: Sites, faces: Faces
) -> None:
    session = sites.begin()
    with page(sites) as socket:
        signed = shown(socket, {"session": session}, faces.read("obama3.jpg"))["signed"]
    rows = audit_rows(sites.data_dir, "--identity", "ada")
    last = rows[-3:-1]
    assert [(row["action"], row["outcome"]) for row in last] == [
        ("site_session", "ok"),
        ("verify", "verified"),
    ]
    # The page had no key; whose session it was is on record.
    assert {row["actor"] for row in last} == {sites.key.split("_")[1]}
    for text in (json.dumps(rows), "\n".join(sites.service.output)):
        assert session[:40] not in text
        assert signed[-40:] not in text


def test_a_session_ends(sites: Sites, early: Early) -> None:
    time.sleep(max(0, early.begun + SESSION_S + 0.1 - time.monotonic()))
    refused(sites, {"session": early.session}, "site_session_expired")


def test_the_public_keys_are_public_and_rotate(sites: Sites, faces: Faces) -> None:
    response = httpx.get(f"{sites.service.url}/v1/keys")
    before = answer(response)["keys"]
    assert response.headers["cache-control"] == "public, max-age=30"
    session = sites.begin()
    with page(sites) as socket:
        signed = shown(socket, {"session": session}, faces.read("obama3.jpg"))["signed"]
    # A new master key changes no key that signs.
    service_command(sites.data_dir, "keys", "rotate")
    said = service_command(sites.data_dir, "keys", "rotate-signing").stdout
    assert "in 30 seconds" in said
    time.sleep(5.2)
    now = answer(httpx.get(f"{sites.service.url}/v1/keys"))["keys"]
    assert [key["kid"] for key in now][:1] == [key["kid"] for key in before]
    assert len(now) == 2
    assert sites.read(signed)["sub"] == "ada"
    service_command(sites.data_dir, "keys", "rotate-signing", "--forget-old")
    time.sleep(5.2)
    left = answer(httpx.get(f"{sites.service.url}/v1/keys"))["keys"]
    assert len(left) == 1
    with pytest.raises(KeyError):
        sites.read(signed)
    with page(sites) as socket:
        again = shown(socket, {"session": sites.begin()}, faces.read("obama3.jpg"))
    assert sites.read(again["signed"])["verified"] is True


def test_an_open_service_signs_and_says_whose_thresholds_they_were(
    tmp_path: Path, faces: Faces
) -> None:
    """Anybody can enrol there, so its results are for trying out: docs/embed.md says so."""
    with (
        running_service(tmp_path, cors_origins=SHOP) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        enrol(client, "ada", faces.read("obama.jpg"))
        service = Service(url=url, process=None)  # type: ignore[arg-type]
        open_sites = Sites(service, tmp_path, "")
        first = {"identity": "ada", "audience": SHOP, "detection_threshold": 0.0}
        with page(open_sites) as socket:
            result = shown(socket, first, faces.read("biden.jpg"))
        claims = open_sites.read(result["signed"], SHOP, "semblance/default")
        assert claims["detection_threshold"]["source"] == "request"
        given = answer(client.post("/v1/verify/sessions", json=ASKED), 201)
        with page(open_sites) as socket:
            result = shown(socket, {"session": given["session"]}, faces.read("obama2.jpg"))
        assert result["verified"] is True
