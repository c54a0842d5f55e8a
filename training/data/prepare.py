"""`prepare`: pictures in, chips, splits and a report out.

Looks at every picture (decode, hash, detect), decides on all of them, cuts the
chips of those kept. A look is kept as soon as it is there and a chip is there
whole or not at all, so a run that was killed goes on where it stood.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.artifact import Artifact, sha256_of
from model.runtimes.openvino_runtime import OpenVinoRuntime
from training.data.archive import UnpackLimits, unpack
from training.data.clean import by_agreement
from training.data.decide import Decision, by_place, decide
from training.data.dropped import write_dropped
from training.data.errors import DataError, DiskFull, saying_disk_full
from training.data.options import Options
from training.data.paper import choose_folders, copy_folders
from training.data.report import make_report
from training.data.source import find_pictures, find_root
from training.data.splits import split_chips
from training.data.stages import Stages
from training.data.state import REPORT, State, write_json

ORIGINALS = "originals"
SPLITS = "splits.json"
DROPPED = "dropped.png"


@dataclass(frozen=True)
class Prepared:
    """The end of a run: what was decided, and how much of it was done now."""

    decision: Decision
    looked: int
    cut: int
    report: dict[str, Any]


def prepare(source: Path, out: Path, artifact: Artifact, options: Options) -> Prepared:
    """Makes `out/chips`, `out/splits.json` and `out/report.json`.

    Raises:
        DataError: If the source is refused; nothing is left of a first run then.
            If the disk is full; the next run goes on.
    """
    settings = _settings(source, artifact, options)
    state = State(out)
    state.check(settings)
    try:
        advice = f"free some space and run it again: it goes on with '{out.name}'"
        with saying_disk_full(advice):
            root = _root(source, out, settings, options.limits)
            return _run(root, out, artifact, options, settings)
    except DiskFull:
        raise
    except DataError:
        # Never a folder that somebody else filled: no run would have begun there.
        if state.begun and not state.finished:
            shutil.rmtree(out)
        raise


def _run(
    root: Path, out: Path, artifact: Artifact, options: Options, settings: dict[str, Any]
) -> Prepared:
    pictures = find_pictures(root)
    # What is known to fail is said before the work, not after it.
    possible = [picture.chip for picture in pictures]
    split_chips(possible, options.split, options.shares, options.seed)
    if options.paper is not None:
        choose_folders(possible, options.paper, options.seed)
    runtime = OpenVinoRuntime(artifact) if options.clean else None
    choose = by_place(options.face) if runtime is None else by_agreement(runtime)
    stages = Stages(root, out, artifact, options, runtime)
    looks, looked = stages.look(pictures)
    decision = decide(pictures, looks, choose, drop_near=options.drop_near_duplicates)
    chips = [one.picture.chip for one in decision.kept]
    splits = split_chips(chips, options.split, options.shares, options.seed)
    paper = options.paper
    folders = None if paper is None else choose_folders(chips, paper, options.seed)
    cut = stages.cut(decision, looks)
    if options.clean:
        write_dropped(out / DROPPED, root, decision, looks)
    copy_folders(out, folders)
    write_json(out / SPLITS, splits)
    report = make_report(settings, options, pictures, decision, splits)
    write_json(out / REPORT, report)
    return Prepared(decision, looked, cut, report)


def _settings(source: Path, artifact: Artifact, options: Options) -> dict[str, Any]:
    """All that decides the chips."""
    if not source.exists():
        raise DataError(f"expected an archive or a folder, found nothing at '{source}'")
    return {
        "source": source.resolve().name,
        "source_sha256": sha256_of(source) if source.is_file() else None,
        "artifact": artifact.manifest.fingerprint,
        "tower": options.tower.value,
        "face": options.face.value,
        "clean": options.clean,
        "drop_near_duplicates": options.drop_near_duplicates,
    }


def _root(source: Path, out: Path, settings: dict[str, Any], limits: UnpackLimits) -> Path:
    """The folder of identities, its layout checked before `out` is made."""
    state = State(out)
    if source.is_dir():
        if out.resolve().is_relative_to(source.resolve()):
            raise DataError(f"expected '{out.name}' to lie outside of the pictures' folder")
        root = find_root(source)
        state.begin(settings)
        return root
    originals = out / ORIGINALS
    if state.begun and originals.is_dir():
        return find_root(originals)
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside `out`: an archive that is refused must not even make the folder.
    beside = out.parent / f".{out.name}-{ORIGINALS}"
    _remove_leftovers(beside)
    unpack(source, beside, limits)
    try:
        find_root(beside)
        state.begin(settings)
        beside.rename(originals)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return find_root(originals)


def _remove_leftovers(beside: Path) -> None:
    """What a run left that was killed while it unpacked."""
    for path in beside.parent.iterdir():
        if path.name == beside.name or path.name.startswith(f".{beside.name}-"):
            shutil.rmtree(path, ignore_errors=True)
