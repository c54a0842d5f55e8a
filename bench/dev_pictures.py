"""The identities that the default head was not fitted on, and pictures to leave out."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from model.types import AnyArray
from training.head import held_out_identities
from training.pictures import picture_names


def options_of(description: str | None) -> argparse.ArgumentParser:
    """The options of a bench on pictures of people."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="one folder an identity")
    parser.add_argument("--everyone", action="store_true", help="not the held-out identities alone")
    parser.add_argument("--leave-out", type=Path, help="file with a picture a line")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def held_out(identities: Iterable[str]) -> tuple[str, ...]:
    """The fifth of the identities that `training.head.fit_head` does not fit on, sorted.

    The first that it draws with its seed: they are the same as long as every identity
    of the data has a picture with a face.
    """
    known: AnyArray = np.array(list(identities))
    return tuple(sorted(held_out_identities(known).tolist()))


def pictures_of(folder: Path, *, everyone: bool, leave_out: Path | None) -> list[str]:
    """Pictures of the held-out identities, or of everyone; those with two at least.

    Args:
        leave_out: File with a picture a line, such as wrongly named ones, or None.

    Raises:
        ValueError: If a picture to leave out is not there, or nothing is left.
    """
    names = picture_names(folder)
    if not everyone:
        chosen = set(held_out(name.split("/")[0] for name in names))
        names = [name for name in names if name.split("/")[0] in chosen]
    if leave_out is not None:
        lines = leave_out.read_text(encoding="utf-8").splitlines()
        wrong = {line.split("#")[0].strip() for line in lines} - {""}
        if unknown := sorted(wrong - set(names)):
            raise ValueError(f"expected pictures to leave out, found '{unknown[0]}', which is none")
        names = [name for name in names if name not in wrong]
    owners, counts = np.unique([name.split("/")[0] for name in names], return_counts=True)
    several = set(owners[counts > 1].tolist())
    left = [name for name in names if name.split("/")[0] in several]
    if len(several) < 2:
        raise ValueError(f"expected two identities of two pictures, found {len(several)}")
    return left
