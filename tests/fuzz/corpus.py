"""A real face as small files: every format that is read, and their rarer kinds."""

from __future__ import annotations

import numpy as np
from PIL import Image as PillowImage

from tests.faces import Faces
from tests.pictures import encoded, exif, rgb

_SIZE = (96, 80)
"""Width and height: small, so that thousands are decoded in a minute."""


def samples(faces: Faces) -> dict[str, bytes]:
    """Files by a name of their kind; each of them is read."""
    picture = PillowImage.fromarray(rgb(faces.read("astronaut.png"))).resize(_SIZE)
    seen_through = picture.copy()
    seen_through.putalpha(PillowImage.linear_gradient("L").resize(_SIZE))
    tags = exif(6)
    tags[0x010E] = "a description"
    more = {"save_all": True, "append_images": [picture.rotate(90), picture.rotate(180)]}
    sixteen = np.asarray(picture.convert("L")).astype(np.uint16) << 8
    return {
        "JPEG": encoded(picture, "JPEG", exif=tags),
        "progressive": encoded(picture, "JPEG", progressive=True),
        "grey JPEG": encoded(picture.convert("L"), "JPEG", restart_marker_rows=1),
        "CMYK": encoded(picture.convert("CMYK"), "JPEG"),
        "MPO": encoded(picture, "MPO", **more),
        "PNG": encoded(picture, "PNG", exif=tags),
        "16 bits": encoded(sixteen),
        "palette": encoded(picture.quantize(64), "PNG", transparency=3),
        "see-through PNG": encoded(seen_through, "PNG"),
        "animated PNG": encoded(picture, "PNG", **more),
        "WebP": encoded(picture, "WEBP", exif=tags),
        "lossless WebP": encoded(seen_through, "WEBP", lossless=True),
        "animated WebP": encoded(picture, "WEBP", **more),
        "GIF": encoded(picture, "GIF", **more),
        "BMP": encoded(picture, "BMP"),
        "palette BMP": encoded(picture.quantize(16), "BMP"),
        "HEIF": encoded(picture, "HEIF", exif=tags.tobytes()),
        "see-through HEIF": encoded(seen_through, "HEIF"),
        "AVIF": encoded(picture, "AVIF", exif=tags),
        "see-through AVIF": encoded(seen_through, "AVIF"),
    }
