"""Over HTTP: small pictures of faces, other names, two identities made one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image as PillowImage

from tests.faces import Faces
from tests.integration.api_client import answer, enrol, problem
from tests.integration.commands import audit_rows, new_key, service_command
from tests.running import Service, running_service, service_process


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def guarded(data_dir: Path) -> Iterator[Service]:
    settings = {"insecure": False, "throttle_after": 2, "lock_after": 3, "max_references": 4}
    with service_process(data_dir, **settings) as service:
        yield service


@pytest.fixture(scope="module")
def client(guarded: Service, data_dir: Path) -> Iterator[httpx.Client]:
    """May enrol and verify, no more: that is enough for all of this."""
    key = new_key(data_dir, "enroll,verify")
    with httpx.Client(base_url=guarded.url, headers={"X-API-Key": key}, timeout=60) as client:
        yield client


@pytest.fixture(autouse=True)
def empty(client: httpx.Client) -> None:
    for item in answer(client.get("/v1/identities"))["identities"]:
        answer(client.delete(f"/v1/identities/{item['identity']}"))


def rename(client: httpx.Client, name: str, to: object) -> httpx.Response:
    return client.post(f"/v1/identities/{name}/rename", json={"to": to})


def merge(client: httpx.Client, name: str, into: object) -> httpx.Response:
    return client.post(f"/v1/identities/{name}/merge", json={"into": into})


def verify(client: httpx.Client, name: str, picture: bytes) -> httpx.Response:
    return client.post("/v1/verify", data={"identity": name}, files={"image": picture})


def items(client: httpx.Client, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer(client.get(f"/v1/identities/{name}"))["items"]
    return found


def small(client: httpx.Client, name: str, size: object = 96) -> httpx.Response:
    reference = items(client, name)[0]["reference_id"]
    return client.get(
        f"/v1/identities/{name}/references/{reference}/image", params={"size": str(size)}
    )


def opened(response: httpx.Response) -> PillowImage.Image:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/jpeg"
    assert response.headers["cache-control"] == "private, no-store"
    return PillowImage.open(io.BytesIO(response.content))


def faces_in(client: httpx.Client, picture: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer(client.post("/v1/detect", files={"image": picture}))[
        "faces"
    ]
    return found


def test_a_renamed_identity_verifies_under_its_new_name_alone(
    client: httpx.Client, faces: Faces
) -> None:
    enrol(client, "ada", faces.read("obama.jpg"), faces.read("obama2.jpg"))
    probe = faces.read("obama3.jpg")
    before = answer(client.get("/v1/identities/ada"))
    # So that its gallery is in memory.
    assert answer(verify(client, "ada", probe))["verified"]
    renamed = answer(rename(client, "ada", "Gráce"))
    now = answer(client.get("/v1/identities/Gráce"))
    assert renamed == now
    used = before.pop("last_used_at"), now.pop("last_used_at")
    assert used[0] is None
    assert used[1] is not None
    assert now == before | {"identity": "Gráce"}
    assert answer(verify(client, "Gráce", probe))["verified"]
    problem(verify(client, "ada", probe), 404, "unknown_identity")
    problem(client.get("/v1/identities/ada"), 404, "unknown_identity")


def test_names_that_will_not_do(client: httpx.Client, faces: Faces) -> None:
    enrol(client, "ada", faces.read("obama.jpg"))
    enrol(client, "bob", faces.read("biden.jpg"))
    problem(rename(client, "ada", "bob"), 409, "identity_exists")
    problem(rename(client, "nobody", "somebody"), 404, "unknown_identity")
    problem(merge(client, "nobody", "ada"), 404, "unknown_identity")
    problem(merge(client, "ada", "nobody"), 404, "unknown_identity")
    for ask in (rename, merge):
        for wrong in ("ada", "", "../x", "a/b", "x" * 129, 7, None, ["bob"]):
            problem(ask(client, "ada", wrong), 422, "invalid_request")
        problem(ask(client, "%2e%2e", "bob"), 404, "unknown_identity")
        path = f"/v1/identities/ada/{ask.__name__}"
        problem(client.post(path, json={"too": "x"}), 422, "invalid_request")
        problem(client.post(path, json=[]), 422, "invalid_request")
        problem(client.post(path, content=b"to=x"), 415, "unsupported_media_type")
        headers = {"content-type": "application/json"}
        problem(client.post(path, content=b"{", headers=headers), 400, "invalid_request")
    names = [one["identity"] for one in answer(client.get("/v1/identities"))["identities"]]
    assert names == ["ada", "bob"]


def test_merged_identities_are_one_with_all_pictures(client: httpx.Client, faces: Faces) -> None:
    both = faces.read("obama.jpg")
    enrol(client, "ada", both, faces.read("obama2.jpg"))
    enrol(client, "grace", both, faces.read("obama3.jpg"))
    assert answer(verify(client, "grace", both))["references"] == 2
    merged = answer(merge(client, "ada", "grace"))
    assert merged["identity"] == "grace"
    assert merged["references"] == len(merged["items"]) == 3
    problem(client.get("/v1/identities/ada"), 404, "unknown_identity")
    # The gallery in memory is the new one.
    assert answer(verify(client, "grace", both))["references"] == 3
    enrol(client, "eve", faces.read("biden.jpg"), faces.read("astronaut.png"))
    problem(merge(client, "eve", "grace"), 409, "too_many_references")
    assert len(items(client, "eve")) == 2


def test_who_is_locked_stays_locked_under_any_name(client: httpx.Client, faces: Faces) -> None:
    enrol(client, "ada", faces.read("obama.jpg"))
    for _ in range(2):
        assert not answer(verify(client, "ada", faces.read("biden.jpg")))["verified"]
    problem(verify(client, "ada", faces.read("obama.jpg")), 429, "too_many_failures")
    assert answer(rename(client, "ada", "grace"))["failures"] == 2
    problem(verify(client, "grace", faces.read("obama.jpg")), 429, "too_many_failures")
    enrol(client, "eve", faces.read("obama2.jpg"))
    assert answer(merge(client, "grace", "eve"))["failures"] == 2
    problem(verify(client, "eve", faces.read("obama.jpg")), 429, "too_many_failures")


def test_small_pictures_show_the_face(client: httpx.Client, faces: Faces) -> None:
    enrol(client, "ada", faces.read("obama3.jpg"))
    for size in (32, 96, 512):
        response = small(client, "ada", size)
        with opened(response) as picture:
            assert max(picture.size) <= size
            assert min(picture.size) > size / 2
            assert picture.mode == "RGB"
    (face,) = faces_in(client, small(client, "ada", 200).content)
    assert face["box_normalized"]["width"] > 0.25
    for wrong_size in (0, 31, 513, -1, "large", ""):
        problem(small(client, "ada", wrong_size), 422, "invalid_request")
    wrong = client.get("/v1/identities/ada/references/" + "0" * 32 + "/image?size=96")
    problem(wrong, 404, "unknown_reference")
    problem(
        client.get("/v1/identities/bob/references/" + "0" * 32 + "/image?size=96"),
        404,
        "unknown_identity",
    )


def test_the_whole_picture_is_still_for_administrators_where_it_is_allowed(
    guarded: Service, data_dir: Path, client: httpx.Client, faces: Faces
) -> None:
    enrol(client, "ada", faces.read("obama.jpg"))
    path = f"/v1/identities/ada/references/{items(client, 'ada')[0]['reference_id']}/image"
    problem(client.get(path), 403, "missing_scope")
    with httpx.Client(base_url=guarded.url, headers={"X-API-Key": guarded.key}) as admin:
        problem(admin.get(path), 403, "images_not_served")
    key = new_key(data_dir, "verify")
    with httpx.Client(base_url=guarded.url, headers={"X-API-Key": key}) as only:
        for response in (
            only.get(path, params={"size": 96}),
            rename(only, "ada", "eve"),
            merge(only, "ada", "eve"),
        ):
            problem(response, 403, "missing_scope")
    for response in (
        httpx.get(f"{guarded.url}{path}?size=96"),
        httpx.get(f"{guarded.url}{path}?size=x"),
        httpx.post(f"{guarded.url}/v1/identities/ada/rename", json={"to": "eve"}),
    ):
        problem(response, 401, "missing_key")


@pytest.mark.long
def test_originals_and_nothing(tmp_path: Path, faces: Faces) -> None:
    """Of a large picture the part around the face, upright; of none, a clear answer."""
    with PillowImage.open(io.BytesIO(faces.read("obama3.jpg"))) as picture:
        turned = picture.rotate(90, expand=True)
        exif = PillowImage.Exif()
        exif[0x0112] = 6  # is to be turned right to be upright
        file = io.BytesIO()
        turned.save(file, "JPEG", exif=exif, quality=95)
    with (
        running_service(tmp_path / "a", keep="original") as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        box = enrol(client, "ada", file.getvalue())["accepted"][0]["face"]["box_normalized"]
        enrol(client, "eve", faces.read("astronaut.png"))
        (face,) = faces_in(client, small(client, "ada", 256).content)
        assert face["box_normalized"]["width"] > max(0.3, box["width"])
        assert abs(face["quality"]["roll_degrees"]) < 20
        with opened(small(client, "eve", 256)) as found:
            assert np.asarray(found).std() > 20
    with running_service(tmp_path / "b", keep="none") as url, httpx.Client(base_url=url) as client:
        enrol(client, "ada", faces.read("obama.jpg"))
        problem(small(client, "ada"), 404, "image_not_kept")
        # Without a picture there is nothing to embed again, but a name can be another.
        assert answer(rename(client, "ada", "eve"))["references"] == 1
        assert answer(verify(client, "eve", faces.read("obama2.jpg")))["verified"]


def test_it_is_on_record_under_both_names(
    client: httpx.Client, data_dir: Path, faces: Faces
) -> None:
    enrol(client, "ada", faces.read("obama.jpg"))
    enrol(client, "bob", faces.read("biden.jpg"))
    answer(rename(client, "ada", "carl"))
    answer(merge(client, "carl", "bob"))
    small(client, "bob")
    problem(merge(client, "carl", "bob"), 404, "unknown_identity")

    def recorded(name: str) -> list[tuple[str, str, dict[str, object]]]:
        rows = audit_rows(data_dir, "--identity", name)[:-1]
        return [(row["action"], row["outcome"], row["details"]) for row in rows]

    assert recorded("bob")[-4:] == [
        ("merge", "ok", {"name": "new"}),
        ("read_identity", "ok", {}),
        ("image", "ok", {"size_px": 96}),
        ("merge", "unknown_identity", {"name": "new"}),
    ]
    assert recorded("carl")[-3:] == [
        ("rename", "ok", {"name": "new"}),
        ("merge", "ok", {"name": "old", "references": 1}),
        ("merge", "unknown_identity", {"name": "old"}),
    ]
    assert recorded("ada")[-1] == ("rename", "ok", {"name": "old"})
    service_command(data_dir, "audit", "verify")
