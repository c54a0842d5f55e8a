"""How often the conflicts of an enrolment are right, and how long the search for them takes.

    python -m bench.conflicts models/sface --data celeba300
    python -m bench.conflicts models/sface --time

Pictures of one person, drawn anew each time, once as they are and once with one of
somebody else for the last; then people under a new name, enrolled already or not. Only
pictures that the service would enrol, by its own rule and the artifact's thresholds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from model import quality
from model.artifact import read_artifact
from model.errors import SemblanceError
from model.faces import Detector
from model.runtimes.base import Runtime
from model.types import AnyArray, Array, Image
from service.core.agreement import agreements
from service.core.conflicts import find_conflicts, kind_of
from service.core.core import Core
from service.core.enrol import REJECTIONS
from service.core.indexes import Indexes
from service.core.perceive import perceive
from service.core.policy import Policy
from service.core.ports import FaceModel, NewReference
from service.core.search import search, threshold
from service.core.stopwatch import Stopwatch
from service.storage.memory_store import MemoryStore
from tests.integration.vaults import open_store
from training.data.errors import DataError
from training.evaluation.left_out import without
from training.evaluation.text import TextTable, markdown
from training.pictures import Embedded, embed_chips, picture_names, warm_up
from training.runtimes import load_runtime

REQUESTS = ((0, 2), (0, 3), (0, 5), (0, 10), (1, 1), (5, 1))
"""References that are stored, and pictures that come."""
REFERENCES = (1, 3, 5)
"""Of each enrolled identity, where other identities are searched."""
STORED = (0, 1000, 10_000)
"""References of others, where the search is timed."""
_IMAGES = (1, 5)
_EACH = 5
_REPEATS = 5
_SEED = 0
_SEARCH_ALL = Policy(conflict_search=10**9)


def _percent(share: float) -> str:
    return "" if np.isnan(share) else f"{100 * share:.1f} %"


def reported(
    model: FaceModel, people: Embedded, stored: int, new: int, draws: int
) -> tuple[float, float, float] | None:
    """What is reported of `new` pictures of a person with `stored` references.

    Every identity is as likely as any other, and so is every picture of somebody else.

    Returns:
        Shares in [0, 1] of pictures of the person alone, of the one picture of somebody
        else, and of those that came with it (NaN if none did). None if no identity has so
        many pictures, or there is one identity alone.
    """
    names, owner = np.unique(people.identities, return_inverse=True)
    able = np.flatnonzero(np.bincount(owner) >= stored + new)
    if not len(able) or len(names) < 2:
        return None
    generator = np.random.default_rng(_SEED)
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
        beside[draw] = found[:-1].mean() if new > 1 else np.nan
    return float(right.mean()), float(wrong.mean()), float(beside.mean())


def searched(
    core: Core, people: Embedded, references: int, draws: int
) -> tuple[float, float, float] | None:
    """Pictures sent under a new name that match another identity; by the model of `core`.

    One half of the identities is enrolled and the other not, then the reverse; of each
    kind of picture at most `draws` a half.

    Returns:
        References searched, the mean of both halves; shares in [0, 1] of people who are
        enrolled, and of people who are not. None if fewer than two identities have enough.
    """
    owner = np.unique(people.identities, return_inverse=True)[1]
    generator = np.random.default_rng(_SEED)
    mixed = generator.permutation(np.flatnonzero(np.bincount(owner) > references))
    if len(mixed) < 2:
        return None
    galleries, hits = [], {True: list[bool](), False: list[bool]()}
    for half in np.array_split(mixed, 2):
        full = replace(core, store=MemoryStore(), policy=_SEARCH_ALL, indexes=Indexes())
        inside, kept = np.isin(owner, half), np.zeros(len(owner), dtype=bool)
        for person in half:
            rows = generator.choice(np.flatnonzero(owner == person), references, replace=False)
            kept[rows] = True
            _enrol(full, f"{person}", people.embeddings[rows])
        galleries.append(full.store.count())
        for known, probes in ((True, inside & ~kept), (False, ~inside)):
            rows = generator.permutation(np.flatnonzero(probes))[:draws]
            hits[known] += _matches(full, people.embeddings[rows])
    return float(np.mean(galleries)), float(np.mean(hits[True])), float(np.mean(hits[False]))


def _matches(core: Core, probes: Array) -> list[bool]:
    """Whether each probe (N, D), by itself under a new name, matches somebody enrolled."""
    found = search(core, "", probes)
    assert found is not None  # _SEARCH_ALL
    chance = threshold(core.model.manifest, found.compared)
    return [kind_of(None, one, chance, new_identity=True) is not None for one in found.best]


def _references(core: Core, name: str, embeddings: Array) -> list[NewReference]:
    mark, points = core.model.manifest.fingerprint, np.zeros((5, 2), np.float32)
    named = [(f"{name} {number}", one) for number, one in enumerate(embeddings)]
    return [NewReference(name, one, mark, None, None, points, 1.0, None) for name, one in named]


def _enrol(core: Core, name: str, embeddings: Array) -> None:
    core.store.enrol(name, _references(core, name, embeddings), limit=len(embeddings))


def pictures(core: Core, folder: Path, runtime: Runtime) -> Embedded:
    """The pictures that the service would enrol.

    Raises:
        DataError: If it is no folder of a folder for each identity, or shows no face.
    """
    names = picture_names(folder)
    if not names or any("/" not in name for name in names):
        found = "pictures outside of any" if names else "no picture"
        raise DataError(f"expected a folder for each identity in '{folder.name}', found {found}")

    def cut(name: str) -> Image | None:
        try:
            percept = perceive(core, (folder / name).read_bytes(), "error", Stopwatch())
        except tuple(REJECTIONS):
            return None
        return None if quality.reasons(percept.quality, core.policy.gate) else percept.chip

    people = embed_chips(names, cut, runtime, f"embed {folder.name}", quiet=False)
    if not people.names:
        raise DataError(f"expected faces, found none to enrol in {len(names)} pictures")
    return people


def tables(core: Core, people: Embedded, draws: int) -> str:
    """What is reported, and who is found, as Markdown.

    Raises:
        DataError: If there are too few people, or pictures of each, for any row.
    """
    requests: list[tuple[str, ...]] = []
    for stored, new in track(REQUESTS, "draw requests"):
        name = f"one more to {stored} stored" if stored else f"{new} at once, all new"
        if (seen := reported(core.model, people, stored, new, draws)) is not None:
            requests.append((name, *map(_percent, seen)))
    if not requests:
        raise DataError("expected more people, or more pictures of each, for any row")
    names: list[tuple[str, ...]] = []
    for references in track(REFERENCES, "search others"):
        if (found := searched(core, people, references, draws)) is not None:
            names.append((f"{references}", f"{found[0]:.0f}", *map(_percent, found[1:])))
    head = ("pictures", "right ones reported", "wrong one found", "right ones beside it")
    under = ("references", "searched", "enrolled under another name, found", "stranger taken for")
    counts = f"{len(np.unique(people.identities))} identities, {len(people.names)} pictures"
    shown = (TextTable("", head, tuple(requests)), TextTable("", under, tuple(names)))
    return "\n\n".join((counts, *map(markdown, shown)))


def times(core: Core, stored: int) -> list[tuple[str, ...]]:
    """Rows of what looking for conflicts costs with so many references in the SQL store."""
    size, generator = core.model.manifest.embedding_size, np.random.default_rng(_SEED)

    def drawn(count: int) -> Array:
        normal = generator.normal(size=(count, size))
        return np.asarray(normal / np.linalg.norm(normal, axis=1, keepdims=True), np.float32)

    rows = []
    with tempfile.TemporaryDirectory() as folder, closing(open_store(Path(folder))) as store:
        full = replace(core, store=store, policy=_SEARCH_ALL, indexes=Indexes())
        for at in range(0, stored, _EACH):
            _enrol(full, f"{at}", drawn(min(_EACH, stored - at)))
        for images in _IMAGES:
            wall, spent = [], []
            for _ in range(_REPEATS):
                new = _references(full, "new", drawn(images))
                begun, busy = time.perf_counter(), time.process_time()
                find_conflicts(full, "new", new)
                wall.append(time.perf_counter() - begun)
                spent.append(time.process_time() - busy)
            medians = (f"{1000 * statistics.median(each):.1f} ms" for each in (wall, spent))
            rows.append((f"{stored}", f"{images}", *medians))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifact", type=Path, nargs="?", default=Path("models/sface"))
    parser.add_argument("--data", type=Path, help="one folder an identity")
    parser.add_argument("--leave-out", default="", help="identities known to be wrongly named")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--time", action="store_true", help="of the search, instead")
    options = parser.parse_args()
    if (options.data is None) != options.time or options.draws < 1:
        parser.error("expected either --data or --time, and 1 or more --draws")
    try:
        artifact = read_artifact(options.artifact)
        runtime = load_runtime(artifact, "openvino")
        core = Core(runtime, warm_up(Detector(artifact.detector)), MemoryStore(), Policy())
        if options.time:
            rows = tuple(row for stored in STORED for row in times(core, stored))
            print(markdown(TextTable("", ("stored", "images", "time", "CPU"), rows)))
        else:
            people = pictures(core, options.data, runtime)
            print(tables(core, without(people, options.leave_out), options.draws))
    except (DataError, SemblanceError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
