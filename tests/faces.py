"""Real faces for tests on any machine, with their SHA-256.

Official portraits of two United States presidents (public domain), from the
source archive of the package face_recognition, and a portrait of an astronaut
(NASA, public domain), from the package scikit-image. Downloaded once as
archives into the user's cache folder; never installed, never committed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from model.artifact import sha256_of
from training.fetch import cache_folder

_PORTRAITS = "face_recognition==1.3.0"
_ASTRONAUT = "scikit-image==0.26.0"
_FILES = {
    "obama.jpg": "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
    "obama2.jpg": "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
    "obama3.jpg": "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
    "obama_partial_face.jpg": "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117",
    "obama_partial_face2.jpg": "9a812347f97633542b8cd9992de22def11b74f79d82056bc3ee830f13878e028",
    "biden.jpg": "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
    "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
}


@dataclass(frozen=True)
class Faces:
    """A folder with obama.jpg, obama2.jpg, obama3.jpg, biden.jpg, astronaut.png,
    and obama_partial_face.jpg, obama_partial_face2.jpg.
    """

    folder: Path

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()


@cache
def faces() -> Faces:
    """The pictures, fetched on first use."""
    folder = cache_folder() / "test-faces"
    if not all(_is_good(folder / name) for name in _FILES):
        _fetch(folder)
    wrong = [name for name in _FILES if not _is_good(folder / name)]
    if wrong:
        raise RuntimeError(f"test pictures are not the expected ones: {', '.join(wrong)}")
    return Faces(folder)


def shared_data() -> Path | None:
    """The folder with the larger data sets, where this machine has one."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


def _is_good(path: Path) -> bool:
    return path.is_file() and sha256_of(path) == _FILES[path.name]


def _fetch(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        staging = Path(name)
        _download(_PORTRAITS, staging, "--no-binary=:all:")
        _download(_ASTRONAUT, staging, "--only-binary=:all:")
        (archive,) = staging.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            for member in packed:
                if Path(member.name).name in _FILES and member.isfile():
                    source = packed.extractfile(member)
                    assert source is not None
                    _place(source.read(), folder / Path(member.name).name)
        (wheel,) = staging.glob("*.whl")
        with zipfile.ZipFile(wheel) as zipped:
            _place(zipped.read("skimage/data/astronaut.png"), folder / "astronaut.png")


def _download(package: str, folder: Path, kind: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", kind]
    subprocess.run([*command, "--dest", str(folder), package], check=True)


def _place(data: bytes, path: Path) -> None:
    """Writes under the final name in one step: two test runs may fetch at once."""
    part = path.with_name(f".{path.name}-{os.getpid()}")
    part.write_bytes(data)
    shutil.move(part, path)
