"""Small data sets for tests of `prepare`, made of the portraits, and the command itself."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from model.types import Image
from tests.faces import Faces
from tests.pictures import encoded, rgb, side_by_side, without_face
from training.cli import run

JPEG = {"quality": 90}


def smaller(pixels: Image, share: float) -> Image:
    picture = PillowImage.fromarray(pixels)
    size = (round(picture.width * share), round(picture.height * share))
    return np.asarray(picture.resize(size), dtype=np.uint8)


def mirrored(pixels: Image) -> Image:
    return np.ascontiguousarray(pixels[:, ::-1])


def turned(pixels: Image, angle: float) -> Image:
    picture = PillowImage.fromarray(pixels).rotate(angle, fillcolor="grey")
    return np.asarray(picture, dtype=np.uint8)


def portraits(faces: Faces) -> dict[str, Image]:
    """The portraits, small enough to be quick."""
    names = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")
    read = {name.split(".")[0]: rgb(faces.read(name)) for name in names}
    return {name: smaller(pixels, 400 / max(pixels.shape)) for name, pixels in read.items()}


def clean_set(folder: Path, faces: Faces) -> Path:
    """Three identities with four pictures each, and nothing wrong with them."""
    of = portraits(faces)
    people = {
        "barack": [of["obama"], of["obama2"], of["obama3"], mirrored(of["obama2"])],
        "joe": [of["biden"], mirrored(of["biden"]), turned(of["biden"], 15)],
        "astronaut": [of["astronaut"], mirrored(of["astronaut"]), turned(of["astronaut"], 15)],
    }
    for name in ("joe", "astronaut"):
        people[name].append(turned(people[name][1], 20))
    for name, pictures in people.items():
        for number, pixels in enumerate(pictures):
            place(folder / name / f"{number}.png", encoded(pixels))
    return folder


def dirty_set(folder: Path, faces: Faces) -> Path:
    """The clean set with something of every kind that is dropped."""
    clean_set(folder, faces)
    of = portraits(faces)
    place(folder / "barack" / "4-same.bmp", encoded(of["obama"], "BMP"))
    place(folder / "barack" / "5-broken.jpg", encoded(of["obama2"], "JPEG")[:5000])
    place(folder / "barack" / "6-nobody.png", encoded(without_face()))
    place(folder / "barack" / "7-notes.txt", b"not a picture")
    place(folder / "barack" / "8-near.jpg", encoded(smaller(of["obama3"], 0.9), "JPEG", **JPEG))
    place(folder / "joe" / "4-barack.png", encoded(of["obama"]))
    place(folder / "joe" / ".DS_Store", b"hidden")
    place(folder / "joe" / "0.jpg", encoded(turned(of["biden"], -12), "JPEG", **JPEG))
    return folder


def web_set(folder: Path, faces: Faces) -> Path:
    """As from the web: barack's folder shows others too, and in one picture only others."""
    clean_set(folder, faces)
    of = portraits(faces)
    crowd = side_by_side(smaller(of["obama3"], 0.5), of["biden"])
    place(folder / "barack" / "4-both.png", encoded(_stacked(crowd, smaller(of["biden"], 1.2))))
    place(folder / "barack" / "5-other.png", encoded(turned(of["astronaut"], -10)))
    return folder


def many_portraits(folder: Path, faces: Faces, count: int) -> Path:
    """`count` pictures of three identities, each turned a little further."""
    of = portraits(faces)
    for name in ("obama", "biden", "astronaut"):
        for number in range(count // 3):
            content = encoded(turned(of[name], number - 20), "JPEG", quality=85)
            place(folder / name / f"{number:03d}.jpg", content)
    return folder


def results(out: Path) -> dict[str, bytes]:
    """What `prepare` made: the content of every file but the state and the originals."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.relative_to(out).parts[0] not in ("state", "originals")
    }


def _stacked(above: Image, below: Image) -> Image:
    width = max(above.shape[1], below.shape[1])
    parts = [np.pad(one, ((0, 0), (0, width - one.shape[1]), (0, 0))) for one in (above, below)]
    return np.concatenate(parts)


def place(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def packed(folder: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as out:
        out.add(folder, arcname=folder.name)
    return archive


@contextmanager
def small_file_system(folder: Path) -> Iterator[Path]:
    """A file system of 512 KiB in `folder`; skips the test where there can be none."""
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("a small file system can only be mounted by root")
    command = [mount, "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let root mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def training(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs what `python -m training` runs, without a process of its own: a third of most
    commands would be its start.
    """
    command = [*map(str, arguments)]
    said, warned = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(warned), warnings.catch_warnings():
        warnings.simplefilter("default")
        status = run(command)
    return subprocess.CompletedProcess(command, status, said.getvalue(), warned.getvalue())


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """What a failed command said: one sentence, no traceback."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    return line
