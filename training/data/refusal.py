"""What a refused run takes away again."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path


class Leavings:
    """What will lie in `out` and the folders made for it, as seen before a run.

    Args:
        out: Not there, or free to be filled: whatever is in it later is the run's.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._made = [folder for folder in (out, *out.parents) if not folder.exists()]

    def remove(self) -> None:
        """Removes it; a folder that was there before stays, empty."""
        for path in self._out.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        for folder in self._made:
            # Others may have put something beside it meanwhile.
            with suppress(OSError):
                folder.rmdir()
