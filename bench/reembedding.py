"""How long a change of the model takes: `python -m bench.reembedding --data DIR`.

Real faces, enrolled by one model as the service does it, each under several names until
there are as many references as asked for; then `python -m service reembed` by another.
The store is in a folder that is deleted afterwards.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from model.artifact import read_artifact
from model.errors import SemblanceError
from model.runtimes.compiled import CompiledNetworks
from model.runtimes.network import cores
from service.core.core import Core
from service.core.enrol import Upload, enrol
from service.core.policy import Policy
from service.core.ports import NewReference
from service.opening import opened
from service.runtime.load import Way, load
from service.settings import Settings
from service.storage.memory_store import MemoryStore
from tests.integration.model_change_samples import new_references
from tests.running import ROOT

_EACH = 4
_ENDINGS = {".jpg", ".jpeg", ".png"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="pictures, in any folders below")
    parser.add_argument("--old", type=Path, default=Path("models/sface"))
    parser.add_argument("--new", type=Path, default=Path("models/fused"))
    parser.add_argument("--references", type=int, default=10_000)
    parser.add_argument("--pictures", type=int, default=400, help="that are not the same")
    parser.add_argument("--workers", type=int, default=cores())
    parser.add_argument("--batch", type=int, default=16)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, chosen.old, chosen.data, chosen.references, chosen.pictures)
        print(f"{chosen.references} references by {chosen.old}, load {os.getloadavg()[0]:.1f}")
        settings = {"DATA_DIR": folder, "ARTIFACT": chosen.old, "NEXT_ARTIFACT": chosen.new}
        command = [sys.executable, "-m", "service", "reembed", "--artifact", str(chosen.new)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.perf_counter()
        done = subprocess.run(
            [*command, "--workers", str(chosen.workers), "--batch", str(chosen.batch)],
            cwd=ROOT,
            env=os.environ | {f"SEMBLANCE_{k}": str(v) for k, v in settings.items()},
            check=False,
        )
        taken_s = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if done.returncode:
            raise SystemExit(done.returncode)
    print(
        f"{chosen.workers} workers: {taken_s:.1f} s, {used_s:.1f} s of CPU time, "
        f"{1000 * used_s / chosen.references:.1f} ms a reference"
    )


def fill(folder: Path, artifact: Path, data: Path, references: int, pictures: int) -> None:
    """Enrols faces of `data` by a model until the store has so many references."""
    networks = CompiledNetworks(folder / "compiled")
    loaded = load(read_artifact(artifact), Way("openvino", 0, 0.7, networks))
    core = Core(loaded.model, loaded.detector, MemoryStore(), Policy(gate="off", conflicts="off"))
    found: list[NewReference] = []
    paths = sorted(path for path in data.rglob("*") if path.suffix.lower() in _ENDINGS)
    for path in paths[:: max(1, len(paths) // pictures)][:pictures]:
        # No face, or several: not enrolled, as by the service.
        with suppress(SemblanceError):
            enrol(core, path.as_posix(), [Upload(path.read_bytes())])
            found += new_references(core.store, path.as_posix())
    if len(found) < _EACH:
        raise SystemExit(f"found {len(found)} faces in '{data}'")
    store = opened(Settings.model_validate({"data_dir": folder}))
    try:
        for first in range(0, references, _EACH):
            own = [found[(first + n) % len(found)] for n in range(min(_EACH, references - first))]
            store.store.enrol(f"person {first}", own, limit=_EACH)
    finally:
        store.close()


if __name__ == "__main__":
    main()
