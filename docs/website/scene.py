"""What the service said of one picture, drawn: the face, the chip, scores against the threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_WIDTH, _HEIGHT = 1200, 460
_MARGIN = 24
_PANEL = "#f6f7fb"
_INK, _FAINT = "#1f2430", "#6b7280"
_YES, _NO, _LINE = "#0f7b4f", "#b42318", "#3f51b5"
_CHIP = 224


@dataclass(frozen=True)
class Scene:
    """One verification.

    Attributes:
        picture: The probe, upright. Mode RGB.
        chip: Of the same face, as the network sees it. Mode RGB.
        answer: Of `POST /v1/verify`.
        said: What is shown above the scores.
    """

    picture: Image.Image
    chip: Image.Image
    answer: dict[str, Any]
    said: str


def draw(scene: Scene) -> Image.Image:
    """The picture with box and landmarks, the chip, and a bar of scores; of one size always."""
    canvas = Image.new("RGB", (_WIDTH, _HEIGHT), _PANEL)
    pen = ImageDraw.Draw(canvas)
    face = scene.answer["face"]
    shown, scale = _fitted(scene.picture, 400, _HEIGHT - 2 * _MARGIN - 34)
    at = (_MARGIN, _MARGIN + 34)
    pen.text((at[0], _MARGIN), "1  find the face", fill=_INK, font=_font(20))
    canvas.paste(shown, at)
    box = face["box"]
    left, top = at[0] + box["x"] * scale, at[1] + box["y"] * scale
    corner = (left + box["width"] * scale, top + box["height"] * scale)
    pen.rectangle((left, top, *corner), outline=_LINE, width=4)
    for point in face["landmarks"].values():
        x, y = at[0] + point["x"] * scale, at[1] + point["y"] * scale
        pen.ellipse((x - 5, y - 5, x + 5, y + 5), fill="white", outline=_LINE, width=3)
    middle = 460
    pen.text((middle, _MARGIN), "2  cut it out upright", fill=_INK, font=_font(20))
    canvas.paste(scene.chip.resize((_CHIP, _CHIP), Image.Resampling.BICUBIC), (middle, at[1]))
    quality = face["quality"]
    notes = (
        f"confidence {face['confidence']:.2f}",
        f"sharpness {quality['sharpness']:.0f}",
        f"brightness {quality['brightness']:.0f}",
    )
    for number, note in enumerate(notes):
        height = at[1] + _CHIP + 16 + 26 * number
        pen.text((middle, height), note, fill=_FAINT, font=_font(17))
    _scores(pen, scene, (740, _MARGIN), 420)
    return canvas


def _scores(pen: ImageDraw.ImageDraw, scene: Scene, at: tuple[int, int], width: int) -> None:
    """Scores on a scale of log-odds: on a plain one all that is of interest is at the ends."""
    x, y = at
    answer = scene.answer
    pen.text((x, y), "3  compare with each reference", fill=_INK, font=_font(20))
    pen.text((x, y + 34), scene.said, fill=_FAINT, font=_font(17))
    threshold = answer["detection_threshold"]["value"]
    line = x + width * _place(threshold)
    bottom = y + 112 + 46 * len(answer["scores"])
    for number, one in enumerate(answer["scores"]):
        row = y + 92 + 46 * number
        colour = _YES if one["matched"] else _NO
        end = x + width * _place(one["score"])
        pen.rounded_rectangle((x, row, x + width, row + 26), 6, fill="#e4e6ef")
        pen.rounded_rectangle((x, row, max(end, x + 12), row + 26), 6, fill=colour)
        inside = end > x + width / 2
        pen.text(
            (end - 8 if inside else end + 8, row + 3),
            f"{one['score']:.5f}",
            fill="white" if inside else _INK,
            font=_font(17),
            anchor="ra" if inside else "la",
        )
    pen.line((line, y + 80, line, bottom), fill=_LINE, width=3)
    says = f"threshold {threshold:.4f} (FMR {answer['fmr']:g})"
    pen.text((line, bottom + 6), says, fill=_LINE, font=_font(17), anchor="ma")
    verdict = "verified" if answer["verified"] else "not verified"
    colour = _YES if answer["verified"] else _NO
    top = bottom + 48
    pen.rounded_rectangle((x, top, x + width, top + 56), 10, fill=colour)
    share = f"{answer['matched']} of {answer['references']} match: {verdict}"
    pen.text((x + width / 2, top + 28), share, fill="white", font=_font(24), anchor="mm")


def _place(score: float) -> float:
    """Where a score stands between 1e-5 and 1 - 1e-5, 0 to 1, on log-odds."""
    most = np.log(1e5)
    odds = np.log(max(score, 1e-9) / max(1 - score, 1e-9))
    return float(np.clip((odds + most) / (2 * most), 0, 1))


def _fitted(picture: Image.Image, width: int, height: int) -> tuple[Image.Image, float]:
    scale = min(width / picture.width, height / picture.height)
    size = (round(picture.width * scale), round(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS), scale


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
