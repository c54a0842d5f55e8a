"""`simulate-attacks`: a folder of live and attack frames, rendered from real pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from model.image import ImageError, Limits, decode
from training.data.errors import DataError
from training.presentation.attacks import ATTACKS, live

LIVE, ATTACK = "live", "attack"
NOTE = "simulated.txt"
"""Says to whoever trains on the folder that its attacks are none that were photographed."""
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 95]


def simulate(
    source: Path, out: Path, *, people: int, pictures: int, seed: int, quiet: bool
) -> dict[str, int]:
    """Writes OUT/live and OUT/attack, a subfolder for each person.

    Args:
        source: A folder of real pictures, a subfolder for each person.
        people, pictures: At most so many, and of each.

    Returns:
        Frames by kind: "live" and the kinds of attacks.

    Raises:
        DataError: If there is nothing to render, or something is at `out` already.
    """
    if out.exists() and any(out.iterdir()):
        raise DataError(f"expected nothing at '{out.name}', found files")
    folders = sorted(path for path in source.iterdir() if path.is_dir())[:people]
    if not folders:
        raise DataError(f"expected a folder for each person in '{source.name}', found none")
    counts = dict.fromkeys((LIVE, *ATTACKS), 0)
    for folder in track(folders, "render", disable=quiet):
        for number, path in enumerate(_pictures(folder)[:pictures]):
            try:
                image = decode(path.read_bytes(), Limits())
            except ImageError:
                continue
            # By person and picture, so that more people change nothing of these.
            random = np.random.default_rng([seed, *folder.name.encode(), number])
            for kind, render in {LIVE: live, **ATTACKS}.items():
                group = LIVE if kind == LIVE else ATTACK
                target = out / group / folder.name / f"{kind}-{number:03}.jpg"
                target.parent.mkdir(parents=True, exist_ok=True)
                frame = cv2.cvtColor(render(image, random), cv2.COLOR_RGB2BGR)
                _, encoded = cv2.imencode(".jpg", frame, _QUALITY)
                target.write_bytes(encoded.tobytes())
                counts[kind] += 1
    if not counts[LIVE]:
        raise DataError(f"expected pictures in the folders of '{source.name}', found none")
    (out / NOTE).write_text(f"Rendered from {source.name}, seed {seed}.\n", encoding="utf-8")
    return counts


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())
