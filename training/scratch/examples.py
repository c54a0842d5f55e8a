"""Examples for the network: read, checked, and split into train and held out."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from model.types import AnyArray
from training.scratch.types import Float


def read_examples(path: Path) -> tuple[Float, Float]:
    """X (input_size, m) and y (output_size, m) out of a .npz file with the arrays X and y.

    Raises:
        ValueError: If it is no such file, or the examples are not sound.
    """
    try:
        # Never pickled objects: reading one would run what is written in it.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            X, y = stored["X"], stored["y"]
    except KeyError:
        raise ValueError(f"expected the arrays X and y in {path.name}") from None
    except (ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile):
        raise ValueError(f"{path.name} is not a .npz file of numbers") from None
    return check_examples(X, y)


def check_examples(X: AnyArray, y: AnyArray) -> tuple[Float, Float]:
    """X (input_size, m) and y (output_size, m) in double precision.

    Args:
        y: Labels, 0 or 1. Shape (output_size, m), or (m,) for one output.

    Raises:
        ValueError: If the shapes disagree, there are no examples, a feature is
            not a finite number or a label not 0 or 1.
    """
    for name, array in (("X", X), ("y", y)):
        if array.dtype.kind not in "biuf":
            raise ValueError(f"expected numbers in {name}, found {array.dtype}")
    y = y[np.newaxis] if y.ndim == 1 else y
    if X.ndim != 2 or y.ndim != 2 or X.shape[1] != y.shape[1]:
        raise ValueError(
            "expected X of shape (input_size, m) and y of shape (output_size, m), "
            f"found {X.shape} and {y.shape}"
        )
    if 0 in X.shape or 0 in y.shape:
        raise ValueError("expected at least one example, feature and label, found none")
    if not np.isfinite(X).all():
        raise ValueError("expected finite numbers in X, found infinite ones or NaN")
    if not np.isin(y, (0, 1)).all():
        raise ValueError("expected only 0 and 1 as labels, found others")
    return X.astype(np.float64), y.astype(np.float64)


def split(y: Float, held_out: float, seed: int) -> tuple[AnyArray, AnyArray]:
    """Columns to learn from, and columns held out; each in rising order.

    Drawn at random within each combination of labels, so that both parts have
    the same share of them.

    Args:
        y: Labels. Shape (output_size, m).
        held_out: Share to hold out, in [0, 1).

    Raises:
        ValueError: If one of the parts would have only one kind of label.
    """
    if not 0.0 <= held_out < 1.0:
        raise ValueError(f"expected a held-out share from 0 to below 1, found {held_out:g}")
    generator = np.random.default_rng(seed)
    kinds, kind_of = np.unique(y, axis=1, return_inverse=True)
    kind_of = kind_of.reshape(-1)
    if kinds.shape[1] < 2:
        raise ValueError("expected labels of both kinds, found all the same")
    train: list[AnyArray] = []
    held: list[AnyArray] = []
    for kind in range(kinds.shape[1]):
        members = generator.permutation(np.flatnonzero(kind_of == kind))
        count = round(held_out * len(members))
        if held_out and not 0 < count < len(members):
            raise ValueError(
                f"{len(members)} examples of a kind are too few to hold {held_out:g} of them out"
            )
        held.append(members[:count])
        train.append(members[count:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(held))
