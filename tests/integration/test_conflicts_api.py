"""Conflicts over HTTP: pictures of one person sent under the name of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faces import Faces
from tests.integration.api_client import STYLES, Style, answer, enrol, post, problem
from tests.pictures import encoded, rgb, without_face
from tests.running import running_service

OBAMA = ("obama.jpg", "obama2.jpg", "obama3.jpg")


@pytest.fixture(autouse=True)
def nobody(request: pytest.FixtureRequest) -> None:
    """Each test begins with nobody enrolled."""
    if "client" not in request.fixturenames:
        return
    client = request.getfixturevalue("client")
    for item in answer(client.get("/v1/identities"))["identities"]:
        answer(client.delete(f"/v1/identities/{item['identity']}"))


def send(client: httpx.Client, identity: str, *images: bytes, **fields: object) -> httpx.Response:
    pictures = {"images": images}
    return post(client, "/v1/enroll", "multipart", pictures, identity=identity, **fields)


def items(client: httpx.Client, identity: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer(client.get(f"/v1/identities/{identity}"))["items"]
    return found


def identities(client: httpx.Client) -> list[str]:
    return [item["identity"] for item in answer(client.get("/v1/identities"))["identities"]]


def test_pictures_of_one_person_are_no_conflict(client: httpx.Client, faces: Faces) -> None:
    content = enrol(client, "him", *(faces.read(name) for name in OBAMA))
    assert (content["conflicts"], content["others_searched"]) == ([], True)
    assert enrol(client, "her", faces.read("astronaut.png"))["conflicts"] == []
    for item in items(client, "him"):
        assert not item["outlier"]
        agreement = item["agreement"]
        assert 0.9 < agreement["lowest"] <= agreement["median"] <= agreement["best"] <= 1
    (alone,) = items(client, "her")
    assert (alone["agreement"], alone["outlier"]) == (None, False)


@pytest.mark.parametrize("style", STYLES)
def test_a_picture_of_somebody_else_is_reported_and_found_again(
    client: httpx.Client, faces: Faces, style: Style
) -> None:
    images = [faces.read(name) for name in (OBAMA[0], "biden.jpg", OBAMA[1])]
    response = post(client, "/v1/enroll", style, {"images": images}, identity="him")
    content = answer(response, 201)
    (conflict,) = content["conflicts"]
    bad = content["accepted"][1]
    assert (conflict["index"], conflict["reference_id"]) == (1, bad["reference_id"])
    assert conflict["filename"] == bad["filename"]
    assert conflict["code"] == "identity_conflict"
    assert conflict["kind"] == "unlike_own_references"
    assert conflict["own_median"] <= conflict["own_best"] < 0.62
    assert (conflict["other_score"], conflict["other_identity"]) == (None, None)
    assert content["references"] == 3

    # The scores are those that a comparison of the two gives.
    pair = {"image_a": images[1], "image_b": images[0]}
    score = answer(post(client, "/v1/compare", style, pair))["score"]
    outliers = [item for item in items(client, "him") if item["outlier"]]
    assert [item["reference_id"] for item in outliers] == [bad["reference_id"]]
    assert outliers[0]["agreement"]["best"] == pytest.approx(conflict["own_best"], abs=1e-4)
    extremes = (conflict["own_best"], 2 * conflict["own_median"] - conflict["own_best"])
    assert min(abs(score - one) for one in extremes) < 1e-3

    client.delete(f"/v1/identities/him/references/{bad['reference_id']}")
    assert [item["outlier"] for item in items(client, "him")] == [False, False]


def test_one_person_under_two_names_is_reported(client: httpx.Client, faces: Faces) -> None:
    enrol(client, "barack", *(faces.read(name) for name in OBAMA[:2]))
    (conflict,) = enrol(client, "somebody", faces.read(OBAMA[2]))["conflicts"]
    assert (conflict["kind"], conflict["other_identity"]) == ("like_another_identity", "barack")
    assert conflict["own_best"] is None
    assert conflict["other_score"] > 0.98


def test_pictures_that_go_to_the_wrong_person(client: httpx.Client, faces: Faces) -> None:
    """Two that agree with each other do not outvote the one that is stored."""
    enrol(client, "joe", faces.read("biden.jpg"))
    wrong = [faces.read(name) for name in OBAMA[:2]]
    kinds = [item["kind"] for item in enrol(client, "joe", *wrong)["conflicts"]]
    assert kinds == ["unlike_own_references"] * 2


def test_strict_refuses_those_in_conflict_alone(client: httpx.Client, faces: Faces) -> None:
    images = [faces.read(OBAMA[0]), without_face_picture(), faces.read("biden.jpg")]
    content = answer(send(client, "him", *images, faces.read(OBAMA[1]), conflicts="strict"), 201)
    assert [item["index"] for item in content["accepted"]] == [0, 3]
    assert [item["code"] for item in content["rejected"]] == ["no_face", "identity_conflict"]
    assert content["rejected"][1]["face"] is not None
    assert "does not match" in content["rejected"][1]["detail"]
    (conflict,) = content["conflicts"]
    assert (conflict["index"], conflict["reference_id"]) == (2, None)
    assert content["references"] == len(items(client, "him")) == 2


def test_strict_with_nothing_left_is_409(client: httpx.Client, faces: Faces) -> None:
    enrol(client, "him", *(faces.read(name) for name in OBAMA[:2]))
    content = problem(
        send(client, "him", faces.read("biden.jpg"), conflicts="strict"), 409, "identity_conflict"
    )
    assert [item["code"] for item in content["rejected"]] == ["identity_conflict"]
    (conflict,) = content["conflicts"]
    assert conflict["own_best"] < 0.62
    response = send(client, "twin", faces.read(OBAMA[2]), conflicts="strict")
    content = problem(response, 409, "identity_conflict")
    assert "'him'" in content["detail"]
    assert content["conflicts"][0]["other_identity"] == "him"
    # With other reasons among them it is what it was.
    mixed = [faces.read(OBAMA[2]), without_face_picture()]
    content = problem(send(client, "twin", *mixed, conflicts="strict"), 422, "none_accepted")
    assert [item["code"] for item in content["rejected"]] == ["identity_conflict", "no_face"]
    assert [item["index"] for item in content["conflicts"]] == [0]
    assert identities(client) == ["him"]
    assert len(items(client, "him")) == 2


def test_what_is_stored_already_is_not_refused_again(client: httpx.Client, faces: Faces) -> None:
    images = [faces.read(name) for name in ("biden.jpg", OBAMA[0])]
    assert len(enrol(client, "mixed", *images)["conflicts"]) == 2  # nothing tells which is right
    content = answer(send(client, "mixed", *images, conflicts="strict"), 201)
    assert [item["duplicate"] for item in content["accepted"]] == [True, True]
    assert content["conflicts"] == []
    assert [item["outlier"] for item in items(client, "mixed")] == [True, True]


@pytest.mark.parametrize("mode", ["off", "loose", "", "true"])
def test_a_request_may_not_ask_for_less(client: httpx.Client, faces: Faces, mode: str) -> None:
    response = send(client, "him", faces.read(OBAMA[0]), conflicts=mode)
    assert "conflicts" in problem(response, 422, "invalid_request")["detail"]
    assert identities(client) == []


def test_the_operator_may_be_strict_and_keep_names_back(tmp_path: Path, faces: Faces) -> None:
    settings = {"conflicts": "strict", "conflict_names": False}
    with running_service(tmp_path, **settings) as url, httpx.Client(base_url=url) as client:
        enrol(client, "hidden name", faces.read(OBAMA[0]))
        response = send(client, "other", faces.read(OBAMA[1]))
        (conflict,) = problem(response, 409, "identity_conflict")["conflicts"]
        assert conflict["kind"] == "like_another_identity"
        assert conflict["other_identity"] is None
        assert "hidden" not in response.text
        problem(send(client, "x", faces.read(OBAMA[1]), conflicts="report"), 422, "invalid_request")


def test_off_and_beyond_the_bound_nobody_else_is_looked_at(tmp_path: Path, faces: Faces) -> None:
    settings = {"conflicts": "off", "conflict_search": 0}
    with running_service(tmp_path, **settings) as url, httpx.Client(base_url=url) as client:
        enrol(client, "him", faces.read(OBAMA[0]))
        content = enrol(client, "twin", faces.read(OBAMA[1]), faces.read("biden.jpg"))
        assert (content["conflicts"], content["others_searched"]) == ([], False)
        content = enrol(client, "twin", faces.read(OBAMA[2]), conflicts="report")
        assert (content["conflicts"], content["others_searched"]) == ([], False)
        content = enrol(client, "him", faces.read("astronaut.png"), conflicts="report")
        assert [item["kind"] for item in content["conflicts"]] == ["unlike_own_references"]
        assert content["others_searched"] is False


@pytest.mark.long
def test_after_a_change_of_model(tmp_path: Path, faces: Faces, other_model: Path) -> None:
    """Agreement is made again from what is kept, and is null where nothing is."""
    for keep, expected in (("crop", [False, True, False]), ("none", [False] * 3)):
        data, images = tmp_path / keep, [faces.read(n) for n in (OBAMA[0], "biden.jpg", OBAMA[1])]
        with running_service(data, keep=keep) as url, httpx.Client(base_url=url) as client:
            enrol(client, "him", *images)
        settings = {"keep": keep, "artifact": other_model}
        with running_service(data, **settings) as url, httpx.Client(base_url=url) as client:
            found = items(client, "him")
            assert [item["outlier"] for item in found] == expected
            assert [item["agreement"] is None for item in found] == [keep == "none"] * 3
            # What cannot be compared is no reason to refuse.
            content = enrol(client, "him", faces.read(OBAMA[2]), conflicts="strict")
            assert content["conflicts"] == []


def without_face_picture() -> bytes:
    return encoded(without_face())


def test_the_same_pixels_in_two_files_are_one_witness(client: httpx.Client, faces: Faces) -> None:
    bad = faces.read("biden.jpg")
    again = encoded(rgb(bad), "PNG")
    images = [bad, again, faces.read(OBAMA[0]), faces.read(OBAMA[1])]
    content = enrol(client, "him", *images)
    assert [item["index"] for item in content["conflicts"]] == [0, 1]
