"""What the user of `prepare` chose."""

from __future__ import annotations

from dataclasses import dataclass, field

from training.data.archive import UnpackLimits
from training.data.chips import Tower
from training.data.decide import FaceChoice
from training.data.paper import PaperLayout
from training.data.shard import Shard
from training.data.splits import Shares, SplitBy


@dataclass(frozen=True)
class Options:
    """The settings of a run.

    Attributes:
        clean: The face that agrees with its folder is taken, whatever `face` says.
        paper: The paper's three folders, or None if they are not asked for.
        seed: Of the splits and of the paper's folders.
        shard: The part to do, or None for the whole and its end.
    """

    tower: Tower = Tower.SFACE
    face: FaceChoice = FaceChoice.LARGEST
    clean: bool = False
    drop_near_duplicates: bool = False
    split: SplitBy = SplitBy.IDENTITY
    shares: Shares = field(default_factory=Shares)
    seed: int = 1
    limits: UnpackLimits = field(default_factory=UnpackLimits)
    paper: PaperLayout | None = None
    shard: Shard | None = None
    quiet: bool = False
