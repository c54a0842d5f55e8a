"""What the user of `fit` chose; kept with the run, so that it can go on."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from training.data.chips import Tower
from training.data.errors import DataError
from training.data.state import write_json

FILE = "settings.json"


class Loss(StrEnum):
    """What the tower is taught with."""

    BCE = "bce"
    CONTRASTIVE = "contrastive"
    TRIPLET = "triplet"
    ARCFACE = "arcface"


class StrategyName(StrEnum):
    """How the work of a step is shared out."""

    NONE = "none"
    MIRRORED = "mirrored"
    MULTI_WORKER = "multi-worker"


class Augment(StrEnum):
    """A change of a training chip, drawn afresh each time it is seen."""

    FLIP = "flip"
    BRIGHTNESS = "brightness"
    CROP = "crop"
    JPEG = "jpeg"


@dataclass(frozen=True)
class FitSettings:
    """A whole run.

    Attributes:
        batch: Pairs in a step on each replica (chips, for triplet and arcface).
        rate: Learning rate of Adam.
        epochs: In all; of a pretrained tower, `head_epochs` of them are the head's.
        pairs_per_epoch: Drawn afresh each epoch. None: all pairs of the paper's
            layout where the chips have one, else one pair for each chip. Chips,
            for triplet and arcface.
        early_stop: Epochs without a better loss on dev before it ends; 0 for never.
        keep_best: Whether the epoch with the least loss on dev is exported.
        checkpoint_every: Epochs.
        unfreeze: Layers with weights of a pretrained tower, from the top, to train
            after the head. Of the paper's tower all are trained.
        head_epochs: Of a pretrained tower, on its embeddings.
        head_rate: Learning rate for the head alone.
        mixed: Whether products are taken in half precision.
        xla: Whether a step is compiled by XLA.
    """

    tower: Tower
    loss: Loss = Loss.BCE
    epochs: int = 30
    batch: int = 16
    rate: float = 1e-4
    pairs_per_epoch: int | None = None
    augment: tuple[Augment, ...] = ()
    early_stop: int = 0
    keep_best: bool = False
    checkpoint_every: int = 10
    seed: int = 1
    unfreeze: int = 0
    head_epochs: int = 0
    head_rate: float = 1e-3
    margin: float | None = None
    mixed: bool = False
    xla: bool = False
    strategy: StrategyName = StrategyName.NONE

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise DataError(f"expected {name} of at least 1, found {getattr(self, name)}")
        for name in ("rate", "head_rate"):
            if not 0 < getattr(self, name) < 1:
                raise DataError(f"expected a {name} between 0 and 1, found {getattr(self, name):g}")
        if self.pairs_per_epoch is not None and self.pairs_per_epoch < 2:
            raise DataError(f"expected at least 2 pairs an epoch, found {self.pairs_per_epoch}")
        if self.head_epochs > self.epochs:
            raise DataError(
                f"expected at most {self.epochs} epochs for the head, found {self.head_epochs}"
            )


# What may differ when a run goes on: how long, how the work is done, where the chips lie.
_FREE = frozenset({"epochs", "early_stop", "checkpoint_every", "strategy", "prepared"})


def to_json(settings: FitSettings) -> dict[str, Any]:
    return dataclasses.asdict(settings)


def from_json(content: dict[str, Any]) -> FitSettings:
    """The settings as `to_json` gave them.

    Raises:
        DataError: If it is something else.
    """
    try:
        given = dict(content)
        return FitSettings(
            tower=Tower(given.pop("tower")),
            loss=Loss(given.pop("loss")),
            augment=tuple(Augment(name) for name in given.pop("augment")),
            strategy=StrategyName(given.pop("strategy")),
            **given,
        )
    except (TypeError, KeyError, ValueError) as error:
        raise DataError(f"expected the settings of a fit, found something else: {error}") from error


def read_settings(run: Path) -> FitSettings:
    """The settings of the run in a folder.

    Raises:
        DataError: If none was begun there.
    """
    return from_json(_read(run)["fit"])


def read_data(run: Path) -> dict[str, Any]:
    """The facts of the chips that the run in a folder was begun with.

    Raises:
        DataError: If none was begun there.
    """
    data: dict[str, Any] = _read(run)["data"]
    return data


def keep_settings(run: Path, settings: FitSettings, data: dict[str, Any]) -> bool:
    """Keeps the settings in the run's folder, or checks that it was begun with the same.

    Args:
        data: What else must stay the same: facts of the chips.

    Returns:
        Whether a run was begun here before.

    Raises:
        DataError: If it was begun with others, or holds something else.
    """
    path = run / FILE
    now = {"fit": to_json(settings), "data": data}
    begun = path.is_file()
    if begun:
        _check_same(run, _flat(_read(run)), _flat(json.loads(json.dumps(now))))
    elif run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise DataError(
            f"expected '{run.name}' to be empty or a folder that fit made, found something else"
        )
    run.mkdir(parents=True, exist_ok=True)
    write_json(path, now)
    return begun


def _check_same(run: Path, kept: dict[str, Any], given: dict[str, Any]) -> None:
    for name, value in given.items():
        if name not in _FREE and kept.get(name) != value:
            raise DataError(
                f"'{run.name}' was begun with {name} = {kept.get(name)}, "
                f"now it is {value}; choose another folder"
            )


def _flat(content: dict[str, Any]) -> dict[str, Any]:
    return {**content["fit"], **content["data"]}


def _read(run: Path) -> dict[str, Any]:
    path = run / FILE
    if not path.is_file():
        raise DataError(f"expected a folder that fit made, found no {FILE} in '{run.name}'")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {"fit": content["fit"], "data": content["data"]}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"expected the settings of a fit in '{run.name}/{FILE}'") from error
