"""What a run has done so far, so that the next one goes on from there.

`state/settings.json` says what the chips are made with; a folder made with other
settings is not mixed with. `state/looks.jsonl` gains a line for each picture
looked at; a shard writes a file of its own, such as `state/looks-1-of-2.jsonl`.
All of them are read, so files that shards wrote on other machines count as soon
as they lie there. None is in any way part of the result: `report.json` is written
last.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from training.data import lock
from training.data.errors import DataError
from training.data.look import Look
from training.data.shard import Shard

REPORT = "report.json"
FOLDER = "state"

Looks = dict[str, list[Look]]
"""By name; several where a picture was looked at again, or by two shards."""


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
    """The state kept in the folder `out`, as one shard or the whole run writes it."""

    def __init__(self, out: Path, shard: Shard | None = None) -> None:
        self._folder = out / FOLDER
        self._settings = self._folder / "settings.json"
        self._looks = self._folder / ("looks.jsonl" if shard is None else _name(shard))
        self._out = out

    @property
    def begun(self) -> bool:
        return self._settings.is_file()

    @property
    def finished(self) -> bool:
        """A run has come to its end here, now or before."""
        return (self._out / REPORT).is_file()

    @property
    def has_looks(self) -> bool:
        """There is work in it that would be missed."""
        return any(path.stat().st_size for path in self._all_looks())

    def check(self, settings: dict[str, Any]) -> None:
        """That the folder is free, or was begun with these settings.

        Raises:
            DataError: If it holds something else, or was begun with others.
        """
        if not self.begun:
            if self._out.exists() and not self._is_free():
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

    def _is_free(self) -> bool:
        """Nothing is in it but the locks of a run that is about to begin."""
        if not self._out.is_dir() or any(path != self._folder for path in self._out.iterdir()):
            return False
        inside = self._folder.iterdir() if self._folder.is_dir() else ()
        # A settings file that is only half there was to be the beginning, too.
        return all(path.name.startswith((lock.PREFIX, ".settings")) for path in inside)

    def begin(self, settings: dict[str, Any]) -> None:
        """Keeps the settings, if that was not done before."""
        if not self.begun:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_json(self._settings, settings)

    def looks(self) -> Looks:
        """The looks so far; a line that was cut off by a kill is left out."""
        found: Looks = {}
        for path in self._all_looks():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    look = Look.from_json(json.loads(line))
                except (ValueError, KeyError):
                    continue
                found.setdefault(look.name, []).append(look)
        return found

    def _all_looks(self) -> list[Path]:
        return sorted(self._folder.glob("looks*.jsonl"))

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


def _name(shard: Shard) -> str:
    return f"looks-{shard.stem}.jsonl"
