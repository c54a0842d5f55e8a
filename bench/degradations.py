"""Ways in which a picture can be poor, each a picture in and a poorer one out."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from PIL import Image as PillowImage

from model.faces import Face
from model.types import Array, Image
from training.attributes.measure import eyes_px

_GREY = (127, 127, 127)

Apply = Callable[[Image, Face], Image | None]


@dataclass(frozen=True)
class Degradation:
    """One step of one kind.

    Attributes:
        apply: The poorer picture; None where it cannot be done to this one.
    """

    name: str
    apply: Apply


PLAIN = Degradation("as it is", lambda image, face: image)


def degradations() -> list[Degradation]:
    """All kinds, from mild to hard."""
    steps: list[tuple[str, Apply]] = [
        (f"eyes {apart} px apart", partial(_smaller, apart=apart)) for apart in (24, 16, 12, 8, 6)
    ]
    steps += [
        (
            f"blurred, sigma {100 * share:.0f} % of the eyes' distance",
            partial(_blurred, share=share),
        )
        for share in (0.05, 0.1, 0.15, 0.2)
    ]
    steps += [
        (f"JPEG quality {quality}", partial(_jpeg, quality=quality)) for quality in (30, 15, 5)
    ]
    steps += [
        (f"darker, {gain:g} of the light", partial(_darker, gain=gain))
        for gain in (0.5, 0.2, 0.1, 0.05)
    ]
    steps += [(f"noise, sigma {sigma}", partial(_noisy, sigma=sigma)) for sigma in (10, 20, 40)]
    steps += [
        (f"turned in the plane by {angle} degrees", partial(_turned, angle=angle))
        for angle in (15, 30, 45, 90)
    ]
    steps += [
        ("mask from the nose down", _masked),
        ("dark bar over the eyes", _barred),
        ("left quarter of the face out of the frame", partial(_cut, share=0.25)),
        ("left 40 % of the face out of the frame", partial(_cut, share=0.4)),
    ]
    return [Degradation(name, apply) for name, apply in steps]


def _smaller(image: Image, face: Face, apart: float) -> Image | None:
    """Scaled down until the eyes are so many pixels apart; never up."""
    scale = apart / eyes_px(face)
    if scale > 1:
        return None
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _blurred(image: Image, face: Face, share: float) -> Image:
    """By a Gaussian, measured by the face: what a lens out of focus leaves of it."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), share * eyes_px(face)), dtype=np.uint8)


def _jpeg(image: Image, _: Face, quality: int) -> Image:
    out = io.BytesIO()
    PillowImage.fromarray(image).save(out, "JPEG", quality=quality)
    with PillowImage.open(out) as again:
        return np.asarray(again.convert("RGB"), dtype=np.uint8)


def _darker(image: Image, _: Face, gain: float) -> Image:
    """Rounded to whole numbers again; a camera in the dark adds noise to that."""
    return np.asarray(np.round(image * gain), dtype=np.uint8)


def _noisy(image: Image, _: Face, sigma: float) -> Image:
    noise = np.random.default_rng(0).normal(0, sigma, image.shape)
    return np.asarray(np.clip(image + noise, 0, 255), dtype=np.uint8)


def _turned(image: Image, _: Face, angle: float) -> Image:
    picture = PillowImage.fromarray(image)
    turned = picture.rotate(angle, PillowImage.Resampling.BILINEAR, expand=True, fillcolor=_GREY)
    return np.asarray(turned, dtype=np.uint8)


def _masked(image: Image, face: Face) -> Image:
    """A light blue cloth from the nose's tip to below the chin."""
    across, down = _axes(face)
    nose = face.landmarks[2]
    corners = [
        nose - across,
        nose + across,
        nose + 0.8 * across + 1.5 * down,
        nose - 0.8 * across + 1.5 * down,
    ]
    return _painted(image, corners, (150, 190, 210))


def _barred(image: Image, face: Face) -> Image:
    across, down = _axes(face)
    middle = face.landmarks[:2].mean(axis=0)
    side, height = 1.05 * across, 0.28 * down
    corners = [
        middle - side - height,
        middle + side - height,
        middle + side + height,
        middle - side + height,
    ]
    return _painted(image, corners, (20, 20, 20))


def _cut(image: Image, face: Face, share: float) -> Image | None:
    """The part right of a cut through the face's box; None where it cannot be cut there."""
    left = round(face.x + share * face.width)
    return np.ascontiguousarray(image[:, left:]) if 0 < left < image.shape[1] - 1 else None


def _axes(face: Face) -> tuple[Array, Array]:
    """The eyes' distance along their line, and the distance from eyes to mouth down the face."""
    eyes, mouth = face.landmarks[:2], face.landmarks[3:]
    return eyes[1] - eyes[0], mouth.mean(axis=0) - eyes.mean(axis=0)


def _painted(image: Image, corners: list[Array], colour: tuple[int, int, int]) -> Image:
    painted = image.copy()
    cv2.fillConvexPoly(painted, np.round(corners).astype(np.int32), colour)
    return painted
