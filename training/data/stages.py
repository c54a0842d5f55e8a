"""The two long stages of `prepare`: look at pictures, cut chips. Both go on where they stood."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from model.artifact import Artifact
from model.faces import Detector
from model.runtimes.base import Runtime
from training.data.chips import CHIPS, chip_form, cut_chip
from training.data.decide import Decision
from training.data.look import Look, look_at, stamp_of
from training.data.options import Options
from training.data.source import Picture
from training.data.state import State

# The detector uses every core by itself; a second worker decodes meanwhile.
_WORKERS = 2


@dataclass(frozen=True)
class Stages:
    """The stages over the pictures below `root`, written to `out`.

    Attributes:
        runtime: Embeds the faces that are found, or None if nobody asks for it.
    """

    root: Path
    out: Path
    artifact: Artifact
    options: Options
    runtime: Runtime | None

    def look(self, pictures: list[Picture]) -> tuple[dict[str, Look], int]:
        """A look at each picture, and how many were not there yet."""
        state = State(self.out)
        known = state.looks()
        missing = [picture for picture in pictures if not self._is_known(picture, known)]
        if not missing:
            return known, 0
        detector = Detector(self.artifact.detector)

        def look(picture: Picture) -> Look:
            return look_at(self.root / picture.name, picture.name, detector, self.runtime)

        with ThreadPoolExecutor(_WORKERS) as pool, state.appending() as file:
            shown = track(
                zip(missing, pool.map(look, missing), strict=True),
                "look at pictures",
                total=len(missing),
                disable=self.options.quiet,
            )
            for picture, seen in shown:
                # A chip of what the file was before is not a chip of it now.
                (self.out / CHIPS / picture.chip).unlink(missing_ok=True)
                state.keep(file, seen)
                known[seen.name] = seen
        return known, len(missing)

    def _is_known(self, picture: Picture, known: dict[str, Look]) -> bool:
        look = known.get(picture.name)
        return look is not None and look.stamp == stamp_of(self.root / picture.name)

    def cut(self, decision: Decision, looks: dict[str, Look]) -> int:
        """Cuts the chips that are missing, removes those that do not belong; how many were cut."""
        folder = self.out / CHIPS
        wanted = {folder / one.picture.chip for one in decision.kept}
        for path in folder.rglob("*"):
            if path.is_file() and path not in wanted:
                path.unlink()
        missing = [one for one in decision.kept if not (folder / one.picture.chip).is_file()]
        form = chip_form(self.options.tower, self.artifact.manifest)

        def cut(number: int) -> None:
            one = missing[number]
            face = looks[one.picture.name].faces[one.face]
            cut_chip(self.root / one.picture.name, face, form, folder / one.picture.chip)

        with ThreadPoolExecutor(_WORKERS) as pool:
            done = pool.map(cut, range(len(missing)))
            for _ in track(done, "cut chips", total=len(missing), disable=self.options.quiet):
                pass
        return len(missing)
