"""POST /v1/identify and /v1/embeddings, on one service and on two that share a store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from service.security.master_keys import new_master_key
from tests.faces import Faces
from tests.integration.api_client import STYLES, Style, answer, enrol, post, problem
from tests.integration.commands import audit_rows, new_key
from tests.pictures import encoded, rgb, without_face
from tests.postgres import Server
from tests.running import running_service, service_process

SMALL = {"artifact": "models/sface"}


@pytest.fixture(scope="module")
def people(client: httpx.Client, faces: Faces) -> dict[str, bytes]:
    """Three who are enrolled, and a probe of each."""
    enrol(client, "barack", faces.read("obama.jpg"), faces.read("obama2.jpg"))
    enrol(client, "joe", faces.read("biden.jpg"))
    enrol(client, "eileen", faces.read("astronaut.png"))
    return {
        "barack": faces.read("obama3.jpg"),
        # Another picture of the same: what was enrolled, smaller.
        "joe": encoded(rgb(faces.read("biden.jpg"))[::2, ::2], "JPEG"),
        "eileen": encoded(rgb(faces.read("astronaut.png"))[::2, ::2], "JPEG"),
    }


def identify(client: httpx.Client, probe: bytes, **fields: object) -> dict[str, Any]:
    return answer(post(client, "/v1/identify", "multipart", {"image": probe}, **fields))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", ["barack", "joe", "eileen"])
def test_who_it_is(client: httpx.Client, people: dict[str, bytes], name: str, style: Style) -> None:
    found = answer(post(client, "/v1/identify", style, {"image": people[name]}))
    assert (found["identified"], found["identity"]) == (True, name)
    assert [one["rank"] for one in found["candidates"]] == [1, 2, 3]
    first, *others = found["candidates"]
    assert first["identity"] == name
    assert first["matched"]
    assert first["score"] > found["threshold"]["value"] > others[0]["score"]
    assert not any(one["matched"] for one in others)
    assert found["gallery"] == {"identities": 3, "references": 4, "search": "exact"}
    # 1 % of four references is a rate of 2.5e-3 each: the row of 1e-3.
    model = answer(client.get("/v1/model"))
    row = next(one for one in model["calibration"]["points"] if one["fmr"] == 1e-3)
    assert found["threshold"] == {"value": row["threshold"], "source": "default"}
    assert found["fpir"] == pytest.approx(1 - (1 - 1e-3) ** 4, rel=1e-4)


def test_the_scores_are_the_ones_of_verify(client: httpx.Client, people: dict[str, bytes]) -> None:
    probe = people["barack"]
    found = {one["identity"]: one for one in identify(client, probe)["candidates"]}
    for name in ("barack", "joe"):
        verified = answer(post(client, "/v1/verify", "json", {"image": probe}, identity=name))
        best = max(verified["scores"], key=lambda one: one["score"])
        assert found[name]["score"] == pytest.approx(best["score"], abs=1e-6)
        assert found[name]["reference_id"] == best["reference_id"]


def test_how_many_and_how_strict(client: httpx.Client, people: dict[str, bytes]) -> None:
    probe = people["barack"]
    assert len(identify(client, probe, candidates=2)["candidates"]) == 2
    strict = identify(client, probe, max_fpir=4e-6)
    assert strict["threshold"]["source"] == "fpir"
    assert strict["fpir"] == pytest.approx(4e-6, rel=1e-3)
    own = identify(client, probe, detection_threshold=1)
    assert (own["identified"], own["identity"]) == (False, None)
    assert own["threshold"] == {"value": 1.0, "source": "request"}
    assert own["candidates"][0]["identity"] == "barack"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"max_fpir": 3e-6}, "max_fpir must be at least 4e-06 among 4 references"),
        ({"max_fpir": 0.1, "detection_threshold": 0.5}, "not both"),
        ({"max_fpir": 0}, "max_fpir"),
        ({"max_fpir": 1.5}, "max_fpir"),
        ({"candidates": 0}, "candidates"),
        ({"candidates": 21}, "candidates"),
        ({"candidates": True}, "candidates"),
        ({"candidates": 1.5}, "candidates"),
        ({"faces": "all"}, "faces"),
        ({"identity": "barack"}, "identity"),
    ],
)
def test_what_cannot_be_asked(
    client: httpx.Client, people: dict[str, bytes], fields: dict[str, Any], said: str
) -> None:
    response = post(client, "/v1/identify", "json", {"image": people["joe"]}, **fields)
    assert said in problem(response, 422, "invalid_request")["detail"]


@pytest.mark.parametrize("path", ["/v1/identify", "/v1/embeddings"])
def test_pictures_that_cannot_be_judged(client: httpx.Client, faces: Faces, path: str) -> None:
    def sent(picture: bytes, **fields: object) -> httpx.Response:
        return post(client, path, "multipart", {"image": picture}, **fields)

    problem(sent(encoded(without_face(), "JPEG")), 422, "no_face")
    problem(sent(b"nothing"), 422, "undecodable_image")
    problem(sent(faces.read("obama.jpg")[:2000]), 422, "undecodable_image")
    problem(client.post(path), 415, "unsupported_media_type")
    problem(client.post(path, json={}), 422, "invalid_request")
    problem(client.post(path, json={"image": "%"}), 422, "invalid_request")
    both = encoded(np.concatenate([rgb(faces.read("astronaut.png"))] * 2, axis=1), "JPEG")
    problem(sent(both), 422, "several_faces")
    assert answer(sent(both, faces="largest"))


def test_nobody_is_enrolled(tmp_path: Path, faces: Faces) -> None:
    with (
        running_service(tmp_path, **SMALL) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        found = identify(client, faces.read("obama.jpg"))
    assert (found["identified"], found["candidates"], found["fpir"]) == (False, [], 0.0)
    assert found["gallery"] == {"identities": 0, "references": 0, "search": "exact"}


def test_embeddings_say_what_the_score_says(client: httpx.Client, faces: Faces) -> None:
    def embedded(name: str) -> np.ndarray:
        response = post(client, "/v1/embeddings", "json", {"image": faces.read(name)})
        found = answer(response)
        (one,) = found["embeddings"]
        assert one["dimension"] == len(one["embedding"]) == 256
        assert one["metric"] == "euclidean"
        assert one["model"]["fingerprint"] == answer(client.get("/v1/model"))["fingerprint"]
        return np.array(one["embedding"])

    names = ("obama.jpg", "obama2.jpg", "biden.jpg", "astronaut.png")
    rows = {name: embedded(name) for name in names}
    assert np.linalg.norm(rows["obama.jpg"]) == pytest.approx(1, abs=1e-4)
    compared = []
    for name in names[1:]:
        pictures = {"image_a": faces.read("obama.jpg"), "image_b": faces.read(name)}
        score = answer(post(client, "/v1/compare", "multipart", pictures))["score"]
        compared.append((score, -np.linalg.norm(rows["obama.jpg"] - rows[name])))
    assert sorted(compared) == sorted(compared, key=lambda pair: pair[1])


def test_a_gallery_that_is_too_large_is_said_so(tmp_path: Path, faces: Faces) -> None:
    with (
        running_service(tmp_path, search_bytes=600, **SMALL) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        assert enrol(client, "one", faces.read("obama.jpg"))["others_searched"]
        assert identify(client, faces.read("obama2.jpg"))["identity"] == "one"
        enrol(client, "two", faces.read("biden.jpg"))
        picture = {"image": faces.read("obama2.jpg")}
        said = problem(post(client, "/v1/identify", "json", picture), 507, "gallery_too_large")
        assert "SEMBLANCE_SEARCH_BYTES allows 600" in said["detail"]
        # An enrolment goes on, and says what it has not done.
        assert not enrol(client, "three", faces.read("astronaut.png"))["others_searched"]


def test_on_record_and_with_hidden_scores(tmp_path: Path, faces: Faces) -> None:
    asked = {"insecure": False, "hide_scores": True, **SMALL}
    with service_process(tmp_path, **asked) as service:
        key = new_key(tmp_path, "verify,identify")
        admin, asking = (
            httpx.Client(base_url=service.url, timeout=60, headers={"X-API-Key": one})
            for one in (service.key, key)
        )
        with admin, asking:
            enrol(admin, "barack", faces.read("obama.jpg"))
            enrol(admin, "joe", faces.read("biden.jpg"))
            seen = identify(admin, faces.read("obama2.jpg"))
            assert len(seen["candidates"]) == 2
            hidden = identify(asking, faces.read("obama2.jpg"))
            assert hidden["identity"] == "barack"
            assert hidden["candidates"] == [
                {**seen["candidates"][0], "score": None},
            ]
            stranger = identify(asking, faces.read("astronaut.png"))
            assert (stranger["identified"], stranger["candidates"]) == (False, [])
            used = answer(admin.get("/v1/identities/barack"))["last_used_at"]
            assert used is not None
            assert answer(admin.get("/v1/identities/joe"))["last_used_at"] is None
    rows = audit_rows(tmp_path)
    identified = [row for row in rows if row["action"] == "identify"]
    assert [row["outcome"] for row in identified] == ["identified", "identified", "not_identified"]
    assert "barack" not in json.dumps([row["details"] for row in rows])
    assert "scores" not in json.dumps(identified)
    assert identified[0]["details"]["references"] == 2
    named = audit_rows(tmp_path, "--identity", "barack")
    assert sum(row["action"] == "identify" for row in named) == 2


@pytest.fixture(scope="module", params=[pytest.param("sqlite", marks=pytest.mark.long), "postgres"])
def two(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two processes on one store."""
    folder = tmp_path_factory.mktemp("two")
    settings: dict[str, Any] = dict(SMALL)
    names = ("a", "a")
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        settings |= {"database": server.new_database(), "master_key": new_master_key()}
        names = ("a", "b")
    with ExitStack() as stack:
        urls = [stack.enter_context(running_service(folder / n, **settings)) for n in names]
        a, b = (stack.enter_context(httpx.Client(base_url=url, timeout=60)) for url in urls)
        yield a, b


def test_what_one_changes_the_other_sees_at_once(
    two: tuple[httpx.Client, httpx.Client], faces: Faces
) -> None:
    probe = faces.read("obama3.jpg")
    for turn, (changes, asks) in enumerate([two, two[::-1]] * 3):
        assert identify(asks, probe)["identity"] is None
        enrol(changes, f"him {turn}", faces.read("obama.jpg"))
        assert identify(asks, probe)["identity"] == f"him {turn}"
        enrol(changes, f"him {turn}", faces.read("obama2.jpg"))
        assert identify(asks, probe)["gallery"] == {
            "identities": 1,
            "references": 2,
            "search": "exact",
        }
        new = {"to": f"his {turn}"}
        answer(changes.post(f"/v1/identities/him {turn}/rename", json=new))
        assert identify(asks, probe)["identity"] == f"his {turn}"
        answer(changes.delete(f"/v1/identities/his {turn}"))
        assert identify(asks, probe)["candidates"] == []
        assert identify(changes, probe)["candidates"] == []


def test_conflicts_with_who_was_enrolled_elsewhere_a_moment_ago(
    two: tuple[httpx.Client, httpx.Client], faces: Faces
) -> None:
    a, b = two
    enrol(a, "him", faces.read("obama.jpg"))
    (conflict,) = enrol(b, "her", faces.read("obama2.jpg"))["conflicts"]
    assert conflict["other_identity"] == "him"
    for name in ("him", "her"):
        answer(a.delete(f"/v1/identities/{name}"))
    assert enrol(b, "new", faces.read("obama3.jpg"))["conflicts"] == []
    answer(b.delete("/v1/identities/new"))
