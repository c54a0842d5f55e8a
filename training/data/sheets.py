"""Contact sheets: many small pictures in a grid, each with a line below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont, ImageOps

from model.types import Image

_PAPER, _INK, _FAINT, _BAR = "#ffffff", "#1d1d1f", "#6e6e73", "#3b6ea5"
_MARGIN_PX, _GAP_PX, _TITLE_PX, _LINE_PX = 24, 8, 56, 18


@dataclass(frozen=True)
class Cell:
    """A picture, RGB of any size, and the line below it."""

    picture: Image
    label: str


def contact_sheet(title: str, cells: Sequence[Cell], *, side_px: int, columns: int) -> Image:
    """The cells row by row, each picture fitted into a square.

    Args:
        cells: At least one.
        side_px: Of the square.
    """
    columns = min(columns, len(cells))
    rows = -(-len(cells) // columns)
    step_x, step_y = side_px + _GAP_PX, side_px + _LINE_PX + _GAP_PX
    width = max(2 * _MARGIN_PX + columns * step_x - _GAP_PX, _title_width(title))
    sheet = PillowImage.new(
        "RGB", (width, _TITLE_PX + _MARGIN_PX + rows * step_y - _GAP_PX), _PAPER
    )
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN_PX, 18), title, fill=_INK, font=_font(22))
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        x, y = _MARGIN_PX + column * step_x, _TITLE_PX + row * step_y
        small = ImageOps.contain(PillowImage.fromarray(cell.picture), (side_px, side_px))
        sheet.paste(small, (x + (side_px - small.width) // 2, y + (side_px - small.height) // 2))
        text = _fitted(cell.label, side_px)
        draw.text((x + side_px / 2, y + side_px + 2), text, _FAINT, _font(12), anchor="ma")
    return np.asarray(sheet, dtype=np.uint8)


def bar_chart(title: str, counts: Sequence[tuple[str, int, int]]) -> Image:
    """A bar for each name: kept, of all.

    Args:
        counts: (name, all, kept) of each; at least one.
    """
    row_px, bar_px = 26, 480
    most = max(1, *(everything for _, everything, _ in counts))
    names = int(max(_font(14).getlength(name) for name, _, _ in counts)) + 16
    width = max(2 * _MARGIN_PX + names + bar_px + 150, _title_width(title))
    chart = PillowImage.new("RGB", (width, _TITLE_PX + row_px * len(counts) + _MARGIN_PX), _PAPER)
    draw = ImageDraw.Draw(chart)
    draw.text((_MARGIN_PX, 18), title, fill=_INK, font=_font(22))
    for row, (name, everything, kept) in enumerate(counts):
        y = _TITLE_PX + row * row_px
        left = _MARGIN_PX + names
        draw.text((left - 10, y + row_px / 2), name, _INK, _font(14), anchor="rm")
        for count, colour in ((everything, "#d9d9de"), (kept, _BAR)):
            if count:
                end = left + max(1, round(bar_px * count / most))
                draw.rectangle((left, y + 4, end, y + row_px - 5), fill=colour)
        end = left + round(bar_px * everything / most)
        draw.text((end + 8, y + row_px / 2), f"{kept} of {everything}", _FAINT, _font(13), "lm")
    return np.asarray(chart, dtype=np.uint8)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _title_width(title: str) -> int:
    return int(_font(22).getlength(title)) + 2 * _MARGIN_PX


def _fitted(text: str, width_px: int) -> str:
    """The text, cut at the front where it is too wide: names differ at the end."""
    if _font(12).getlength(text) <= width_px:
        return text
    while text and _font(12).getlength("…" + text) > width_px:
        text = text[1:]
    return "…" + text
