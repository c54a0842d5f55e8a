"""OpenCV's way to a JPEG's pixels gives what Pillow's gives, or leaves it to Pillow."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image as PillowImage

from model.image import Limits, UndecodableImage, decode
from model.jpeg import DENOMINATORS, frame_size, jpeg_pixels
from model.pixels import pillow_pixels
from model.types import Image
from tests.faces import Faces
from tests.pictures import encoded, exif, rgb, with_orientation

KINDS: dict[str, dict[str, object]] = {
    "plain": {"quality": 90},
    "progressive": {"quality": 85, "progressive": True},
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "RGB": {"keep_rgb": True},
    "restarts": {"restart_marker_blocks": 4},
    "with a profile and a comment": {"icc_profile": b"p" * 3000, "comment": "hello"},
}


@pytest.fixture(scope="module")
def picture(faces: Faces) -> PillowImage.Image:
    """A real face, 237 x 301: no multiple of what a JPEG is made of."""
    return PillowImage.fromarray(rgb(faces.read("obama.jpg"))).resize((237, 301))


def by_pillow(data: bytes) -> Image | None:
    try:
        return pillow_pixels(PillowImage.open(io.BytesIO(data)))
    except Exception:
        return None


def by_us(data: bytes) -> Image | None:
    try:
        return decode(data, Limits(min_side_px=1))
    except UndecodableImage:
        return None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_same_pixels_at_every_size(picture: PillowImage.Image, kind: str, mode: str) -> None:
    data = encoded(picture.convert(mode), "JPEG", **KINDS[kind])
    assert frame_size(data) == (301, 237)
    for denominator in DENOMINATORS:
        opened = PillowImage.open(io.BytesIO(data))
        opened.draft(mode, (237 // denominator, 301 // denominator))
        found = jpeg_pixels(data, (301, 237), denominator)
        assert found is not None
        assert np.array_equal(found, np.asarray(opened.convert("RGB")))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_turns_it(
    picture: PillowImage.Image, orientation: int
) -> None:
    stored = with_orientation(np.asarray(picture), orientation)
    data = encoded(stored, "JPEG", exif=exif(orientation))
    found = decode(data, Limits())
    assert frame_size(data) is not None
    expected = by_pillow(data)
    assert expected is not None
    assert np.array_equal(found, expected)
    assert found.shape == (301, 237, 3)


def test_what_is_left_to_pillow(picture: PillowImage.Image) -> None:
    sound = encoded(picture, "JPEG")
    start_of_frame = sound.index(b"\xff\xc0")
    second_frame = sound[start_of_frame : start_of_frame + 19]
    for odd in (
        encoded(picture.convert("CMYK"), "JPEG"),
        sound[:-2],
        sound[:500],
        sound[:2] + b"\xff" + sound[2:],
        sound[:start_of_frame] + second_frame + sound[start_of_frame:],
        sound[:start_of_frame] + b"\xff\xcd" + sound[start_of_frame + 2 :],
        sound[:2] + b"\xff\xfe\x00\x02" * 1001 + sound[2:],
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
    ):
        assert frame_size(odd) is None


def test_no_more_is_allocated_than_the_judged_header_says(picture: PillowImage.Image) -> None:
    """A second header that claims 65,500 squared, behind the one that Pillow sees last."""
    sound = encoded(picture, "JPEG")
    at = sound.index(b"\xff\xc0")
    huge = sound[at : at + 5] + b"\xff\xdc\xff\xdc" + sound[at + 9 : at + 19]
    assert frame_size(sound[:at] + huge + sound[at:]) is None
    assert frame_size(sound[:at] + huge + sound[at + 19 :]) == (65500, 65500)


def test_a_damaged_picture_is_read_or_refused_as_pillow_does(picture: PillowImage.Image) -> None:
    chance = random.Random(4)
    samples = [encoded(picture.resize((64, 80)), "JPEG", **options) for options in KINDS.values()]
    read = 0
    for _ in range(600):
        data = bytearray(chance.choice(samples))
        at = chance.randrange(2, len(data))
        match chance.choice(["cut", "flip", "delete", "insert"]):
            case "cut":
                del data[at:]
            case "flip":
                data[at] = chance.randrange(256)
            case "delete":
                del data[at : at + chance.randrange(1, 30)]
            case "insert":
                data[at:at] = chance.randbytes(5)
        expected, found = by_pillow(bytes(data)), by_us(bytes(data))
        if found is None or expected is None:
            assert found is expected
            continue
        assert np.array_equal(found, expected)
        read += 1
    assert 100 < read < 500
