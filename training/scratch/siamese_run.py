"""The `scratch-siamese` command: from a folder of chips to a network, plots and numbers."""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from training.data.errors import saying_disk_full
from training.scratch.batch_loss import unit_length
from training.scratch.chips import draw_pairs
from training.scratch.held_out import Divided, Side
from training.scratch.measure import Measured, Pairs, embed, measure, pair_distances
from training.scratch.siamese import init_tower
from training.scratch.siamese_learning import learn_from_batches, learn_siamese
from training.scratch.types import Float, Parameters

PAIRS = 6000


class Loss(StrEnum):
    """What is made small."""

    BATCH = "batch"
    PAIRS = "pairs"


# Rate and batch that were measured to do well on celeba300.
_RATES = {Loss.BATCH: 0.002, Loss.PAIRS: 0.02}


@dataclass(frozen=True)
class Plan:
    """How to learn; wrong values are refused at once, before any work.

    Attributes:
        loss: `batch_loss` with Adam, or the contrastive loss of pairs with plain descent.
        rate: Learning rate, or None for the one that suits the loss.
        batch: Chips (or pairs) in each step.
        filters: Of the two convolutions.
        size: Of an embedding.
        held_out: Share to measure on only.

    Raises:
        ValueError: If a value is out of its range.
    """

    loss: Loss = Loss.BATCH
    rate: float | None = None
    iterations: int = 1000
    batch: int = 64
    filters: tuple[int, int] = (16, 32)
    size: int = 64
    held_out: float = 0.2
    seed: int = 1

    def __post_init__(self) -> None:
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"expected a rate above 0, found {self.rate:g}")
        if self.iterations < 1:
            raise ValueError(f"expected at least 1 iteration, found {self.iterations}")
        if self.batch < 4:
            raise ValueError(f"expected a batch of at least 4, found {self.batch}")
        if not 0.0 < self.held_out < 1.0:
            raise ValueError(f"expected a held-out share between 0 and 1, found {self.held_out:g}")


@dataclass(frozen=True)
class Result:
    """What came out, beside what needs no learning.

    Attributes:
        learned: The trained network.
        untrained: The same network before its first step.
        pixels: Euclidean distance of the chips themselves.
        seconds: Of learning alone.
    """

    split: str
    train_chips: int
    train_identities: int
    held_out_chips: int
    held_out_identities: int
    pairs: int
    learned: Measured
    untrained: Measured
    pixels: Measured
    loss: float
    seconds: float


def read_filters(text: str) -> tuple[int, int]:
    """The numbers of filters in a text such as "16,32".

    Raises:
        ValueError: If it is no such text.
    """
    found = re.fullmatch(r"(\d{1,3}),(\d{1,3})", text, re.ASCII)
    first, second = (int(number) for number in found.groups()) if found else (0, 0)
    if not (first and second):
        raise ValueError(f"expected two numbers of filters such as 16,32, found '{text[:40]}'")
    return first, second


def run(divided: Divided, plan: Plan, out: Path, *, quiet: bool = False) -> Result:
    """Learns from one side, measures on both, and writes parameters, numbers and two plots.

    Args:
        out: Folder for parameters.npz, results.json, loss.png and distances.png; a
            file appears there whole or not at all.

    Raises:
        ValueError: If learning diverged.
        DataError: If the disk is full.
    """
    train, held_out = divided.train, divided.held_out
    start = init_tower(plan.seed, plan.filters, plan.size)
    learn = learn_from_batches if plan.loss is Loss.BATCH else learn_siamese
    rate = _RATES[plan.loss] if plan.rate is None else plan.rate
    began = time.monotonic()
    parameters, losses = learn(
        train.chips,
        train.identities,
        rate,
        plan.iterations,
        batch=plan.batch,
        seed=plan.seed,
        start=start,
        quiet=quiet,
    )
    seconds = time.monotonic() - began
    pairs = (_pairs(train, plan.seed + 1), _pairs(held_out, plan.seed + 2))

    def measured(embeddings: tuple[Float, Float]) -> Measured:
        return measure((embeddings[0], pairs[0]), (embeddings[1], pairs[1]))

    learned = _embedded(divided, parameters, plan.loss)
    result = Result(
        divided.how,
        len(train.chips),
        train.people,
        len(held_out.chips),
        held_out.people,
        PAIRS,
        learned=measured(learned),
        untrained=measured(_embedded(divided, start, plan.loss)),
        pixels=measured((_flat(train), _flat(held_out))),
        loss=float(np.mean(losses[-50:])),
        seconds=seconds,
    )
    # matplotlib is slow to import, and a wrong argument should not wait for it.
    from training.scratch.siamese_plots import plot_distances, plot_losses

    with saying_disk_full("free some space and run it again"):
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".part-") as name:
            staging = Path(name)
            named: dict[str, Any] = dict(parameters)
            np.savez(staging / "parameters.npz", **named)
            content = asdict(plan) | {"rate": rate} | asdict(result)
            text = json.dumps(content | {"losses": losses}, indent=1) + "\n"
            (staging / "results.json").write_text(text, encoding="utf-8")
            plot_losses(losses, staging / "loss.png")
            d = pair_distances(learned[1], pairs[1])
            plot_distances(d, pairs[1].same, result.learned.threshold, staging / "distances.png")
            for path in sorted(staging.iterdir()):
                os.replace(path, out / path.name)
    return result


def report(result: Result, out: Path) -> str:
    """The lines a person reads after the run."""
    lines = [
        f"held out {result.split}",
        f"learned from {result.train_chips} chips of {result.train_identities} identities in "
        f"{result.seconds:.1f} s, measured on {result.held_out_chips} chips of "
        f"{result.held_out_identities}",
        f"share of {result.pairs} pairs told right, half of them of one person; the threshold is "
        "chosen on training pairs:",
    ]
    for name in ("learned", "untrained", "pixels"):
        one: Measured = getattr(result, name)
        lines.append(f"  {name:<9}  held out {one.held_out:.2%}   training {one.train:.2%}")
    lines.append(f"plots and parameters in {out}")
    return "\n".join(lines)


def _pairs(side: Side, seed: int) -> Pairs:
    return Pairs(*draw_pairs(side.identities, PAIRS, np.random.default_rng(seed)))


def _embedded(divided: Divided, parameters: Parameters, loss: Loss) -> tuple[Float, Float]:
    both = (embed(divided.train.chips, parameters), embed(divided.held_out.chips, parameters))
    # Compared as they were while learning.
    return (unit_length(both[0]), unit_length(both[1])) if loss is Loss.BATCH else both


def _flat(side: Side) -> Float:
    return side.chips.reshape(len(side.chips), -1)
