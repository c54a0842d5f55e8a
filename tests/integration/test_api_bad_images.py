"""Every image that cannot be used: a clear problem, and nothing stored."""

from __future__ import annotations

import time
from typing import NamedTuple

import httpx
import pytest
from PIL import Image as PillowImage

from tests.faces import Faces
from tests.integration.api_client import STYLES, Style, answer, enrol, post, problem
from tests.pictures import encoded, exif, huge_one_bit_png, rgb, side_by_side, without_face


class Bad(NamedTuple):
    data: bytes
    code: str
    status: int = 422


NAMES = ("empty", "text", "truncated", "huge", "pixel", "tiff", "pdf", "nobody", "two people")


@pytest.fixture(scope="module")
def bad(faces: Faces) -> dict[str, Bad]:
    him = faces.read("obama.jpg")
    small = PillowImage.fromarray(rgb(him)[:300, 300:600])
    pair = side_by_side(rgb(him), rgb(faces.read("biden.jpg")))
    return {
        "empty": Bad(b"", "undecodable_image"),
        "text": Bad(b"Dear Sir or Madam,\n" * 40, "undecodable_image"),
        "truncated": Bad(him[: len(him) // 2], "undecodable_image"),
        "huge": Bad(huge_one_bit_png(), "too_many_pixels", 413),
        "pixel": Bad(encoded(rgb(him)[:1, :1]), "image_too_small"),
        "tiff": Bad(encoded(small, "TIFF"), "unsupported_image_type", 415),
        "pdf": Bad(encoded(small, "PDF"), "unsupported_image_type", 415),
        "nobody": Bad(encoded(without_face(), "JPEG"), "no_face"),
        "two people": Bad(encoded(pair, "JPEG"), "several_faces"),
    }


@pytest.fixture(scope="module", autouse=True)
def enrolled(client: httpx.Client, faces: Faces) -> None:
    enrol(client, "him", faces.read("obama.jpg"))


def test_every_case_has_a_name(bad: dict[str, Bad]) -> None:
    assert set(bad) == set(NAMES)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", NAMES)
def test_enroll(client: httpx.Client, bad: dict[str, Bad], style: Style, name: str) -> None:
    identity = f"nobody {style} {name}"
    response = post(client, "/v1/enroll", style, {"images": [bad[name].data]}, identity=identity)
    # "422 when none is accepted", with the code that says why.
    content = problem(response, 422, bad[name].code)
    assert content["rejected"][0]["code"] == bad[name].code
    problem(client.get(f"/v1/identities/{identity}"), 404, "unknown_identity")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", NAMES)
def test_verify(client: httpx.Client, bad: dict[str, Bad], style: Style, name: str) -> None:
    case = bad[name]
    response = post(client, "/v1/verify", style, {"image": case.data}, identity="him")
    problem(response, case.status, case.code)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", NAMES)
def test_compare(
    client: httpx.Client, faces: Faces, bad: dict[str, Bad], style: Style, name: str
) -> None:
    good = faces.read("astronaut.png")
    for place in ("image_a", "image_b"):
        pictures = {"image_a": good, "image_b": good} | {place: bad[name].data}
        problem(post(client, "/v1/compare", style, pictures), bad[name].status, bad[name].code)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"nobody", "two people"}])
def test_detect(client: httpx.Client, bad: dict[str, Bad], style: Style, name: str) -> None:
    response = post(client, "/v1/detect", style, {"image": bad[name].data})
    problem(response, bad[name].status, bad[name].code)


def test_sound_pixels_behind_broken_tags_are_read(client: httpx.Client, faces: Faces) -> None:
    him = PillowImage.fromarray(rgb(faces.read("obama.jpg")))
    tagged = encoded(him, "JPEG", exif=exif(1), dpi=(72, 72))
    at = tagged.index(b"Exif\x00\x00") + 6
    broken = tagged[:at] + b"M\xcd\x00*" + tagged[at + 4 :]
    for style in STYLES:
        assert len(answer(post(client, "/v1/detect", style, {"image": broken}))["faces"]) == 1


def test_400_megapixels_are_refused_at_once(client: httpx.Client, bad: dict[str, Bad]) -> None:
    def seconds() -> float:
        begun = time.perf_counter()
        post(client, "/v1/detect", "multipart", {"image": bad["huge"].data})
        return time.perf_counter() - begun

    assert min(seconds() for _ in range(5)) < 0.05


def test_nothing_was_stored(client: httpx.Client) -> None:
    found = answer(client.get("/v1/identities"))["identities"]
    assert [(item["identity"], item["references"]) for item in found] == [("him", 1)]
