"""GET and DELETE below /v1/identities: pages, detail, erasure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.faces import Faces
from tests.integration.api_client import answer, enrol, post, problem

NAMES = ["Zoë", "ada", "ada 2", "ada@example.org", "b", "李小龍", "राजीव"]


@pytest.fixture(scope="module", autouse=True)
def enrolled(client: httpx.Client, faces: Faces) -> None:
    for name in NAMES:
        enrol(client, name, faces.read("astronaut.png"))


def names_of(page: dict[str, list[dict[str, str]]]) -> list[str]:
    return [item["identity"] for item in page["identities"]]


def test_all_on_one_page_in_order_of_name(client: httpx.Client) -> None:
    page = answer(client.get("/v1/identities"))
    assert names_of(page) == sorted(NAMES)
    assert page["next_cursor"] is None
    assert all(item["references"] == 1 for item in page["identities"])


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
def test_pages_join_to_the_whole(client: httpx.Client, limit: int) -> None:
    found: list[str] = []
    cursor: str | None = None
    for _ in range(len(NAMES) + 1):
        query: dict[str, str | int] = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = answer(client.get("/v1/identities", params=query))
        assert 1 <= len(page["identities"]) <= limit
        found += names_of(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == sorted(NAMES)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "many"},
        {"cursor": "!"},
        {"cursor": "_w"},
        {"cursor": "x" * 2000},
    ],
    ids=str,
)
def test_a_bad_query(client: httpx.Client, query: dict[str, str]) -> None:
    problem(client.get("/v1/identities", params=query), 422, "invalid_request")


def test_one_identity(client: httpx.Client, faces: Faces) -> None:
    enrolled = enrol(client, "detail", faces.read("obama.jpg"), faces.read("obama2.jpg"))
    content = answer(client.get("/v1/identities/detail"))
    ids = [item["reference_id"] for item in content["items"]]
    assert ids == [item["reference_id"] for item in enrolled["accepted"]]
    assert content["references"] == 2
    for item, accepted in zip(content["items"], enrolled["accepted"], strict=True):
        assert item["quality"] == accepted["quality"]
        assert item["fingerprint"] == enrolled["model"]["fingerprint"]
        assert item["has_image"] is True
        age = datetime.now(UTC) - datetime.fromisoformat(item["created_at"])
        assert timedelta(0) <= age < timedelta(minutes=5)
    answer(client.delete("/v1/identities/detail"))


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_script_in_an_address(client: httpx.Client, name: str) -> None:
    assert answer(client.get(f"/v1/identities/{name}"))["identity"] == name


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("name", ["nobody", "%2e%2e", "..%20", "x" * 5000, "%00", "%F0%9F%98%80"])
def test_a_name_that_nobody_has(client: httpx.Client, method: str, name: str) -> None:
    problem(client.request(method, f"/v1/identities/{name}"), 404, "unknown_identity")


def test_deleting_an_identity_erases_its_references(client: httpx.Client, faces: Faces) -> None:
    enrol(client, "leaving", faces.read("obama.jpg"), faces.read("obama2.jpg"))
    content = answer(client.delete("/v1/identities/leaving"))
    assert content == {"identity": "leaving", "references": 2}
    problem(client.get("/v1/identities/leaving"), 404, "unknown_identity")
    problem(client.delete("/v1/identities/leaving"), 404, "unknown_identity")
    probe = {"image": faces.read("obama.jpg")}
    response = post(client, "/v1/verify", "json", probe, identity="leaving")
    problem(response, 404, "unknown_identity")
    # The name is free again, and the same image is new again.
    again = enrol(client, "leaving", faces.read("obama.jpg"))
    assert again["accepted"][0]["duplicate"] is False
    answer(client.delete("/v1/identities/leaving"))


def test_deleting_a_reference_leaves_the_others(client: httpx.Client, faces: Faces) -> None:
    enrolled = enrol(client, "partly", faces.read("obama.jpg"), faces.read("obama2.jpg"))
    first, second = (item["reference_id"] for item in enrolled["accepted"])
    response = client.delete(f"/v1/identities/partly/references/{first}")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["x-request-id"]
    problem(client.delete(f"/v1/identities/partly/references/{first}"), 404, "unknown_reference")
    probe = {"image": faces.read("obama3.jpg")}
    verified = answer(post(client, "/v1/verify", "multipart", probe, identity="partly"))
    assert [item["reference_id"] for item in verified["scores"]] == [second]
    # Another identity's name does not open it.
    problem(client.delete(f"/v1/identities/ada/references/{second}"), 404, "unknown_reference")
    assert client.delete(f"/v1/identities/partly/references/{second}").status_code == 204
    problem(client.get("/v1/identities/partly"), 404, "unknown_identity")


@pytest.mark.parametrize("reference", ["0" * 32, "x", "%2e%2e", "0" * 5000, "%00"])
def test_a_reference_that_is_none(client: httpx.Client, reference: str) -> None:
    address = f"/v1/identities/ada/references/{reference}"
    problem(client.delete(address), 404, "unknown_reference")


def test_stored_pictures_are_not_served_unless_allowed(client: httpx.Client) -> None:
    reference = answer(client.get("/v1/identities/ada"))["items"][0]["reference_id"]
    response = client.get(f"/v1/identities/ada/references/{reference}/image")
    content = problem(response, 403, "images_not_served")
    assert "SEMBLANCE_SERVE_IMAGES" in content["detail"]
