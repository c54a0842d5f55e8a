"""How often the conflicts of an enrolment are right, and how long the search for them takes.

    python -m bench.conflicts models/sface --data celeba300
    python -m bench.conflicts models/sface --time

Pictures of one person, drawn anew each time, once as they are and once with one of
somebody else for the last; then people who are enrolled already, and some who are
not, under a new name. Nobody is judged here: the rule is the service's own, with the
thresholds of the artifact. Only pictures are taken that it would enrol.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from model import quality
from model.artifact import Artifact, read_artifact
from model.errors import SemblanceError
from model.faces import Detector
from model.runtimes.base import Runtime
from model.types import AnyArray, Array, Image
from service.core.agreement import agreements
from service.core.conflicts import find_conflicts, kind_of
from service.core.core import Core
from service.core.enrol import REJECTIONS
from service.core.perceive import perceive
from service.core.policy import Policy
from service.core.ports import FaceModel, NewReference, Store
from service.core.search import search, threshold
from service.core.stopwatch import Stopwatch
from service.storage.memory_store import MemoryStore
from service.storage.sql_store import open_store
from training.data.errors import DataError
from training.evaluation.left_out import without
from training.evaluation.text import TextTable, markdown
from training.pictures import Embedded, embed_chips, embed_folder, picture_names, warm_up
from training.runtimes import load_runtime

REQUESTS = ((0, 2), (0, 3), (0, 5), (0, 10), (1, 1), (5, 1))
"""References that are stored, and pictures that come."""
REFERENCES = (1, 3, 5)
"""Of each enrolled identity, where other identities are searched."""
_STORED = (0, 1000, 10_000)
_IMAGES = (1, 5)
_REPEATS = 5
_SEARCH_ALL = Policy(conflict_search=10**9)


@dataclass(frozen=True)
class Reported:
    """Shares of pictures that are reported, in [0, 1].

    Attributes:
        identities: That have enough pictures to be drawn.
        right: Of pictures of the person, with no other among them.
        wrong: Of the one picture of somebody else.
        beside: Of pictures of the person that came with it; None if none did.
    """

    identities: int
    right: float
    wrong: float
    beside: float | None


@dataclass(frozen=True)
class Searched:
    """Shares of pictures sent under a new name that match another identity, in [0, 1].

    Attributes:
        gallery: References searched, the mean of both halves.
        enrolled: Of people who are enrolled already.
        strangers: Of people who are not.
    """

    gallery: float
    enrolled: float
    strangers: float


def reported(
    model: FaceModel, people: Embedded, stored: int, new: int, draws: int, seed: int = 0
) -> Reported | None:
    """What is reported of `new` pictures of a person with `stored` references.

    Every identity is as likely as any other, and every picture of somebody else. None if
    no identity has so many pictures, or there is one identity alone.
    """
    names, owner = np.unique(people.identities, return_inverse=True)
    able = np.flatnonzero(np.bincount(owner) >= stored + new)
    if not len(able) or len(names) < 2:
        return None
    generator = np.random.default_rng(seed)
    trusted = np.arange(stored + new) < stored

    def outside(rows: AnyArray) -> NDArray[np.bool_]:
        found = agreements(model, people.embeddings[rows], trusted)
        return np.array([one is not None and one.outlier for one in found[stored:]])

    right, wrong, beside = np.zeros(draws), np.zeros(draws), np.zeros(draws)
    for draw in range(draws):
        person = generator.choice(able)
        rows = generator.choice(np.flatnonzero(owner == person), stored + new, replace=False)
        right[draw] = outside(rows).mean()
        rows[-1] = generator.choice(np.flatnonzero(owner != person))
        found = outside(rows)
        wrong[draw] = found[-1]
        beside[draw] = found[:-1].mean() if new > 1 else 0
    others = float(beside.mean()) if new > 1 else None
    return Reported(len(able), float(right.mean()), float(wrong.mean()), others)


def searched(
    core: Core, people: Embedded, references: int, draws: int, seed: int = 0
) -> Searched | None:
    """One half of the identities is enrolled and the other not, then the reverse.

    Args:
        core: Its model alone is used.
        draws: Pictures of each kind, in each half, if there are so many.

    Returns:
        None if fewer than two identities have a picture more than `references`.
    """
    owner = np.unique(people.identities, return_inverse=True)[1]
    able = np.flatnonzero(np.bincount(owner) > references)
    if len(able) < 2:
        return None
    generator = np.random.default_rng(seed)
    mixed = generator.permutation(able)
    galleries: list[int] = []
    hits: dict[bool, list[float]] = {True: [], False: []}
    for half in (mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]):
        store = MemoryStore()
        inside = np.isin(owner, half)
        kept = np.zeros(len(owner), dtype=bool)
        for person in half:
            rows = generator.choice(np.flatnonzero(owner == person), references, replace=False)
            kept[rows] = True
            enrol(store, core.model, f"{person}", people.embeddings[rows])
        galleries.append(store.count())
        for known, probes in ((True, inside & ~kept), (False, ~inside)):
            rows = generator.permutation(np.flatnonzero(probes))[:draws]
            with_gallery = Core(core.model, core.detector, store, _SEARCH_ALL)
            hits[known] += found_elsewhere(with_gallery, people.embeddings[rows])
    return Searched(
        float(np.mean(galleries)), float(np.mean(hits[True])), float(np.mean(hits[False]))
    )


def found_elsewhere(core: Core, probes: Array) -> Iterator[bool]:
    """Whether each probe (N, D), by itself under a new name, matches somebody enrolled."""
    found = search(core, "", probes)
    for other in found.best if found else ():
        chance = threshold(core.model.manifest, found.compared if found else 0)
        yield kind_of(None, other, chance, new_identity=True) == "like_another_identity"


def references_of(model: FaceModel, name: str, embeddings: Array) -> list[NewReference]:
    mark, landmarks = model.manifest.fingerprint, np.zeros((5, 2), np.float32)
    return [
        NewReference(f"{name} {number}", one, mark, None, None, landmarks, 1.0, None)
        for number, one in enumerate(embeddings)
    ]


def enrol(store: Store, model: FaceModel, name: str, embeddings: Array) -> None:
    store.enrol(name, references_of(model, name, embeddings), limit=len(embeddings))


def pictures(core: Core, folder: Path, runtime: Runtime, *, every: bool) -> Embedded:
    """The pictures that would be enrolled; or with `every`, the face nearest the middle of each.

    Raises:
        DataError: If it is no folder of a folder for each identity, or shows no face.
    """
    names = picture_names(folder)
    loose = next((name for name in names if "/" not in name), None)
    if not names or loose:
        found = f"'{loose}' outside of any" if loose else "no picture"
        raise DataError(f"expected a folder for each identity in '{folder.name}', found {found}")

    def cut(name: str) -> Image | None:
        try:
            percept = perceive(core, (folder / name).read_bytes(), "error", Stopwatch())
        except tuple(REJECTIONS):
            return None
        return None if quality.reasons(percept.quality, core.policy.gate) else percept.chip

    if every:
        people = embed_folder(folder, core.detector, runtime, quiet=False)
    else:
        people = embed_chips(names, cut, runtime, f"embed {folder.name}", quiet=False)
    if not people.names:
        raise DataError(f"expected faces, found none to enrol in {len(names)} pictures")
    return people


def accuracy(core: Core, people: Embedded, draws: int) -> None:
    """Prints both tables, as Markdown."""
    rows = []
    for stored, new in track(REQUESTS, "draw requests"):
        seen = reported(core.model, people, stored, new, draws)
        name = f"one more to {stored} stored" if stored else f"{new} at once, all new"
        if seen:
            beside = "" if seen.beside is None else _percent(seen.beside)
            rows.append(
                (name, f"{seen.identities}", _percent(seen.right), _percent(seen.wrong), beside)
            )
    head = ("pictures", "identities", "right ones reported", "the wrong one found", "right beside")
    print(f"\n{markdown(TextTable('', head, tuple(rows)))}\n")
    rows = []
    for references in track(REFERENCES, "search others"):
        found = searched(core, people, references, draws)
        if found:
            shares = (_percent(found.enrolled), _percent(found.strangers))
            rows.append((f"{references}", f"{found.gallery:.0f}", *shares))
    head = ("references", "searched", "enrolled under another name, found", "stranger, taken for")
    print(f"\n{markdown(TextTable('', head, tuple(rows)))}")


def times(core: Core, stored: int, folder: Path) -> list[tuple[str, ...]]:
    """Rows of what looking for conflicts costs with so many references in a real store."""
    generator = np.random.default_rng(0)
    store = open_store(folder)
    try:
        full = Core(core.model, core.detector, store, _SEARCH_ALL)
        size, each = core.model.manifest.embedding_size, core.policy.max_references
        for at in range(0, stored, each):
            enrol(store, core.model, f"{at}", _unit(generator, min(each, stored - at), size))
        rows = []
        for images in _IMAGES:
            wall, spent = [], []
            for _ in range(_REPEATS):
                new = references_of(core.model, "new", _unit(generator, images, size))
                begun, busy = time.perf_counter(), time.process_time()
                find_conflicts(full, "new", new)
                wall.append(1000 * (time.perf_counter() - begun))
                spent.append(1000 * (time.process_time() - busy))
            middle = (f"{statistics.median(each):.1f} ms" for each in (wall, spent))
            rows.append((f"{stored}", f"{images}", *middle))
        return rows
    finally:
        store.close()


def _unit(generator: np.random.Generator, count: int, size: int) -> Array:
    drawn = generator.normal(size=(count, size)).astype(np.float32)
    unit: Array = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _core(artifact: Artifact, runtime: Runtime) -> Core:
    return Core(runtime, warm_up(Detector(artifact.detector)), MemoryStore(), Policy())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifact", type=Path, nargs="?", default=Path("models/sface"))
    parser.add_argument("--data", type=Path, help="one folder an identity")
    parser.add_argument("--leave-out", default="", help="identities known to be wrongly named")
    parser.add_argument("--draws", type=int, default=1000, help="of each row")
    parser.add_argument(
        "--every-picture", action="store_true", help="also those that would not be enrolled"
    )
    parser.add_argument("--time", action="store_true", help="of the search, instead")
    options = parser.parse_args()
    if (options.data is None) != options.time:
        parser.error("expected either --data or --time")
    if options.draws < 1:
        parser.error(f"expected --draws of 1 or more, found {options.draws}")
    try:
        artifact = read_artifact(options.artifact)
        runtime = load_runtime(artifact, "openvino")
        core = _core(artifact, runtime)
        if not options.time:
            people = pictures(core, options.data, runtime, every=options.every_picture)
            accuracy(core, without(people, options.leave_out), options.draws)
            return
    except (DataError, SemblanceError) as error:
        raise SystemExit(str(error)) from error
    rows = []
    for stored in _STORED:
        with tempfile.TemporaryDirectory() as folder:
            rows += times(core, stored, Path(folder) / "data")
    print(markdown(TextTable("", ("stored", "images", "time", "CPU"), tuple(rows))))


if __name__ == "__main__":
    main()
