"""What each epoch came to: a table on disk, TensorBoard's logs, curves as PNG."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.data.state import write_json

FILE = "history.json"
_TRAIN, _DEV = "#4a6fa5", "#d1603d"


@dataclass(frozen=True)
class EpochRecord:
    """Figures of one epoch; those of dev are None where there is no dev split.

    Attributes:
        stage: "head" or "tower": what was trained. "start": nothing yet.
        seconds: Of the training, without the look at dev.
    """

    epoch: int
    stage: str
    seconds: float
    loss: float | None = None
    accuracy: float | None = None
    precision: float | None = None
    recall: float | None = None
    dev_loss: float | None = None
    dev_accuracy: float | None = None
    dev_precision: float | None = None
    dev_recall: float | None = None
    dev_eer: float | None = None


class History:
    """The records of a run, in its folder."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self.records: list[EpochRecord] = []

    def read(self, last: int) -> None:
        """Takes up what was written, up to the epoch that a run goes on from."""
        path = self._run / FILE
        if path.is_file():
            rows = json.loads(path.read_text(encoding="utf-8"))
            self.records = [EpochRecord(**row) for row in rows if row["epoch"] <= last]

    def add(self, record: EpochRecord) -> None:
        """Appends, and writes history.json and history.csv anew."""
        self.records.append(record)
        rows = [asdict(one) for one in self.records]
        write_json(self._run / FILE, rows)
        part = self._run / ".history.csv.part"
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(EpochRecord)])
            writer.writeheader()
            writer.writerows(rows)
        os.replace(part, self._run / "history.csv")

    def best(self) -> EpochRecord | None:
        """The epoch with the least loss on dev."""
        known = [one for one in self.records if one.dev_loss is not None]
        return min(known, key=lambda one: one.dev_loss or 0.0, default=None)

    def draw(self) -> None:
        """One PNG a quantity, training beside dev."""
        folder = self._run / "curves"
        folder.mkdir(exist_ok=True)
        for name in ("loss", "accuracy", "precision", "recall"):
            _curve(self.records, name, folder / f"{name}.png")


class EventLog:
    """TensorBoard's logs; its package is not needed to write them."""

    def __init__(self, run: Path) -> None:
        import tensorflow as tf

        self._tf = tf
        self._writers = {
            name: tf.summary.create_file_writer(str(run / "logs" / name))
            for name in ("train", "dev")
        }
        plugin = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
        self._metadata = tf.compat.v1.SummaryMetadata(plugin_data=plugin)

    def add(self, record: EpochRecord) -> None:
        for name, value in asdict(record).items():
            if not isinstance(value, float):
                continue
            side, tag = ("dev", name[4:]) if name.startswith("dev_") else ("train", name)
            with self._writers[side].as_default():
                self._tf.summary.write(
                    tag, self._tf.constant(value), step=record.epoch, metadata=self._metadata
                )
        for writer in self._writers.values():
            writer.flush()


def _curve(records: list[EpochRecord], name: str, path: Path) -> None:
    figure = Figure(figsize=(7, 5), dpi=120, layout="constrained")
    axes: Axes = figure.add_subplot()
    axes.set_title(f"{name.capitalize()} by epoch", fontsize=11)
    axes.set_xlabel("epoch")
    axes.set_ylabel("binary cross-entropy" if name == "loss" else name)
    axes.grid(alpha=0.25)
    for field, label, colour in ((name, "train", _TRAIN), (f"dev_{name}", "dev", _DEV)):
        points = [(one.epoch, getattr(one, field)) for one in records]
        points = [(epoch, value) for epoch, value in points if value is not None]
        if points:
            axes.plot(*zip(*points, strict=True), label=label, color=colour, marker=".")
    if name != "loss":
        axes.set_ylim(-0.02, 1.02)
    if axes.has_data():
        axes.legend()
    figure.savefig(path, format="png")
