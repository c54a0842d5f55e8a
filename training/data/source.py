"""The pictures of a data set: a folder for each identity, pictures below it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.data.errors import DataError


@dataclass(frozen=True)
class Picture:
    """One file of the source.

    Attributes:
        name: Path below the source, such as "lionel_messi/001.jpg".
        chip: Path of its chip below `chips`, such as "lionel_messi/001.png"; no
            two pictures share one.
    """

    name: str
    chip: str

    @property
    def identity(self) -> str:
        return self.name.split("/")[0]


def find_root(folder: Path) -> Path:
    """The folder that holds the identities: an archive often wraps it in others.

    Raises:
        DataError: If nothing is in it, or a file lies where an identity belongs.
    """
    while True:
        inside = _visible(folder)
        if not inside:
            raise DataError(f"expected a folder for each identity in '{folder.name}', found none")
        stray = next((path for path in inside if not path.is_dir()), None)
        if stray is not None:
            raise DataError(
                f"expected only a folder for each identity in '{folder.name}', "
                f"found the file '{stray.name}'"
            )
        if len(inside) > 1 or not any(path.is_dir() for path in _visible(inside[0])):
            return folder
        folder = inside[0]


def find_pictures(root: Path) -> list[Picture]:
    """Every file of every identity, in the order of names.

    Whatever it claims to be: what is no picture is dropped later with its reason.

    Raises:
        DataError: If there is no file at all.
    """
    pictures = []
    for identity in _visible(root):
        taken: set[str] = set()
        for path in sorted(identity.rglob("*")):
            below = path.relative_to(identity)
            if not path.is_file() or any(part.startswith(".") for part in below.parts):
                continue
            stem = _free("_".join(below.with_suffix("").parts), path.suffix, taken)
            name = path.relative_to(root).as_posix()
            pictures.append(Picture(name=name, chip=f"{identity.name}/{stem}.png"))
    if not pictures:
        raise DataError(f"expected pictures in the folders of '{root.name}', found none")
    return pictures


def _free(stem: str, suffix: str, taken: set[str]) -> str:
    """A stem that no other picture of the identity has, on any file system."""
    wanted = stem
    if wanted.casefold() in taken:
        wanted = f"{stem}_{suffix.removeprefix('.')}"
    number = 2
    while wanted.casefold() in taken:
        wanted, number = f"{stem}_{number}", number + 1
    taken.add(wanted.casefold())
    return wanted


def _visible(folder: Path) -> list[Path]:
    """What is in it but for hidden files and what macOS puts into archives."""
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.name != "__MACOSX"
    )
