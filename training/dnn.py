"""The `dnn` command: the network from scratch on features, from file to plots."""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from training.scratch.examples import check_examples, read_examples, split
from training.scratch.learning import History, deep_neural_network
from training.scratch.network import predict
from training.scratch.plane import plane_of
from training.scratch.types import Float, Parameters

if TYPE_CHECKING:
    from training.pictures import Embedded

SEED = 1


@dataclass(frozen=True)
class Examples:
    """What to learn from.

    Attributes:
        X: Features. Shape (input_size, m).
        y: Labels, 0 or 1. Shape (output_size, m).
        names: What labels 0 and 1 are called.
        missed: Pictures in which no face was found; None if these are no pictures.
    """

    X: Float
    y: Float
    names: tuple[str, str] = ("label 0", "label 1")
    missed: int | None = None


@dataclass(frozen=True)
class Plan:
    """How to learn and draw; wrong values are refused at once, before any work.

    Attributes:
        hidden: Neurons of each hidden layer.
        rate: Learning rate of gradient descent.
        dropout: Share of hidden neurons silenced in each iteration.
        held_out: Share of examples to measure on only, drawn with seed 1.
        plane: "pca", or two features such as "0,3", to draw the boundary over.

    Raises:
        ValueError: If a value is out of its range.
    """

    hidden: list[int]
    rate: float = 0.001
    iterations: int = 1000
    dropout: float = 0.0
    held_out: float = 0.0
    plane: str = "pca"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"expected a rate above 0, found {self.rate:g}")
        if self.iterations < 1:
            raise ValueError(f"expected at least 1 iteration, found {self.iterations}")
        for name, share in (("dropout", self.dropout), ("held-out share", self.held_out)):
            if not 0.0 <= share < 1.0:
                raise ValueError(f"expected a {name} from 0 to below 1, found {share:g}")


@dataclass(frozen=True)
class Result:
    """What came out; accuracies are shares of right predictions.

    Attributes:
        commonest: Share that always saying the commonest label gets right, of
            the held-out examples, or of all if none were held out.
        held_out_accuracy: None if nothing was held out.
    """

    train_examples: int
    held_out_examples: int
    train_accuracy: float
    held_out_accuracy: float | None
    commonest: float
    loss: float
    seconds: float


def file_examples(path: Path) -> Examples:
    """The arrays X and y of a .npz file."""
    return Examples(*read_examples(path))


def folder_examples(folder: Path, target: str, artifact: Path, *, quiet: bool) -> Examples:
    """Embeddings of a folder's pictures; label 1 for those of the target's subfolder.

    Raises:
        ValueError: If the folder has no subfolder of that name, or no other.
    """
    if not folder.is_dir():
        raise ValueError(f"expected a folder of identities, found none at '{folder.name}'")
    identities = sorted(path.name for path in folder.iterdir() if path.is_dir())
    if target not in identities or len(identities) < 2:
        raise ValueError(
            f"expected a subfolder '{target}' and others in '{folder.name}', "
            f"found {', '.join(identities) or 'none'}"
        )
    from model.artifact import read_artifact
    from model.faces import Detector
    from model.runtimes.openvino_runtime import OpenVinoRuntime
    from training.pictures import embed_folder

    read = read_artifact(artifact)
    embedded = embed_folder(folder, Detector(read.detector), OpenVinoRuntime(read), quiet=quiet)
    return _examples(embedded, target)


def embedded_examples(path: Path, target: str) -> Examples:
    """The same from a file that `embed` wrote, without embedding anything again.

    Raises:
        ValueError: If nobody in it has that name, or nobody else is in it.
        DataError: If it is no such file.
    """
    from training.embedding.file import read_embedded

    embedded = read_embedded(path)
    identities = sorted(set(embedded.identities.tolist()))
    if target not in identities or len(identities) < 2:
        shown = ", ".join(identities[:10]) or "none"
        raise ValueError(f"expected '{target}' and others in '{path.name}', found {shown}")
    return _examples(embedded, target)


def _examples(embedded: Embedded, target: str) -> Examples:
    X, y = check_examples(embedded.embeddings.T, embedded.identities == target)
    return Examples(X, y, ("others", target), len(embedded.missed))


def run(examples: Examples, plan: Plan, out: Path, *, quiet: bool = False) -> Result:
    """Learns, measures, and writes parameters, history, features and three plots.

    Args:
        out: Folder for parameters.npz, features.npz, result.json, loss.png,
            accuracy.png and boundary.png; a file appears there whole or not at all.

    Raises:
        ValueError: If the plan does not fit the examples, or learning diverged.
    """
    X, y = examples.X, examples.y
    train, held = split(y, plan.held_out, SEED)
    plane = plane_of(plan.plane, X[:, train])
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    # Divergence is reported below, in words.
    with np.errstate(over="ignore", invalid="ignore"):
        parameters, history = deep_neural_network(
            X[:, train],
            y[:, train],
            plan.rate,
            plan.iterations,
            hidden=plan.hidden,
            dropout=plan.dropout,
            seed=SEED,
            quiet=quiet,
        )
    if not all(np.isfinite(array).all() for array in parameters.values()):
        raise ValueError(f"learning diverged at a rate of {plan.rate:g}; try a lower one")
    judged = held if len(held) else train
    ones = y[:, judged].mean(axis=1)
    result = Result(
        train_examples=len(train),
        held_out_examples=len(held),
        train_accuracy=_accuracy(X[:, train], y[:, train], parameters),
        held_out_accuracy=_accuracy(X[:, held], y[:, held], parameters) if len(held) else None,
        commonest=float(np.maximum(ones, 1 - ones).mean()),
        loss=history.losses[-1],
        seconds=time.monotonic() - started,
    )
    # matplotlib is slow to import, and a wrong argument should not wait for it.
    from training.scratch.plots import plot_accuracy, plot_boundary, plot_loss

    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".part-") as name:
        staging = Path(name)
        named: dict[str, Any] = dict(parameters)
        np.savez(staging / "parameters.npz", **named)
        np.savez(staging / "features.npz", X=X, y=y, held_out=held)
        (staging / "result.json").write_text(_json(result, history, parameters), encoding="utf-8")
        plot_loss(history, staging / "loss.png")
        plot_accuracy(history, staging / "accuracy.png")
        plot_boundary(
            X[:, train],
            y[:, train],
            parameters,
            plane,
            names=examples.names,
            path=staging / "boundary.png",
        )
        for path in sorted(staging.iterdir()):
            os.replace(path, out / path.name)
    return result


def report(examples: Examples, result: Result, out: Path) -> str:
    """The lines a person reads after the run."""
    lines = [f"{result.train_examples} examples to learn from, {examples.X.shape[0]} features each"]
    if examples.missed:
        lines.append(f"pictures without a face, left out: {examples.missed}")
    if result.held_out_examples:
        unit = "example" if examples.missed is None else "image (the same people on both sides)"
        lines.append(f"{result.held_out_examples} held out: split by {unit}, seed {SEED}")
    lines.append(f"train accuracy {result.train_accuracy:.2%}, log loss {result.loss:.4f}")
    if result.held_out_accuracy is not None:
        lines.append(f"held-out accuracy {result.held_out_accuracy:.2%}")
    lines.append(f"always saying the commonest label: {result.commonest:.2%}")
    lines.append(f"learned in {result.seconds:.1f} s; plots and parameters in {out}")
    return "\n".join(lines)


def _accuracy(X: Float, y: Float, parameters: Parameters) -> float:
    return float(np.mean(predict(X, parameters) == y))


def _json(result: Result, history: History, parameters: Parameters) -> str:
    sizes = [parameters["W1"].shape[1]]
    sizes += [len(parameters[f"W{i}"]) for i in range(1, len(parameters) // 2 + 1)]
    stored = {"dimensions": sizes, "seed": SEED} | vars(result) | {"history": vars(history)}
    return json.dumps(stored, indent=1) + "\n"
