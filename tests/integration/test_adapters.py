"""The adapters: off unless asked for, in their systems' shapes, by our keys and rules."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faces import Faces
from tests.integration.commands import audit_rows, new_key
from tests.pictures import encoded, rgb, side_by_side, without_face
from tests.running import Service, running_service, service_process

RECOGNITION = "/api/v1/recognition"


@dataclass(frozen=True)
class Adapted:
    service: Service
    data_dir: Path

    def client(self, key: str) -> httpx.Client:
        headers = {"x-api-key": key}
        return httpx.Client(base_url=self.service.url, timeout=60, headers=headers)


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adapted]:
    data_dir = tmp_path_factory.mktemp("data")
    chosen: dict[str, Any] = {"compreface": True, "deepface": True, "hide_scores": True}
    with service_process(
        data_dir,
        insecure=False,
        throttle_after=2,
        lock_after=9,
        cors_origins="https://shop.example",
        **chosen,
    ) as service:
        yield Adapted(service, data_dir)


@pytest.fixture(scope="module")
def admin(adapted: Adapted) -> Iterator[httpx.Client]:
    with adapted.client(adapted.service.key) as client:
        yield client


@pytest.fixture(scope="module")
def ada(admin: httpx.Client, faces: Faces) -> str:
    """The id of a face of a subject."""
    return add(admin, "ada", faces.read("obama.jpg"))


def add(client: httpx.Client, subject: str, picture: bytes) -> str:
    params = {"subject": subject}
    answer = client.post(f"{RECOGNITION}/faces", params=params, files={"file": picture})
    assert answer.status_code == 201, answer.text
    image_id: str = answer.json()["image_id"]
    return image_id


def data_url(picture: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()


def test_they_are_off_unless_asked_for(tmp_path: Path, faces: Faces) -> None:
    with running_service(tmp_path) as url, httpx.Client(base_url=url) as client:
        assert client.get(f"{RECOGNITION}/subjects").status_code == 404
        assert client.post("/deepface/verify").status_code == 404


def test_our_own_routes_stay_as_they_are(admin: httpx.Client, ada: str, faces: Faces) -> None:
    fields, files = {"identity": "ada"}, {"image": faces.read("obama2.jpg")}
    assert admin.post("/verify", data=fields, files=files).json()["verified"] is True
    assert admin.get("/openapi.json").json()["paths"].keys().isdisjoint({"/deepface/verify"})


# CompreFace


def test_a_face_is_one_of_our_references(admin: httpx.Client, ada: str) -> None:
    (reference,) = admin.get("/v1/identities/ada").json()["items"]
    assert reference["reference_id"] == ada.replace("-", "")


def test_json_bodies_and_pages(admin: httpx.Client, ada: str, faces: Faces) -> None:
    body = {"file": base64.b64encode(faces.read("obama2.jpg")).decode()}
    added = admin.post(f"{RECOGNITION}/faces?subject=ada", json=body)
    assert added.status_code == 201
    other = add(admin, "bo", faces.read("biden.jpg"))
    listed = admin.get(f"{RECOGNITION}/faces", params={"page": 0, "size": 2})
    # Names and scores are nobody's to keep on the way.
    assert listed.headers["cache-control"] == "no-store"
    first = listed.json()
    second = admin.get(f"{RECOGNITION}/faces", params={"page": 1, "size": 2}).json()
    found = [face["image_id"] for face in (*first["faces"], *second["faces"])]
    assert found == [ada, added.json()["image_id"], other]
    assert (second["total_pages"], second["total_elements"]) == (2, 3)
    of_one = admin.get(f"{RECOGNITION}/faces", params={"subject": "bo"}).json()
    assert [face["image_id"] for face in of_one["faces"]] == [other]
    deleted = admin.post(f"{RECOGNITION}/faces/delete", json=[other, "0" * 32])
    assert deleted.json() == [{"image_id": other, "subject": "bo"}]


def test_a_page_of_another_origin_may_rename(admin: httpx.Client) -> None:
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PUT"}
    answer = admin.options(f"{RECOGNITION}/subjects/ada", headers=asked)
    assert answer.status_code == 200
    assert "PUT" in answer.headers["access-control-allow-methods"]


def test_every_face_of_a_picture_is_recognised(admin: httpx.Client, ada: str, faces: Faces) -> None:
    add(admin, "neil", faces.read("astronaut.png"))
    both = encoded(side_by_side(rgb(faces.read("obama3.jpg")), rgb(faces.read("astronaut.png"))))
    answer = admin.post(f"{RECOGNITION}/recognize", files={"file": both}).json()
    found = {face["subjects"][0]["subject"] for face in answer["result"]}
    assert found == {"ada", "neil"}
    compared = admin.post(
        "/api/v1/verification/verify",
        files={"source_image": faces.read("obama.jpg"), "target_image": both},
    ).json()
    likeness = [face["similarity"] for face in compared["result"][0]["face_matches"]]
    assert len(likeness) == 2
    assert likeness[0] > 0.96 > likeness[1]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code"),
    [
        ("POST", f"{RECOGNITION}/recognize", "nobody", 400, 28),
        ("POST", "/api/v1/detection/detect", "nobody", 400, 28),
        ("POST", "/api/v1/detection/detect", "noise", 400, 21),
        ("POST", f"{RECOGNITION}/faces?subject=x", "two", 400, 31),
        ("POST", f"{RECOGNITION}/faces", "nobody", 400, 26),
        ("POST", f"{RECOGNITION}/faces?subject=%2Fx", "nobody", 400, 26),
        ("POST", f"{RECOGNITION}/recognize?limit=-1", "nobody", 400, 26),
        ("POST", f"{RECOGNITION}/recognize", None, 400, 26),
        ("POST", f"{RECOGNITION}/faces/{'0' * 32}/verify", "nobody", 404, 11),
        ("DELETE", f"{RECOGNITION}/faces/not-an-id", None, 404, 11),
        ("DELETE", f"{RECOGNITION}/subjects/nobody", None, 404, 11),
        ("GET", f"{RECOGNITION}/faces/{'0' * 32}/img", None, 404, 11),
    ],
)
def test_compreface_errors(
    admin: httpx.Client, faces: Faces, *, method: str, path: str, sent: str, status: int, code: int
) -> None:
    pictures = {"nobody": encoded(without_face()), "noise": b"noise"}
    if sent == "two":
        pictures["two"] = encoded(
            side_by_side(rgb(faces.read("obama.jpg")), rgb(faces.read("biden.jpg")))
        )
    more = {"files": {"file": pictures[sent]}} if sent else {}
    if sent is None and method == "POST":
        more = {"files": {"other": b"x"}}
    answer = admin.request(method, path, **more)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    assert answer.json()["code"] == code, answer.text
    assert answer.json()["message"]


def test_a_picture_is_shown_by_our_rules_alone(admin: httpx.Client, ada: str) -> None:
    # SEMBLANCE_SERVE_IMAGES is off.
    answer = admin.get(f"{RECOGNITION}/faces/{ada}/img")
    assert (answer.status_code, answer.json()["code"]) == (405, 32)


def test_scopes_hold(adapted: Adapted, ada: str, faces: Faces) -> None:
    probe = faces.read("obama3.jpg")
    with adapted.client(new_key(adapted.data_dir, "verify")) as client:
        for method, path in (
            ("GET", "/subjects"),
            ("DELETE", "/subjects"),
            ("DELETE", "/subjects/ada"),
            ("GET", "/faces"),
            ("DELETE", f"/faces/{ada}"),
            ("POST", "/recognize"),
            ("POST", "/faces?subject=ada"),
        ):
            answer = client.request(method, f"{RECOGNITION}{path}", files={"file": probe})
            assert (answer.status_code, answer.json()["code"]) == (403, 1), path
        # Embeddings are for who may have them.
        plugin = "/api/v1/detection/detect?face_plugins=calculator"
        assert client.post(plugin, files={"file": probe}).status_code == 403
        image = {"img": data_url(probe)}
        assert client.post("/deepface/represent", json=image).status_code == 403
        # And scores are hidden from this key: there is the verdict alone.
        answer = client.post(f"{RECOGNITION}/faces/{ada}/verify", files={"file": probe})
        assert answer.json()["result"][0]["similarity"] == 1.0
    with httpx.Client(base_url=adapted.service.url) as nobody:
        answer = nobody.get(f"{RECOGNITION}/subjects")
        assert answer.status_code == 400
        assert answer.json() == {
            "message": "Missing header: x-api-key",
            "code": 20,
            "semblance_code": "missing_key",
        }


def test_guessing_is_slowed_down_here_too(
    adapted: Adapted, admin: httpx.Client, faces: Faces
) -> None:
    stranger = {"file": faces.read("biden.jpg")}
    image_id = add(admin, "eve", faces.read("astronaut.png"))
    path = f"{RECOGNITION}/faces/{image_id}/verify"
    for _ in range(2):
        assert admin.post(path, files=stranger).status_code == 200
    refused = admin.post(path, files=stranger)
    assert (refused.status_code, refused.json()["semblance_code"]) == (429, "too_many_failures")
    assert int(refused.headers["retry-after"]) >= 1


def test_another_collection_sees_nothing(adapted: Adapted, ada: str, faces: Faces) -> None:
    key = new_key(adapted.data_dir, "admin", "--collection", "shop")
    with adapted.client(key) as client:
        assert client.get(f"{RECOGNITION}/subjects").json() == {"subjects": []}
        assert client.delete(f"{RECOGNITION}/faces/{ada}").status_code == 404
        probe = {"file": faces.read("obama3.jpg")}
        assert client.post(f"{RECOGNITION}/faces/{ada}/verify", files=probe).status_code == 404
        (face,) = client.post(f"{RECOGNITION}/recognize", files=probe).json()["result"]
        assert face["subjects"] == []


@pytest.mark.long
def test_while_the_model_is_changed_those_of_both_are_recognised(
    tmp_path: Path, other_model: Path, faces: Faces
) -> None:
    with running_service(tmp_path, compreface=True) as url, httpx.Client(base_url=url) as client:
        add(client, "ada", faces.read("obama.jpg"))
    with (
        running_service(tmp_path, compreface=True, next_artifact=other_model) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        # By the model that is to come.
        add(client, "neil", faces.read("astronaut.png"))
        for subject, name in (("ada", "obama3.jpg"), ("neil", "astronaut.png")):
            path = f"{RECOGNITION}/recognize?prediction_count=2"
            probe = {"file": faces.read(name)}
            (face,) = client.post(path, files=probe).json()["result"]
            assert face["subjects"][0]["subject"] == subject
            assert len(face["subjects"]) == 2


# deepface


def test_deepface_compares(admin: httpx.Client, faces: Faces) -> None:
    obama, other = faces.read("obama.jpg"), faces.read("obama3.jpg")
    body: dict[str, Any] = {"img1": data_url(obama), "img2": data_url(other)}
    answer = admin.post("/deepface/verify", json={**body, "model_name": "Facenet"})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["verified"] is True
    assert said["distance"] < said["threshold"] < 0.1
    assert set(said) == {
        *("verified", "distance", "threshold", "confidence", "model", "detector_backend"),
        *("similarity_metric", "facial_areas", "time"),
    }
    assert set(said["facial_areas"]["img1"]) == {"x", "y", "w", "h", "left_eye", "right_eye"}
    files = {"img1": ("a.jpg", obama), "img2": ("b.jpg", faces.read("biden.jpg"))}
    assert admin.post("/deepface/verify", files=files).json()["verified"] is False
    # The names of its older versions.
    older = {"img1_path": data_url(obama), "img2_path": data_url(other)}
    assert admin.post("/deepface/verify", json=older).json()["verified"] is True


def test_deepface_represents_every_face(admin: httpx.Client, faces: Faces) -> None:
    both = side_by_side(rgb(faces.read("obama3.jpg")), rgb(faces.read("astronaut.png")))
    image = data_url(encoded(both))
    results = admin.post("/deepface/represent", json={"img": image}).json()["results"]
    assert len(results) == 2
    size = admin.get("/v1/model").json()["embedding_size"]
    assert {len(face["embedding"]) for face in results} == {size}
    limited = admin.post("/deepface/represent", json={"img_path": image, "max_faces": 1}).json()
    assert limited["results"] == results[:1]


@pytest.mark.parametrize(
    ("path", "change", "said"),
    [
        ("verify", {"img1": "/etc/passwd"}, "not opened"),
        ("verify", {"img1": "https://example.org/a.jpg"}, "not opened"),
        ("verify", {"img1": [0.1, 0.2]}, "embeddings"),
        ("verify", {"img2": None}, "img2"),
        ("verify", {"threshold": 0.4}, "another network"),
        ("verify", {"anti_spoofing": True}, "anti_spoofing"),
        ("analyze", {"actions": ["age"]}, "not judged"),
        ("represent", {"img": "file:///etc/passwd"}, "not opened"),
    ],
)
def test_what_deepface_does_and_we_do_not_is_refused(
    admin: httpx.Client, faces: Faces, path: str, change: dict[str, Any], said: str
) -> None:
    obama = data_url(faces.read("obama.jpg"))
    body = {"img": obama, "img1": obama, "img2": obama, **change}
    answer = admin.post(f"/deepface/{path}", json=body)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["error"]


def test_deepface_errors_without_a_face(admin: httpx.Client, faces: Faces) -> None:
    body = {"img1": data_url(faces.read("obama.jpg")), "img2": data_url(encoded(without_face()))}
    answer = admin.post("/deepface/verify", json=body)
    assert (answer.status_code, answer.json()["semblance_code"]) == (400, "no_face")


# Both


def test_what_they_do_is_in_the_audit_log(
    adapted: Adapted, admin: httpx.Client, ada: str, faces: Faces
) -> None:
    obama = faces.read("obama3.jpg")
    body = {"img1": data_url(obama), "img2": data_url(obama)}
    headers = {"X-Request-Id": "adapter-1"}
    assert admin.post("/deepface/verify", json=body, headers=headers).status_code == 200
    headers = {"X-Request-Id": "adapter-2"}
    path = f"{RECOGNITION}/faces/{ada}/verify"
    assert admin.post(path, files={"file": obama}, headers=headers).status_code == 200
    add(admin, "fay", faces.read("astronaut.png"))
    add(admin, "gus", faces.read("obama2.jpg"))
    headers = {"X-Request-Id": "adapter-3"}
    path = f"{RECOGNITION}/subjects/fay"
    assert admin.put(path, json={"subject": "gus"}, headers=headers).json() == {"updated": True}
    assert admin.get("/v1/identities/gus").json()["references"] == 2
    exported = audit_rows(adapted.data_dir)
    rows = {row["request_id"]: row for row in exported}
    assert (rows["adapter-1"]["action"], rows["adapter-1"]["outcome"]) == ("compare", "verified")
    assert (rows["adapter-2"]["action"], rows["adapter-2"]["outcome"]) == ("verify", "verified")
    assert rows["adapter-2"]["subject"]
    assert rows["adapter-2"]["actor"]
    merged = [
        (row["action"], row["outcome"], row["details"]["name"])
        for row in exported
        if row["request_id"] == "adapter-3"
    ]
    assert sorted(merged) == [
        ("merge", "ok", "new"),
        ("merge", "ok", "old"),
        ("rename", "identity_exists", "new"),
        ("rename", "identity_exists", "old"),
    ]
