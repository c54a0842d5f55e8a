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
from training.data.look import Look, look_at
from training.data.options import Options
from training.data.source import Picture
from training.data.state import Looks, State
from training.pictures import warm_up

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
        """A look at each picture, and how many were not there yet.

        With a shard, only pictures of it are looked at; those of others are in the
        answer as far as they are there.
        """
        shard = self.options.shard
        state = State(self.out, shard)
        known = self._current(pictures, state.looks())
        mine = pictures if shard is None else shard.of(pictures)
        missing = [picture for picture in mine if picture.name not in known]
        if not missing:
            return known, 0
        detector = warm_up(Detector(self.artifact.detector))
        model = self.artifact.manifest.fingerprint

        def look(picture: Picture) -> Look:
            path = self.root / picture.name
            return look_at(path, picture.name, model, detector, self.runtime)

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

    def _current(self, pictures: list[Picture], looks: Looks) -> dict[str, Look]:
        """The looks that are at the pictures as they are now."""
        model, embedded = self.artifact.manifest.fingerprint, self.runtime is not None
        return {
            picture.name: look
            for picture in pictures
            for look in looks.get(picture.name, [])
            if look.is_of(self.root / picture.name, model, embedded=embedded)
        }

    def cut(self, decision: Decision, looks: dict[str, Look]) -> int:
        """Cuts the chips that are missing, removes those that do not belong; how many were cut.

        A shard cuts its part of them and removes none: others are at work there.
        """
        folder, shard = self.out / CHIPS, self.options.shard
        if shard is None:
            wanted = {folder / one.picture.chip for one in decision.kept}
            for path in folder.rglob("*"):
                if path.is_file() and path not in wanted:
                    path.unlink()
        mine = list(decision.kept) if shard is None else shard.of(decision.kept)
        missing = [one for one in mine if not (folder / one.picture.chip).is_file()]
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
