"""Whatever bytes come, `decode` answers with pixels or an ImageError."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from model.image import ImageError, Limits, decode
from tests.faces import Faces
from tests.pictures import encoded, exif, rgb

LIMITS = Limits(max_image_pixels=1_000_000, min_side_px=1)
BUDGET_S = 6.0

# Pillow warns of broken EXIF; a service logs that, a test need not fail by it.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def samples(faces: Faces) -> dict[str, bytes]:
    """A real face, small, in every format and with tags."""
    picture = PillowImage.fromarray(rgb(faces.read("astronaut.png"))).resize((96, 80))
    tags = exif(6)
    tags[0x010E] = "a description"
    more = {"save_all": True, "append_images": [picture.rotate(90), picture.rotate(180)]}
    sixteen = np.asarray(picture.convert("L")).astype(np.uint16) << 8
    return {
        "JPEG": encoded(picture, "JPEG", exif=tags),
        "progressive": encoded(picture, "JPEG", progressive=True),
        "CMYK": encoded(picture.convert("CMYK"), "JPEG"),
        "MPO": encoded(picture, "MPO", **more),
        "PNG": encoded(picture, "PNG", exif=tags),
        "16 bits": encoded(sixteen),
        "palette": encoded(picture.quantize(64), "PNG"),
        "animated PNG": encoded(picture, "PNG", **more),
        "WebP": encoded(picture, "WEBP", exif=tags),
        "animated WebP": encoded(picture, "WEBP", **more),
        "GIF": encoded(picture, "GIF", **more),
        "BMP": encoded(picture, "BMP"),
        "HEIF": encoded(picture, "HEIF", exif=tags.tobytes()),
        "AVIF": encoded(picture, "AVIF", exif=tags),
    }


def answers(data: bytes) -> bool:
    """Whether it was read. Anything but an ImageError fails the test."""
    try:
        image = decode(data, LIMITS)
    except ImageError:
        return False
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert image.dtype == np.uint8
    return True


def test_the_samples_are_read_before_they_are_spoilt(samples: dict[str, bytes]) -> None:
    assert all(answers(data) for data in samples.values())


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400))
def test_random_bytes(data: bytes) -> None:
    assert not answers(data)


MAGIC = [
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    b"RIFF\x40\x00\x00\x00WEBPVP8 ",
    b"RIFF\x40\x00\x00\x00WEBPVP8X",
    b"GIF89a",
    b"BM",
    b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
    b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00",
    b"II*\x00",
]


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(MAGIC), st.binary(max_size=200))
def test_random_bytes_behind_the_beginning_of_a_picture(magic: bytes, data: bytes) -> None:
    answers(magic + data)


@settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_cut_off_anywhere(samples: dict[str, bytes], data: st.DataObject) -> None:
    whole = samples[data.draw(st.sampled_from(sorted(samples)))]
    answers(whole[: data.draw(st.integers(0, len(whole)))])


def test_changed_bytes(samples: dict[str, bytes]) -> None:
    """As many as the time allows; the seed is fixed, so a failure comes again."""
    chance = random.Random(20)
    kinds = sorted(samples)
    until = time.monotonic() + BUDGET_S
    tried = read = 0
    while time.monotonic() < until:
        kind = kinds[tried % len(kinds)]
        tried += 1
        spoilt = _spoilt(bytearray(samples[kind]), chance)
        try:
            read += answers(spoilt)
        except Exception as error:
            pytest.fail(f"{kind}, try {tried}: {type(error).__name__}: {error}\n{spoilt.hex()}")
    assert tried > 300
    # Both outcomes came about: the test would notice if all were refused outright.
    assert 0 < read < tried


def _spoilt(data: bytearray, chance: random.Random) -> bytes:
    reach = min(len(data), 400) if chance.random() < 0.6 else len(data)
    for _ in range(chance.randint(1, 12)):
        data[chance.randrange(reach)] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
    if chance.random() < 0.2:
        at, source = chance.randrange(len(data)), chance.randrange(len(data))
        data[at:at] = data[source : source + 200]
    if chance.random() < 0.2:
        del data[chance.randrange(1, len(data)) :]
    return bytes(data)
