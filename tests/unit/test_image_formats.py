"""Every format that is read gives the same upright picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as PillowImage

from model.artifact import Artifact
from model.chip import chip_of, located
from model.faces import Detector
from model.image import FORMATS, Limits, decode
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.types import Array, Image
from tests.faces import Faces
from tests.pictures import encoded, exif, png_by_hand, rgb, with_orientation


@pytest.fixture(scope="module")
def upright(faces: Faces) -> Image:
    """A real face, 320 x 256: not square, so that a wrong turn shows."""
    picture = PillowImage.fromarray(rgb(faces.read("obama.jpg"))[:1136])
    return np.asarray(picture.resize((256, 320), PillowImage.Resampling.LANCZOS))


def difference(one: Image, other: Image) -> float:
    """Mean over pixels and channels, 0..255."""
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other).mean())


def grey_of(image: Image) -> Image:
    luminance = np.asarray(PillowImage.fromarray(image).convert("L"))
    return np.repeat(luminance[:, :, None], 3, axis=2)


def frames(image: Image) -> list[PillowImage.Image]:
    return [PillowImage.fromarray(np.roll(image, 60 * n, axis=1)) for n in (1, 2)]


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_lossless(upright: Image, kind: str) -> None:
    found = rgb(encoded(upright, kind))
    assert np.array_equal(found, upright)
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous


def test_lossless_webp(upright: Image) -> None:
    assert np.array_equal(rgb(encoded(upright, "WEBP", lossless=True)), upright)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("JPEG", {"quality": 95, "subsampling": 2}),
        ("WEBP", {"quality": 95}),
        ("HEIF", {"quality": 90}),
        ("AVIF", {"quality": 90}),
    ],
    ids=str,
)
def test_lossy(upright: Image, kind: str, options: dict[str, object]) -> None:
    assert difference(rgb(encoded(upright, kind, **options)), upright) < 4


def test_every_format_has_a_test() -> None:
    assert set(FORMATS) == {"PNG", "BMP", "WEBP", "JPEG", "HEIF", "AVIF", "GIF"}


def test_a_phones_jpeg_with_a_second_picture_behind_it(upright: Image) -> None:
    others = frames(upright)
    mpo = encoded(upright, "MPO", save_all=True, append_images=others, quality=95)
    assert difference(rgb(mpo), upright) < 4


def test_cmyk_jpeg(upright: Image) -> None:
    cmyk = PillowImage.fromarray(upright).convert("CMYK")
    assert difference(rgb(encoded(cmyk, "JPEG", quality=95)), upright) < 6


def test_grey_and_one_bit(upright: Image) -> None:
    grey = PillowImage.fromarray(upright).convert("L")
    assert np.array_equal(rgb(encoded(grey)), grey_of(upright))
    bits = grey.convert("1")
    assert np.array_equal(rgb(encoded(bits))[:, :, 0] == 255, np.asarray(bits))


def test_grey_with_sixteen_bits_keeps_the_upper_eight(upright: Image) -> None:
    grey = grey_of(upright)[:, :, 0].astype(np.uint16)
    assert np.array_equal(rgb(encoded((grey << 8) | 0x7F)), grey_of(upright))


def test_rgb_with_sixteen_bits_keeps_the_upper_eight(upright: Image) -> None:
    import zlib

    height, width = upright.shape[:2]
    samples = ((upright.astype(">u2") << 8) | 0x7F).astype(">u2")
    rows = b"".join(b"\x00" + row.tobytes() for row in samples)
    png = png_by_hand(width, height, bits=16, colour=2, rows=zlib.compress(rows))
    assert np.array_equal(rgb(png), upright)


def test_a_palette(upright: Image) -> None:
    palette = PillowImage.fromarray(upright).quantize(256)
    found = rgb(encoded(palette))
    assert np.array_equal(found, np.asarray(palette.convert("RGB")))
    assert difference(found, upright) < 10


def test_what_is_transparent_becomes_white(upright: Image) -> None:
    alpha = np.full((*upright.shape[:2], 1), 255, dtype=np.uint8)
    alpha[:100] = 0
    found = rgb(encoded(np.concatenate([upright, alpha], axis=2)))
    assert (found[:100] == 255).all()
    assert np.array_equal(found[100:], upright[100:])


def test_a_transparent_colour_of_a_palette_becomes_white(upright: Image) -> None:
    palette = PillowImage.fromarray(upright).quantize(16)
    clear = int(np.asarray(palette)[0, 0])
    found = rgb(encoded(palette, transparency=clear))
    assert (found[np.asarray(palette) == clear] == 255).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(upright: Image, kind: str) -> None:
    first = PillowImage.fromarray(upright).quantize(256) if kind == "GIF" else upright
    options = {"lossless": True} if kind == "WEBP" else {}
    moving = encoded(first, kind, save_all=True, append_images=frames(upright), **options)
    found = rgb(moving)
    still = np.asarray(first.convert("RGB")) if isinstance(first, PillowImage.Image) else upright
    assert np.array_equal(found, still)


def test_the_name_of_a_format_plays_no_part(faces: Faces) -> None:
    """obama.jpg would be read just as well under any other name."""
    assert rgb(faces.read("obama.jpg")).shape == (1137, 910, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_the_very_pixels_upright(upright: Image, kind: str, orientation: int) -> None:
    stored = with_orientation(upright, orientation)
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(stored, kind, exif=exif(orientation), **options)
    assert np.array_equal(rgb(data), upright)


@pytest.mark.parametrize("kind", ["JPEG", "HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_lossy_pictures_upright(upright: Image, kind: str, orientation: int) -> None:
    stored = with_orientation(upright, orientation)
    tags = exif(orientation)
    data = encoded(stored, kind, quality=95, exif=tags if kind == "JPEG" else tags.tobytes())
    assert difference(rgb(data), upright) < 4


def test_all_orientations_give_one_embedding(
    upright: Image, artifact: Artifact, detector: Detector
) -> None:
    runtime = OpenVinoRuntime(artifact)
    manifest = artifact.manifest

    def embedding(data: bytes) -> Array:
        image = decode(data, Limits())
        (face,) = detector.detect(image)
        chip = chip_of(image, located(detector, image, face, manifest), manifest)
        return np.asarray(runtime.embed(chip[None])[0])

    expected = embedding(encoded(upright))
    for orientation in range(1, 9):
        stored = with_orientation(upright, orientation)
        exact = embedding(encoded(stored, exif=exif(orientation)))
        assert np.array_equal(exact, expected)
        lossy = embedding(encoded(stored, "JPEG", quality=95, exif=exif(orientation)))
        assert float(lossy @ expected) > 0.97
