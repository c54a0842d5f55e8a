"""Nobody gets in without a key, and no key opens more than it says."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.faces import Faces
from tests.integration.api_client import answer, base64_of, enrol, problem
from tests.integration.commands import new_key, service_command
from tests.running import Service, service_process

SHOP = "shop"


@dataclass(frozen=True)
class Guarded:
    """A service that asks for keys, and one key of each scope."""

    service: Service
    data_dir: Path
    keys: dict[str, str]

    def client(self, key: str, header: str = "X-API-Key") -> httpx.Client:
        return httpx.Client(base_url=self.service.url, timeout=60, headers={header: key})


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    data_dir = tmp_path_factory.mktemp("data")
    with service_process(data_dir, insecure=False, serve_images=True, hide_scores=True) as service:
        keys = {
            "admin": service.key,
            "verify": new_key(data_dir, "verify"),
            "enroll": new_key(data_dir, "enroll"),
            "identify": new_key(data_dir, "identify"),
            "embeddings": new_key(data_dir, "embeddings"),
            "shop": new_key(data_dir, "verify,enroll", "--collection", SHOP),
            "shop admin": new_key(data_dir, "admin", "--collection", SHOP),
        }
        yield Guarded(service, data_dir, keys)


@pytest.fixture(scope="module")
def ada(guarded: Guarded, faces: Faces) -> str:
    """The reference of an identity that is enrolled in the default collection."""
    with guarded.client(guarded.keys["enroll"]) as client:
        enrolled = enrol(client, "ada", faces.read("obama.jpg"))
    reference: str = enrolled["accepted"][0]["reference_id"]
    return reference


def requests(reference: str, probe: bytes) -> dict[str, tuple[str, httpx.Request]]:
    """One of each guarded route that changes nothing, and the scope that it takes."""
    form = {"image": probe}
    two = {"image_a": probe, "image_b": probe}
    ada = {"identity": "ada"}
    image = f"http://x/v1/identities/ada/references/{reference}/image"
    make = httpx.Request
    return {
        "verify": ("verify", make("POST", "http://x/v1/verify", files=form, data=ada)),
        "short": ("verify", make("POST", "http://x/verify", files=form, data=ada)),
        "compare": ("verify", make("POST", "http://x/v1/compare", files=two)),
        "detect": ("verify", make("POST", "http://x/v1/detect", files=form)),
        "model": ("verify", make("GET", "http://x/v1/model")),
        "identify": ("identify", make("POST", "http://x/v1/identify", files=form)),
        "embeddings": ("embeddings", make("POST", "http://x/v1/embeddings", files=form)),
        "verify many": ("verify", lines("verify", {"identity": "ada", "image": base64_of(probe)})),
        "enroll many": ("enroll", lines("enroll", {"identity": "eve", "images": []})),
        "list": ("enroll", make("GET", "http://x/v1/identities")),
        "look": ("enroll", make("GET", "http://x/v1/identities/ada")),
        "image": ("admin", make("GET", image)),
        "unlock": ("admin", make("POST", "http://x/v1/identities/ada/unlock")),
    }


def lines(what: str, *items: dict[str, object]) -> httpx.Request:
    body = "".join(json.dumps(item) + "\n" for item in items)
    headers = {"Content-Type": "application/x-ndjson"}
    return httpx.Request("POST", f"http://x/v1/{what}/batch", content=body, headers=headers)


def sent(client: httpx.Client, request: httpx.Request) -> httpx.Response:
    headers = {"content-type": request.headers.get("content-type", "")}
    return client.request(
        request.method, request.url.raw_path.decode(), content=request.read(), headers=headers
    )


def verified(client: httpx.Client, probe: bytes) -> httpx.Response:
    return client.post("/v1/verify", data={"identity": "ada"}, files={"image": probe})


# Keys


def test_without_a_key_only_health_and_the_page_answer(
    guarded: Guarded, ada: str, faces: Faces
) -> None:
    with httpx.Client(base_url=guarded.service.url) as client:
        for path in ("/", "/healthz", "/readyz", "/docs", "/openapi.json", "/static/style.css"):
            assert client.get(path).status_code == 200, path
        for _, request in requests(ada, faces.read("obama.jpg")).values():
            response = sent(client, request)
            problem(response, 401, "missing_key")
            assert response.headers["www-authenticate"] == "Bearer"
        problem(client.delete("/v1/identities/ada"), 401, "missing_key")
        # Keys in addresses end up in logs.
        problem(client.get(f"/v1/model?key={guarded.keys['admin']}"), 401, "missing_key")
        problem(client.get(f"/v1/model?api_key={guarded.keys['admin']}"), 401, "missing_key")


@pytest.mark.parametrize("scope", ["verify", "enroll", "identify", "embeddings", "admin"])
def test_each_scope_opens_its_routes_and_no_other(
    guarded: Guarded, ada: str, faces: Faces, scope: str
) -> None:
    with guarded.client(guarded.keys[scope]) as client:
        for name, (wanted, request) in requests(ada, faces.read("obama.jpg")).items():
            response = sent(client, request)
            if scope in (wanted, "admin"):
                assert response.status_code in (200, 204), (name, response.text)
            else:
                problem(response, 403, "missing_scope")


def test_a_verify_key_can_neither_enrol_nor_delete(
    guarded: Guarded, ada: str, faces: Faces
) -> None:
    with guarded.client(guarded.keys["verify"]) as client:
        files = {"images": faces.read("biden.jpg")}
        problem(
            client.post("/v1/enroll", data={"identity": "x"}, files=files), 403, "missing_scope"
        )
        problem(client.delete("/v1/identities/ada"), 403, "missing_scope")
        problem(client.delete(f"/v1/identities/ada/references/{ada}"), 403, "missing_scope")


def test_both_headers_are_read_and_nothing_but_the_key_itself_opens(guarded: Guarded) -> None:
    key = guarded.keys["verify"]
    for header, text in (
        ("Authorization", f"Bearer {key}"),
        ("Authorization", f"bearer  {key}"),
        ("X-API-Key", key),
    ):
        with guarded.client(text, header) as client:
            answer(client.get("/v1/model"))
    last = "A" if key[-2] != "A" else "B"
    for header, text in (
        ("X-API-Key", key[:-2] + last + key[-1]),
        ("X-API-Key", key.upper()),
        ("X-API-Key", key + "x"),
        ("X-API-Key", key.replace("smb_", "")),
        ("X-API-Key", "smb_" + "0" * 16 + "_" + "A" * 43),
        ("X-API-Key", "smb_{}/..%00"),
        ("X-API-Key", "x" * 5000),
        ("Authorization", f"Bearer {key}{key}"),
    ):
        with guarded.client(text, header) as client:
            problem(client.get("/v1/model"), 401, "wrong_key")
    for header, text in (
        ("Authorization", f"Basic {key}"),
        ("Authorization", "Bearer"),
        ("X-API-Key", ""),
    ):
        with guarded.client(text, header) as client:
            problem(client.get("/v1/model"), 401, "missing_key")


def test_a_key_is_stored_as_its_hash_alone(guarded: Guarded) -> None:
    stored = b"".join(
        path.read_bytes() for path in guarded.data_dir.glob("*.sqlite3*") if path.is_file()
    )
    for key in guarded.keys.values():
        form = re.fullmatch(r"smb_([0-9a-f]{16})_([\w-]{43})", key)
        assert form
        assert form[1].encode() in stored
        assert form[2].encode() not in stored
    listed = service_command(guarded.data_dir, "keys", "list").stdout
    assert len(listed.splitlines()) == 1 + len(guarded.keys)
    assert not any(key.split("_", 2)[2] in listed for key in guarded.keys.values())


def test_a_revoked_key_opens_nothing_within_a_second(guarded: Guarded) -> None:
    key = new_key(guarded.data_dir, "verify", "--name", "lost")
    key_id = key.split("_")[1]
    with guarded.client(key) as client:
        answer(client.get("/v1/model"))
        service_command(guarded.data_dir, "keys", "revoke", key_id)
        time.sleep(1.1)
        problem(client.get("/v1/model"), 401, "wrong_key")
    done = service_command(guarded.data_dir, "keys", "revoke", key_id, status=2)
    assert "not revoked already" in done.stderr


def test_an_expired_key_opens_nothing(guarded: Guarded) -> None:
    key = new_key(guarded.data_dir, "verify", "--expires", "1h")
    with guarded.client(key) as client:
        answer(client.get("/v1/model"))
    # An hour is long: the end is moved, as only somebody with the database can.
    with closing(sqlite3.connect(guarded.data_dir / "semblance.sqlite3")) as database:
        database.execute(
            "UPDATE api_keys SET expires_at = '2020-01-01 00:00:00.000000' WHERE key_id = ?",
            (key.split("_")[1],),
        )
        database.commit()
    time.sleep(1.1)
    with guarded.client(key) as client:
        assert "expired" in problem(client.get("/v1/model"), 401, "wrong_key")["detail"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scope", "root"], "scopes are of verify, enroll, identify, embeddings, metrics, admin"),
        (["--scope", ""], "scopes are of"),
        (["--scope", "verify", "--collection", "../x"], "a collection's name"),
        (["--scope", "verify", "--expires", "soon"], "such as 12h, 90d or 8w"),
        (["--scope", "verify", "--expires", "0d"], "such as 12h"),
    ],
)
def test_a_key_that_cannot_be_made(tmp_path: Path, arguments: list[str], said: str) -> None:
    assert said in service_command(tmp_path, "keys", "create", *arguments, status=2).stderr


# The first start


def test_the_first_start_makes_a_key_that_its_owner_alone_can_read(guarded: Guarded) -> None:
    path = guarded.data_dir / "admin.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().strip() == guarded.service.key
    said = "\n".join(guarded.service.output)
    assert f"/#key={guarded.service.key}" in said
    assert said.count(guarded.service.key) == 1


def test_elsewhere_it_starts_with_a_key_or_when_told_to_do_without(tmp_path: Path) -> None:
    done = service_command(tmp_path, status=1, host="0.0.0.0", port=0)
    assert "not this machine's own address" in done.stderr
    assert not (tmp_path / "admin.key").exists()
    new_key(tmp_path, "admin")
    with service_process(tmp_path, insecure=False, host="0.0.0.0") as service:
        assert service.key == ""


# Collections


def test_a_collection_neither_shows_nor_touches_another(
    guarded: Guarded, ada: str, faces: Faces
) -> None:
    probe = faces.read("obama3.jpg")
    with guarded.client(guarded.keys["shop"]) as shop:
        assert answer(shop.get("/v1/identities"))["identities"] == []
        problem(shop.get("/v1/identities/ada"), 404, "unknown_identity")
        problem(shop.delete("/v1/identities/ada"), 404, "unknown_identity")
        problem(shop.delete(f"/v1/identities/ada/references/{ada}"), 404, "unknown_identity")
        problem(verified(shop, probe), 404, "unknown_identity")
        for name in ("default/ada", "../default/ada", "default%2Fada"):
            assert shop.get(f"/v1/identities/{name}").status_code == 404
        # The same name is another person here; and no conflict names who is elsewhere.
        enrolled = enrol(shop, "ada", faces.read("biden.jpg"))
        enrolled_too = enrol(shop, "barack", faces.read("obama2.jpg"))
        assert enrolled_too["conflicts"] == []
        mine = enrolled["accepted"][0]["reference_id"]
        assert not answer(verified(shop, probe))["verified"]
        shop.delete("/v1/identities/barack")
    with guarded.client(guarded.keys["shop admin"]) as boss:
        problem(boss.get(f"/v1/identities/ada/references/{ada}/image"), 404, "unknown_reference")
        assert boss.get(f"/v1/identities/ada/references/{mine}/image").status_code == 200
    with guarded.client(guarded.keys["admin"]) as default:
        assert answer(verified(default, probe))["verified"]
        listed = answer(default.get("/v1/identities"))["identities"]
        assert [one["identity"] for one in listed] == ["ada"]


# Scores


def test_scores_are_kept_from_keys_that_only_verify(
    guarded: Guarded, ada: str, faces: Faces
) -> None:
    files = {"image": faces.read("obama3.jpg")}
    for scope, shown in (("verify", False), ("admin", True)):
        with guarded.client(guarded.keys[scope]) as client:
            for fusion in ("share", "max"):
                fields = {"identity": "ada", "fusion": fusion}
                found = answer(client.post("/v1/verify", data=fields, files=files))
                assert found["verified"]
                assert bool(found["scores"]) is shown
                assert (found["fused_score"] is not None) is (shown and fusion == "max")
            two = {"image_a": files["image"], "image_b": files["image"]}
            compared = answer(client.post("/v1/compare", files=two))
            assert (compared["score"] is not None) is shown


# Rates


def test_a_rate_and_what_is_left_of_it(guarded: Guarded) -> None:
    key = new_key(guarded.data_dir, "verify", "--rate", "3")
    with guarded.client(key) as client:
        left = []
        for _ in range(3):
            response = client.get("/v1/model")
            answer(response)
            left.append(int(response.headers["ratelimit-remaining"]))
            assert response.headers["ratelimit-limit"] == "3"
        assert left == [2, 1, 0]
        response = client.get("/v1/model")
        problem(response, 429, "rate_limited")
        assert 1 <= int(response.headers["retry-after"]) <= 20
        assert response.headers["ratelimit-remaining"] == "0"
    with guarded.client(guarded.keys["verify"]) as client:
        assert "ratelimit-limit" not in client.get("/v1/model").headers


def test_a_quota_outlives_a_restart(tmp_path: Path) -> None:
    key = ""
    for expected in ([200, 200], [200, 429]):
        with service_process(tmp_path, insecure=False) as service:
            key = key or new_key(tmp_path, "verify", "--quota", "3")
            with httpx.Client(base_url=service.url, headers={"X-API-Key": key}) as client:
                found = [client.get("/v1/model") for _ in expected]
        assert [response.status_code for response in found] == expected
    assert int(found[-1].headers["retry-after"]) <= 24 * 3600
