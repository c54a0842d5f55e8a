"""What a run has done so far, so that the next one goes on from there.

`state/settings.json` says what the chips are made with; a folder made with other
settings is not mixed with. `state/looks.jsonl` gains a line for each picture
looked at. Both are in no way part of the result: `report.json` is written last.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from training.data.errors import DataError
from training.data.look import Look

REPORT = "report.json"
_FOLDER = "state"


def write_json(path: Path, content: object) -> None:
    """Writes JSON, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        text = json.dumps(content, indent=2) + "\n"
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


class State:
    """The state kept in the folder `out`."""

    def __init__(self, out: Path) -> None:
        self._settings = out / _FOLDER / "settings.json"
        self._looks = out / _FOLDER / "looks.jsonl"
        self._out = out

    @property
    def begun(self) -> bool:
        return self._settings.is_file()

    @property
    def finished(self) -> bool:
        """A run has come to its end here, now or before."""
        return (self._out / REPORT).is_file()

    def check(self, settings: dict[str, Any]) -> None:
        """That the folder is free, or was begun with these settings.

        Raises:
            DataError: If it holds something else, or was begun with others.
        """
        if not self.begun:
            if self._out.exists() and (not self._out.is_dir() or any(self._out.iterdir())):
                raise DataError(
                    f"expected '{self._out.name}' to be empty or a folder that prepare made, "
                    "found something else"
                )
            return
        kept = json.loads(self._settings.read_text(encoding="utf-8"))
        for name, value in settings.items():
            if kept.get(name) != value:
                raise DataError(
                    f"'{self._out.name}' was made with {name} = {kept.get(name)}, "
                    f"now it is {value}; choose another folder"
                )

    def begin(self, settings: dict[str, Any]) -> None:
        """Makes the folder and keeps the settings, if that was not done before."""
        if not self.begun:
            self._settings.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._settings, settings)

    def looks(self) -> dict[str, Look]:
        """The looks so far by name; a line that was cut off by a kill is left out."""
        found = {}
        if self._looks.is_file():
            for line in self._looks.read_text(encoding="utf-8").splitlines():
                try:
                    look = Look.from_json(json.loads(line))
                except (ValueError, KeyError):
                    continue
                found[look.name] = look
        return found

    @contextmanager
    def appending(self) -> Iterator[IO[str]]:
        """For `keep`; begins on a line of its own, whatever was cut off before."""
        with self._looks.open("a", encoding="utf-8") as file:
            if file.tell():
                file.write("\n")
            yield file

    @staticmethod
    def keep(file: IO[str], look: Look) -> None:
        file.write(json.dumps(look.to_json()) + "\n")
        # After a kill, what has been written here is not done again.
        file.flush()
