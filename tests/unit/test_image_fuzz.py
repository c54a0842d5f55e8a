"""Whatever bytes come, `decode` answers with pixels or an ImageError.

Changed bytes of real files are the business of tests.fuzz.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.image import ImageError, Limits, decode
from tests.faces import Faces
from tests.fuzz import corpus

LIMITS = Limits(max_image_pixels=1_000_000, min_side_px=1)

# Pillow warns of broken EXIF; a service logs that, a test need not fail by it.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def samples(faces: Faces) -> dict[str, bytes]:
    """A real face, small, in every format and with tags."""
    return corpus.samples(faces)


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
