"""`dropped.png`: what `--clean` dropped, to be judged by eye."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw

from model.faces import Face
from model.types import Image
from training.data.chips import write_png
from training.data.decide import Decision, Reason
from training.data.look import Look, read_image
from training.data.sheets import Cell, contact_sheet

_SIDE_PX, _COLUMNS, _MOST = 160, 10, 300


def write_dropped(path: Path, root: Path, decision: Decision, looks: dict[str, Look]) -> None:
    """Writes a sheet of the pictures without an agreeing face; none where there is none."""
    names = [one.picture.name for one in decision.dropped if one.reason is Reason.DISAGREES]
    cells = []
    for name in names[:_MOST]:
        image = read_image(root / name)
        if not isinstance(image, str):
            cells.append(Cell(_marked(image, looks[name].faces), name))
    if not cells:
        path.unlink(missing_ok=True)
        return
    title = f"{len(names)} pictures in which no face agrees with the folder's majority"
    if len(names) > _MOST:
        title += f", the first {_MOST} of them"
    write_png(path, contact_sheet(title, cells, side_px=_SIDE_PX, columns=_COLUMNS))


def _marked(image: Image, faces: tuple[Face, ...]) -> Image:
    """The picture made small, with a frame around each face that was judged."""
    picture = PillowImage.fromarray(image)
    scale = min(1.0, _SIDE_PX / max(picture.size))
    small = picture.resize(
        (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
    )
    draw = ImageDraw.Draw(small)
    for face in faces:
        x, y = face.x * scale, face.y * scale
        box = (x, y, x + face.width * scale, y + face.height * scale)
        draw.rectangle(box, outline="#ffcc00", width=2)
    return np.asarray(small, dtype=np.uint8)
