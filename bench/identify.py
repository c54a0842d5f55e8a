"""Identification: right, and how fast among a million.

    python -m bench.identify models/fused --data celeba300 --leave-out ...
    python -m bench.identify models/fused --data celeba300 --time --references 1000000

Real faces are enrolled beside synthetic ones (distractors), which are drawn with the mean
and the covariance of the real ones' embeddings, at unit length. The first form compares
the candidates of the index with a look at every score, and counts false positive and false
negative identifications. The second fills a store of the service's own (SQLite, sealed)
and measures the index that is read from it. Embeddings are kept beside the data set's
folder name in --keep, so that a second run need not make them again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.progress import track
from sqlalchemy import insert

from model.artifact import read_artifact
from model.errors import SemblanceError
from model.types import AnyArray, Array
from service.core import identify
from service.core.core import Core
from service.core.fpir import bar
from service.core.indexes import Indexes
from service.core.policy import Policy
from service.core.ports import FaceModel
from service.core.sketches import Sketches
from service.core.vectors import Blocks, Vectors
from service.security.vault import AesDataKey
from service.storage.data_keys import about_key, data_keys, new_key_id
from service.storage.sealing import Details, Seal
from service.storage.sql_store import SqlStore
from service.storage.tables import face_references, identities
from tests.integration.vaults import VAULT, open_store
from training.data.errors import DataError
from training.evaluation.left_out import without
from training.evaluation.sources import Choice, open_corpus
from training.evaluation.text import TextTable, markdown
from training.pictures import Embedded
from training.runtimes import load_runtime

_SEED = 0
_EACH = 4
"""References of a synthetic identity, in the store."""
_PAGE = 20_000
_ENROLLED = 3
"""References of a real person."""
_FPIRS = (0.1, 0.01)


def people_of(options: argparse.Namespace, model: Any) -> Embedded:
    """The real faces, embedded as the service does it, or as kept by an earlier run."""
    keep: Path | None = options.keep
    if keep is not None and keep.is_file():
        found = np.load(keep)
        people = Embedded(
            tuple(found["names"].tolist()), found["identities"], found["embeddings"], ()
        )
    else:
        artifact = read_artifact(options.artifact)
        people = open_corpus(Choice(data=options.data), artifact, model, quiet=False).embedded
        if keep is not None:
            np.savez(
                keep,
                embeddings=people.embeddings,
                names=np.array(people.names),
                identities=np.array(people.identities),
            )
    return without(people, options.leave_out)


class Distractors:
    """Draws embeddings like those of real people."""

    def __init__(self, embeddings: Array) -> None:
        centred = embeddings - embeddings.mean(axis=0)
        covariance = centred.T @ centred / len(embeddings)
        values, vectors = np.linalg.eigh(covariance.astype(np.float64))
        self._mean = embeddings.mean(axis=0)
        self._root = np.asarray(vectors * np.sqrt(np.maximum(values, 0)), np.float32)
        self._generator = np.random.default_rng(_SEED)

    def drawn(self, count: int) -> Array:
        """Shape (count, D), of unit length."""
        normal = self._generator.standard_normal((count, self._root.shape[1]), np.float32)
        rows = self._mean + normal @ self._root.T
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def split(people: Embedded) -> tuple[AnyArray, AnyArray, AnyArray, AnyArray]:
    """Rows of references, of probes of the same people, of strangers; and everybody's number."""
    owner = np.unique(people.identities, return_inverse=True)[1]
    generator = np.random.default_rng(_SEED)
    able = generator.permutation(np.flatnonzero(np.bincount(owner) > _ENROLLED))
    enrolled = able[: len(able) // 2]
    kept = np.zeros(len(owner), dtype=bool)
    for person in enrolled:
        own = np.flatnonzero(owner == person)
        kept[generator.choice(own, _ENROLLED, replace=False)] = True
    inside = np.isin(owner, enrolled)
    return (
        np.flatnonzero(kept),
        np.flatnonzero(inside & ~kept),
        np.flatnonzero(~inside & np.isin(owner, able)),
        owner,
    )


def rates(model: FaceModel, people: Embedded, most_probes: int, sizes: Sequence[int]) -> str:
    """Recall of the candidates, and false identifications, as Markdown."""
    references, mated, strangers, owner = split(people)
    generator = np.random.default_rng(_SEED)
    mated, strangers = (generator.permutation(rows)[:most_probes] for rows in (mated, strangers))
    distractors = Distractors(people.embeddings)
    recalls: list[tuple[str, ...]] = []
    errors: list[tuple[str, ...]] = []
    for size in sizes:
        more = distractors.drawn(size)
        gallery = np.concatenate([people.embeddings[references], more])
        owners = np.concatenate([owner[references], np.arange(size) + len(owner)])
        vectors: dict[str, Vectors] = {"exact": Blocks()}
        if size:
            vectors["approximate"] = Sketches(gallery.shape[1])
        for one in vectors.values():
            one.put(np.arange(len(gallery)), gallery)
        looked = [
            (row, model.score(people.embeddings[row], gallery))
            for row in track([*mated, *strangers], f"score all of {len(gallery)}")
        ]
        who = np.array([owners[int(scores.argmax())] for _, scores in looked])
        right = who[: len(mated)] == owner[mated]
        for way, one in vectors.items():
            hits = [
                _recalled(one, people.embeddings[row], scores, owners) for row, scores in looked
            ]
            own = np.array(hits)[: len(mated)][right, 0].mean()
            means = (own, *np.mean(hits, axis=0))
            recalls.append((f"{len(gallery)}", way, *(f"{100 * mean:.2f} %" for mean in means)))
        best = np.array([scores.max() for _, scores in looked])
        for wanted in _FPIRS:
            limit = _bar(model, len(gallery), wanted)
            above = best > limit.threshold.value
            assert limit.fpir is not None
            errors.append(
                (
                    f"{len(gallery)}",
                    f"{wanted:g}",
                    f"{limit.fpir:.2g}",
                    f"{100 * above[len(mated) :].mean():.2f} %",
                    f"{100 * (1 - right.mean()):.2f} %",
                    f"{100 * (1 - (right & above[: len(mated)]).mean()):.2f} %",
                )
            )
    counts = (
        f"{len(np.unique(owner[references]))} people with {_ENROLLED} references each; "
        f"{len(mated)} probes of them, {len(strangers)} of others"
    )
    recall = (
        *("references", "search", "own identity found, where it is the best"),
        *("best identity found", "best five found"),
    )
    error = (
        *("references", "max_fpir", "fpir in the answer", "strangers taken for somebody (FPIR)"),
        *("own identity not first", "not first, or below the threshold (FNIR)"),
    )
    tables = (TextTable("", recall, tuple(recalls)), TextTable("", error, tuple(errors)))
    return "\n\n".join((counts, *map(markdown, tables)))


def _recalled(
    vectors: Vectors, probe: Array, scores: Array, owners: AnyArray
) -> tuple[float, float]:
    """Whether the best identity by all scores is among the candidates; share of the best five."""
    count = max(identify._FEWEST, identify._EACH * identify.DEFAULT_CANDIDATES)
    (slots,) = vectors.nearest(probe[None], count)
    found = _best_five(scores[slots], owners[slots])
    right = _best_five(scores, owners)
    return float(found[:1] == right[:1]), len(set(found) & set(right)) / max(len(right), 1)


def _best_five(scores: Array, owners: AnyArray) -> list[int]:
    order = np.argsort(-scores, kind="stable")[:200]
    return list(dict.fromkeys(owners[order].tolist()))[:5]


def _bar(model: FaceModel, references: int, wanted: float) -> Any:
    calibration = model.manifest.calibration
    return bar(calibration, references, detection=None, max_fpir=None, default=wanted)


def fill(store: SqlStore, fingerprint: str, distractors: Distractors, count: int) -> None:
    """Puts so many references into the store as the service seals them, many at a time."""
    now = datetime.now(UTC)
    points = np.zeros((5, 2), np.float32)
    for at in track(range(0, count, _PAGE), "fill the store"):
        people: list[dict[str, Any]] = []
        rows: list[dict[str, Any]] = []
        keys: list[dict[str, Any]] = []
        for number, embedding in enumerate(distractors.drawn(min(_PAGE, count - at)), start=at):
            owner = number // _EACH + 1
            name = f"default/person {owner:08}"
            if number % _EACH == 0:
                key_id = new_key_id()
                key, wrapped = VAULT.make(about_key(data_keys, key_id))
                assert isinstance(key, AesDataKey)
                keys.append({"key_id": key_id, "wrapped": wrapped})
                people.append(
                    {"id": owner, "name": name, "created_at": now, "revision": owner}
                    | {"data_key": key_id}
                )
            reference_id = f"{number:032x}"
            seal = Seal(key, name, reference_id)
            rows.append(
                {
                    "reference_id": reference_id,
                    "identity_id": owner,
                    "content_hash": f"{number:064x}",
                    "embedding": seal.embedding(embedding),
                    "details": seal.details(Details("", points, None)),
                    "fingerprint": fingerprint,
                    "quality": 1.0,
                    "created_at": now,
                }
            )
        with store.databases.keys.begin() as connection:
            connection.execute(insert(data_keys), keys)
        with store.engine.begin() as connection:
            connection.execute(insert(identities), people)
            connection.execute(insert(face_references), rows)


def times(model: FaceModel, people: Embedded, options: argparse.Namespace) -> str:
    """Memory and time of both kinds of index, as Markdown."""
    probes = people.embeddings[np.random.default_rng(_SEED).permutation(len(people.names))]
    rows = []
    with _folder() as folder, closing(open_store(folder)) as store:
        detector: Any = None  # no picture is looked at
        core = Core(model, detector, store, Policy())
        begun = time.perf_counter()
        fill(store, core.fingerprint, Distractors(people.embeddings), options.references)
        print(f"filled in {time.perf_counter() - begun:.0f} s", flush=True)
        for way in options.ways.split(","):
            up_to = options.references if way == "exact" else 0
            one = replace(core, indexes=Indexes(2**36, up_to))
            rows.append(_timed(one, way, probes[: options.probes]))
            print(rows[-1], flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")
    head = (
        "search",
        "memory of the index",
        "the process grew by",
        "read and built in",
        "p50",
        "p99",
        "CPU",
        "8 at once, p50",
        "and a second",
    )
    return markdown(TextTable("", head, tuple(rows)))


def _timed(core: Core, way: str, probes: Array) -> tuple[str, ...]:
    from concurrent.futures import ThreadPoolExecutor

    process = psutil.Process()
    before = process.memory_info().rss
    begun, building_s = time.perf_counter(), time.process_time()
    core.indexes.nearest(core, probes[0], 1, patient=True)
    built_s, building_s = time.perf_counter() - begun, time.process_time() - building_s
    grown = process.memory_info().rss - before

    def search(probe: Array) -> float:
        at = time.perf_counter()
        found = identify._search(core, probe, identify.DEFAULT_CANDIDATES)
        assert found.way == way
        return 1000 * (time.perf_counter() - at)

    search(probes[0])
    used_s = time.process_time()
    alone = [search(probe) for probe in probes]
    used_ms = 1000 * (time.process_time() - used_s) / len(probes)
    with ThreadPoolExecutor(8) as pool:
        begun = time.perf_counter()
        together = list(pool.map(search, probes))
        spent_s = time.perf_counter() - begun
    return (
        way,
        f"{core.indexes.size_bytes / 2**20:.0f} MiB",
        f"{grown / 2**20:.0f} MiB",
        f"{built_s:.0f} s ({building_s:.0f} s of CPU)",
        *(f"{np.percentile(alone, q):.1f} ms" for q in (50, 99)),
        f"{used_ms:.1f} ms",
        f"{np.percentile(together, 50):.1f} ms",
        f"{len(together) / spent_s:.0f}",
    )


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifact", type=Path, nargs="?", default=Path("models/fused"))
    parser.add_argument("--data", type=Path, required=True, help="one folder an identity")
    parser.add_argument("--leave-out", default="", help="identities known to be wrongly named")
    parser.add_argument("--keep", type=Path, help="a file .npz of the real embeddings")
    parser.add_argument("--time", action="store_true", help="memory and time, instead of errors")
    parser.add_argument("--references", type=int, default=1_000_000)
    parser.add_argument("--distractors", default="0,10000,100000")
    parser.add_argument("--ways", default="exact,approximate")
    parser.add_argument("--probes", type=int, default=300)
    options = parser.parse_args()
    if "OPENBLAS_NUM_THREADS" not in os.environ:
        # As the service is run; numpy has read it already.
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "bench.identify", *sys.argv[1:]])
    try:
        model = load_runtime(read_artifact(options.artifact), "openvino")
        people = people_of(options, model)
        print(f"load {os.getloadavg()[0]:.1f}")
        if options.time:
            print(times(model, people, options))
        else:
            sizes = [int(size) for size in options.distractors.split(",")]
            print(rates(model, people, options.probes, sizes))
    except (DataError, SemblanceError) as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
