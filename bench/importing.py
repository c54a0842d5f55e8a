"""How fast `python -m service import` is, beside what the machine could do at most.

    python -m bench.importing --data celeba300 --pictures 1500

The limit is the same processes with the same pictures, judged, cut and embedded, and
enrolled into a store in memory: without a database, encryption, an audit log, or a look
for conflicts. Both in a folder that is deleted afterwards, with compiled networks at hand.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import cv2

from model.artifact import read_artifact
from model.errors import SemblanceError
from model.runtimes.compiled import CompiledNetworks
from model.runtimes.network import cores
from service.core.core import Core
from service.core.enrol import Upload, enrol
from service.core.policy import Policy
from service.runtime.load import Way, load
from service.storage.memory_store import MemoryStore
from tests.running import ROOT

_core: Core | None = None


def _begin(artifact: Path, networks: Path) -> None:
    global _core  # noqa: PLW0603  # one a process, made before its first task
    cv2.setNumThreads(1)
    loaded = load(read_artifact(artifact), Way("openvino", 1, 0.7, CompiledNetworks(networks)))
    _core = Core(loaded.model, loaded.detector, MemoryStore(), Policy(conflicts="off"))


def _enrol(paths: list[Path]) -> int:
    assert _core is not None
    with suppress(SemblanceError):
        enrol(_core, paths[0].parent.name, [Upload(path.read_bytes()) for path in paths])
    return len(paths)


def limit(people: list[list[Path]], artifact: Path, networks: Path, workers: int) -> float:
    """Pictures a second of all processes, once they have loaded the model."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _begin, (artifact, networks)) as pool:
        pool.map(_enrol, [paths[:1] for paths in people[: 4 * workers]], chunksize=1)
        begun = time.perf_counter()
        count = sum(pool.imap_unordered(_enrol, people))
        return count / (time.perf_counter() - begun)


def imported(folder: Path, data_dir: Path, artifact: Path, workers: int) -> tuple[str, float]:
    """What the command says in the end, and how long it took, its start included."""
    environment = os.environ | {
        "SEMBLANCE_DATA_DIR": str(data_dir),
        "SEMBLANCE_ARTIFACT": str(artifact),
    }
    report = data_dir.with_suffix(".ndjson")
    command = [sys.executable, "-m", "service", "import", str(folder), "--rejects", str(report)]
    begun = time.perf_counter()
    done = subprocess.run(
        [*command, "--workers", str(workers)],
        cwd=ROOT,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode > 1:
        raise SystemExit(done.returncode)
    return done.stdout, time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="one folder an identity")
    parser.add_argument("--artifact", type=Path, default=Path("models/fused"))
    parser.add_argument("--pictures", type=int, default=1500)
    parser.add_argument("--workers", type=int, default=cores())
    chosen = parser.parse_args()
    artifact, workers = chosen.artifact.resolve(), chosen.workers
    with tempfile.TemporaryDirectory() as name:
        folder, few, data = (Path(name) / part for part in ("people", "few", "data"))
        people: list[list[Path]] = []
        for person in sorted(path for path in chosen.data.iterdir() if path.is_dir()):
            if sum(map(len, people)) >= chosen.pictures:
                break
            (folder / person.name).mkdir(parents=True)
            own = sorted(person.iterdir())
            for path in own:
                (folder / person.name / path.name).symlink_to(path.resolve())
            people.append([folder / person.name / path.name for path in own])
        # Compiles the networks, once.
        few.mkdir()
        (few / "one").symlink_to(folder / people[0][0].parent.name)
        imported(few, Path(name) / "warm", artifact, 1)
        (Path(name) / "warm" / "compiled").rename(networks := Path(name) / "compiled")
        data.mkdir()
        (data / "compiled").symlink_to(networks)
        count = sum(map(len, people))
        print(f"{count} pictures of {len(people)} people, load {os.getloadavg()[0]:.1f}")
        fastest = limit(people, artifact, networks, workers)
        print(f"{workers} processes without a store: {fastest:.1f} pictures a second")
        said, taken_s = imported(folder, data, artifact, workers)
        print(said.strip())
        found = re.search(r"enrolled in ([\d.]+) s", said)
        assert found is not None
        speed = count / float(found[1])
        print(
            f"import: {speed:.1f} pictures a second, {100 * speed / fastest:.0f} % of that; "
            f"{count / taken_s:.1f} with the start and end of the command"
        )


if __name__ == "__main__":
    main()
