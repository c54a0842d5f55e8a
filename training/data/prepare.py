"""`prepare`: pictures in, chips, splits and a report out.

Looks at every picture (decode, hash, detect), decides on all of them, cuts the
chips of those kept. A look is kept as soon as it is there and a chip is there
whole or not at all, so a run that was killed goes on where it stood. A shard does
its part of the looks, and once all looks are there its part of the chips; it
decides nothing for good: splits and report are the business of a run without one.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from model.artifact import Artifact, sha256_of
from model.runtimes.openvino_runtime import OpenVinoRuntime
from training.data.archive import unpack
from training.data.clean import by_agreement
from training.data.decide import Decision, by_place, decide
from training.data.dropped import write_dropped
from training.data.errors import DataError, DiskFull, saying_disk_full
from training.data.lock import Lock
from training.data.options import Options
from training.data.paper import choose_folders, copy_folders
from training.data.refusal import Leavings
from training.data.report import make_report
from training.data.shard import Shard
from training.data.source import find_pictures, find_root
from training.data.splits import split_chips
from training.data.stages import Stages
from training.data.state import REPORT, State, write_json

ORIGINALS = "originals"
SPLITS = "splits.json"
DROPPED = "dropped.png"

console = Console(stderr=True)


@dataclass(frozen=True)
class Prepared:
    """The end of a run: what was decided, and how much of it was done now."""

    decision: Decision
    looked: int
    cut: int
    report: dict[str, Any]


@dataclass(frozen=True)
class Part:
    """The end of a shard's run.

    Attributes:
        mine: Pictures of this shard.
        waiting: Pictures of other shards at which nobody has looked yet.
    """

    mine: int
    looked: int
    waiting: int
    cut: int


def prepare(source: Path, out: Path, artifact: Artifact, options: Options) -> Prepared:
    """Makes `out/chips`, `out/splits.json` and `out/report.json`.

    Raises:
        DataError: If the source is refused; nothing is left of a first run then.
            If the disk is full; the next run goes on. If another run is at work.
    """
    done = _work(source, out, artifact, replace(options, shard=None))
    assert isinstance(done, Prepared), "asked for no shard"
    return done


def prepare_shard(
    source: Path, out: Path, artifact: Artifact, options: Options, shard: Shard
) -> Part:
    """Does one shard's part of `prepare`; others may be at work in `out` at the same time.

    Raises:
        DataError: As `prepare`.
    """
    done = _work(source, out, artifact, replace(options, shard=shard))
    assert isinstance(done, Part), "asked for a shard"
    return done


def _work(source: Path, out: Path, artifact: Artifact, options: Options) -> Prepared | Part:
    settings = _settings(source, artifact, options)
    state = State(out)
    state.check(settings)
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise DataError(f"expected '{out.name}' to lie outside of the pictures' folder")
    advice = f"free some space and run it again: it goes on with '{out.name}'"
    leavings = Leavings(out)

    def waiting() -> None:
        if not options.quiet:
            console.print(f"another shard is unpacking '{source.name}': waiting for it")

    with saying_disk_full(advice), Lock(out, options.shard) as lock:
        began = False
        try:
            with saying_disk_full(advice):
                with lock.beginning(waiting):
                    # Again: another shard may have begun it with other settings meanwhile.
                    state.check(settings)
                    began = not state.begun
                    state.begin(settings)
                with lock.beginning(waiting):
                    root = _root(source, out, options)
                return _run(root, out, artifact, options, settings)
        except DataError as error:
            # What an earlier run worked for is not thrown away for a wrong option, nor
            # anybody's for a full disk.
            spoilt = began and not isinstance(error, DiskFull)
            kept = state.finished or (state.has_looks and not spoilt)
            if not kept and lock.alone():
                leavings.remove()
            raise


def _run(
    root: Path,
    out: Path,
    artifact: Artifact,
    options: Options,
    settings: dict[str, Any],
) -> Prepared | Part:
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
    shard = options.shard
    if shard is not None and len(looks) < len(pictures):
        return Part(len(shard.of(pictures)), looked, len(pictures) - len(looks), 0)
    decision = decide(pictures, looks, choose, drop_near=options.drop_near_duplicates)
    chips = [one.picture.chip for one in decision.kept]
    if shard is not None:
        return Part(len(shard.of(pictures)), looked, 0, stages.cut(decision, looks))
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


def _root(source: Path, out: Path, options: Options) -> Path:
    """The folder of identities, unpacked if that was not done before."""
    if source.is_dir():
        return find_root(source)
    originals = out / ORIGINALS
    if not originals.is_dir():
        for path in out.glob(f".{ORIGINALS}-*"):
            # What a run left that was killed while it unpacked.
            shutil.rmtree(path, ignore_errors=True)
        unpack(source, originals, options.limits)
    return find_root(originals)
