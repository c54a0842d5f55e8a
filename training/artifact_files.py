"""What every command that writes an artifact does with its folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from model.artifact import MANIFEST_NAME, Artifact
from training.data.errors import DataError


def check_place(out: Path) -> None:
    """Returns if an artifact may be written there.

    Raises:
        DataError: If something else than an artifact would be replaced.
    """
    if out.is_dir() and ((out / MANIFEST_NAME).is_file() or not any(out.iterdir())):
        return
    if out.exists() or out.is_symlink():
        raise DataError(f"expected an artifact or nothing at '{out.name}', found something else")


def copying(made: Artifact, leave_out: tuple[str, ...] = ()) -> Callable[[Path], None]:
    """Fills a folder with the files of an artifact, for `model.artifact.write_artifact`.

    Args:
        leave_out: Beginnings of the names of files not to copy.
    """

    def fill(staging: Path) -> None:
        for name in made.manifest.files:
            if not name.startswith(leave_out):
                (staging / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(made.folder / name, staging / name)

    return fill
