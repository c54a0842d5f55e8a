"""Memory and time of an index that is read from a store of the service's own."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bench.identify.filling import fill
from bench.identify.people import SEED, Distractors
from model.types import Array
from service.core import identify
from service.core.core import Core
from service.core.indexes import Indexes
from service.core.policy import Policy
from service.core.ports import FaceModel
from tests.integration.vaults import open_store
from training.evaluation.text import TextTable, markdown
from training.pictures import Embedded


def times(model: FaceModel, people: Embedded, options: argparse.Namespace) -> str:
    """Memory and time of both kinds of index, as Markdown."""
    probes = people.embeddings[np.random.default_rng(SEED).permutation(len(people.names))]
    rows = []
    with tempfile.TemporaryDirectory() as name, closing(open_store(Path(name))) as store:
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
