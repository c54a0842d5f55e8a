"""A picture is decoded when, and as large as, somebody needs it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as PillowImage

from model.image import Limits, Picture, UndecodableImage
from tests.faces import Faces
from tests.pictures import encoded, exif, rgb

LIMITS = Limits()


@pytest.fixture(scope="module")
def wide(faces: Faces) -> PillowImage.Image:
    """801 x 601."""
    return PillowImage.fromarray(rgb(faces.read("obama.jpg"))).resize((801, 601))


@pytest.mark.parametrize(
    ("most", "denominator"),
    [(0.5, 1), (1, 1), (1.99, 1), (2, 2), (3.9, 2), (4, 4), (7, 4), (8, 8), (100, 8)],
)
def test_a_view_is_the_smallest_that_is_allowed(
    wide: PillowImage.Image, most: float, denominator: int
) -> None:
    view = Picture(encoded(wide, "JPEG"), LIMITS).view(most)
    assert view.denominator == denominator
    assert view.image.shape == (-(-601 // denominator), -(-801 // denominator), 3)


def test_a_view_shows_the_picture_in_its_place(wide: PillowImage.Image) -> None:
    data = encoded(wide, "JPEG", quality=95)
    whole = rgb(data)[:600, :800].astype(float)
    means = whole.reshape(150, 4, 200, 4, 3).mean(axis=(1, 3))
    assert np.abs(Picture(data, LIMITS).view(4).image[:150, :200] - means).mean() < 1.5


def test_what_is_decoded_already_is_given_again(wide: PillowImage.Image) -> None:
    picture = Picture(encoded(wide, "JPEG"), LIMITS)
    half = picture.view(2)
    assert picture.view(3) is half
    assert picture.view(1).image is picture.whole
    assert picture.view(8).denominator == 2
    whole = Picture(encoded(wide, "JPEG"), LIMITS)
    assert whole.view(1) is whole.view(8)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP"])
def test_other_types_are_decoded_whole(wide: PillowImage.Image, kind: str) -> None:
    picture = Picture(encoded(wide, kind), LIMITS)
    assert picture.view(8).denominator == 1
    assert picture.size == (601, 801)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_the_upright_one_and_needs_no_pixels(
    wide: PillowImage.Image, orientation: int
) -> None:
    picture = Picture(encoded(wide, "JPEG", exif=exif(orientation)), LIMITS)
    size = picture.size
    assert size == ((801, 601) if orientation >= 5 else (601, 801))
    assert picture.view(2).image.shape[:2] == tuple(-(-side // 2) for side in size)
    assert picture.whole.shape[:2] == size == picture.size


@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
def test_a_picture_that_is_cut_off_has_no_small_view_either(
    wide: PillowImage.Image, share: float
) -> None:
    data = encoded(wide, "JPEG")
    picture = Picture(data[: int(len(data) * share)], LIMITS)
    with pytest.raises(UndecodableImage, match="broken or cut off"):
        picture.view(8)


def test_a_cmyk_jpeg_is_decoded_whole(wide: PillowImage.Image) -> None:
    assert Picture(encoded(wide.convert("CMYK"), "JPEG"), LIMITS).view(8).denominator == 1


def test_pixels_handed_over_in_strips_are_the_same(wide: PillowImage.Image) -> None:
    large = wide.resize((1603, 1407))
    assert np.array_equal(rgb(encoded(large, compress_level=1)), np.asarray(large))


def test_a_jpeg_with_broken_exif_is_taken_as_it_is_stored(wide: PillowImage.Image) -> None:
    """Found by tests.fuzz: Pillow read such EXIF, and raised, when the size was asked for."""
    # With a resolution of its own, or Pillow would stumble when it opens the file, and ignore it.
    sound = encoded(wide, "JPEG", exif=exif(6), dpi=(72, 72))
    at = sound.index(b"Exif\x00\x00") + 6
    picture = Picture(sound[:at] + b"M\xcd\x00*" + sound[at + 4 :], LIMITS)
    assert picture.size == (601, 801)
    assert picture.view(8).image.shape == (76, 101, 3)
    assert np.array_equal(picture.whole, rgb(encoded(wide, "JPEG")))
