"""What decoding no more than needed saves, and what it changes: `python -m bench.decoding`.

CPU time from a JPEG to a chip, decoded whole and as far as needed, and the most memory
that a picture of 50 megapixels takes. With `--data FOLDER` (a folder of pictures, or of
folders) the pictures are made as large as a camera's and seen in both ways: how many
faces, and how alike the embeddings of the same face are.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

from bench.decoding_changes import changes
from model.artifact import read_artifact
from model.faces import Detector
from model.runtimes.openvino_runtime import OpenVinoRuntime
from service.core.core import Core
from service.core.perceive import perceive
from service.core.policy import Policy
from service.core.stopwatch import Stopwatch
from service.storage.memory_store import MemoryStore
from tests.faces import faces

_SIZES = ((250, 250), (640, 480), (1280, 720), (4000, 3000), (3000, 4000))
_LARGEST = (8160, 6120)
_ROUNDS = 15
_WAYS = {"whole": True, "as needed": False}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=Path, default=Path("models/fused"))
    parser.add_argument("--data", type=Path, help="pictures to see in both ways")
    parser.add_argument("--pictures", type=int, default=100, help="how many of them")
    parser.add_argument("--peak", choices=_WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    artifact = read_artifact(options.artifact)
    detector = Detector(artifact.detector, threads=1)
    runtime = OpenVinoRuntime(artifact, threads=1)
    core = Core(runtime, detector, MemoryStore(), Policy())
    if options.peak:
        print(_grown_mib(core, sys.stdin.buffer.read(), whole=_WAYS[options.peak]))
        return
    print(f"CPU from a JPEG to a chip ({options.artifact.name}), median of {_ROUNDS}, one thread:")
    for size in _SIZES:
        spent = _cpu_ms(core, portrait(*size))
        times = "   ".join(f"{way} {ms:6.1f} ms" for way, ms in spent.items())
        print(f"  {size[0]} x {size[1]}".ljust(15), times)
    width, height = _LARGEST
    command = [sys.executable, "-m", "bench.decoding", "--artifact", options.artifact, "--peak"]
    for way in _WAYS:
        done = subprocess.run(
            [*command, way], input=portrait(width, height), capture_output=True, check=True
        )
        print(f"memory for {width} x {height}, {way}: {int(done.stdout)} MiB more at most")
    if options.data:
        print(changes(options.data, options.pictures, detector, runtime))


def portrait(width: int, height: int) -> bytes:
    """A JPEG of one face, as wide as the picture is or filled up with grey."""
    source = Image.open(io.BytesIO(faces().read("obama3.jpg"))).convert("RGB")
    side = min(width, height)
    face = source.crop((0, 0, source.width, source.width)).resize((side, side))
    canvas = Image.new("RGB", (width, height), (120, 120, 120))
    canvas.paste(face, ((width - side) // 2, (height - side) // 2))
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=90)
    return out.getvalue()


def _cpu_ms(core: Core, data: bytes) -> dict[str, float]:
    """Medians of both ways, taken in turn."""
    spent: dict[str, list[float]] = {way: [] for way in _WAYS}
    for _ in range(_ROUNDS + 1):
        for way, whole in _WAYS.items():
            begun = time.process_time()
            perceive(core, data, "error", Stopwatch(), whole=whole)
            spent[way].append((time.process_time() - begun) * 1000)
    return {way: statistics.median(times[1:]) for way, times in spent.items()}


def _grown_mib(core: Core, data: bytes, *, whole: bool) -> int:
    """By how much one picture raises the memory of the process at most. Linux only."""
    perceive(core, portrait(640, 480), "error", Stopwatch())
    Path("/proc/self/clear_refs").write_text("5")  # forget the most that there ever was
    before = _status_kib("VmRSS")
    perceive(core, data, "error", Stopwatch(), whole=whole)
    return (_status_kib("VmHWM") - before) // 1024


def _status_kib(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    main()
