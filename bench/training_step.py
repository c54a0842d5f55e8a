"""Seconds of a training step of the paper's network, by how it is compiled.

    python -m bench.training_step

Each way runs in a process of its own; 16 pairs of noise, the median of a few steps.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

WAYS = {
    "float32": {},
    "float32, without oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "bfloat16 (--mixed)": {"BENCH_MIXED": "1"},
    "XLA (--xla)": {"BENCH_XLA": "1"},
}
_PAIRS, _STEPS = 16, 6


def main() -> None:
    """Prints a line for each way, or, as a child, measures one."""
    if "BENCH_CHILD" in os.environ:
        print(f"{_measure(mixed='BENCH_MIXED' in os.environ, xla='BENCH_XLA' in os.environ):.2f}")
        return
    for name, extra in WAYS.items():
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "BENCH_CHILD": "1", **extra}
        command = [sys.executable, "-m", "bench.training_step"]
        seconds = subprocess.run(
            command, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        print(f"{name}: {seconds} s a step of {_PAIRS} pairs", flush=True)


def _measure(*, mixed: bool, xla: bool) -> float:
    import keras
    import numpy as np
    import tensorflow as tf

    from training.data.chips import Tower
    from training.fitting.network import Network
    from training.fitting.settings import FitSettings
    from training.fitting.steps import Steps

    keras.mixed_precision.set_global_policy("mixed_bfloat16" if mixed else "float32")
    settings = FitSettings(Tower.KOCH, mixed=mixed, xla=xla)
    steps = Steps(Network(settings, 2), settings, tf.distribute.get_strategy())
    generator = np.random.default_rng(0)
    chips = generator.integers(0, 256, (2, _PAIRS, 105, 105, 3), dtype=np.uint8)
    same = np.arange(_PAIRS, dtype=np.float32) % 2
    share = np.full(_PAIRS, 1 / _PAIRS, dtype=np.float32)
    batch = tuple(tf.constant(part) for part in (*chips, same, share))
    seconds = []
    for _ in range(_STEPS):
        start = time.perf_counter()
        steps.tower_step(batch).numpy()
        seconds.append(time.perf_counter() - start)
    # The first step compiles.
    return statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
