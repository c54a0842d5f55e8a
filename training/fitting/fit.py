"""The training loop."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from rich.progress import track

from model.types import Array, Image
from training.data.errors import DataError, saying_disk_full
from training.data.state import write_json
from training.fitting.checkpoints import Checkpoints, read_weights, write_weights
from training.fitting.chip_set import ChipSet, read_chip_set
from training.fitting.history import EpochRecord, EventLog, History
from training.fitting.judging import Figures, embed_rows, judge
from training.fitting.network import Network
from training.fitting.pairs import ChipPairs, judged_pairs, rows_of
from training.fitting.pipeline import chip_batches, embedding_batches
from training.fitting.schedule import epoch_of, training_pairs
from training.fitting.settings import FitSettings, keep_settings
from training.fitting.steps import Steps
from training.fitting.strategy import is_chief, make_strategy
from training.head import logistic

RESULT = "result.json"
_HEAD_PAIRS = 2000


@dataclass(frozen=True)
class FitResult:
    """The end of a run.

    Attributes:
        epoch: Whose weights were kept.
        chief: Whether this process wrote the run's files.
        test: Figures on the test split, or None if there is none.
        seconds_an_epoch: Median.
    """

    records: tuple[EpochRecord, ...]
    epoch: int
    begun_at: int
    test: Figures | None
    seconds_an_epoch: float
    chief: bool = True


def fit(prepared: Path, run: Path, settings: FitSettings, *, quiet: bool) -> FitResult:
    """Trains, and leaves weights, checkpoints, history, curves and result in `run`.

    A run that was interrupted goes on from its last checkpoint.

    Raises:
        DataError: If the chips are not for this tower or too few, if `run` is of
            other settings, or the disk is full.
    """
    chips = read_chip_set(prepared)
    keras.mixed_precision.set_global_policy("mixed_bfloat16" if settings.mixed else "float32")
    keras.utils.set_random_seed(settings.seed)
    strategy = make_strategy(settings.strategy)
    advice = f"free some space and run it again: it goes on with '{run.name}'"
    with saying_disk_full(advice):
        try:
            epoch_of(chips, settings, 1, 1)
            return _Loop(chips, run, settings, strategy, quiet=quiet).run()
        except tf.errors.ResourceExhaustedError as error:
            raise DataError(f"the disk or the memory is full; {advice}") from error
        except (
            tf.errors.UnavailableError,
            tf.errors.AbortedError,
            tf.errors.CancelledError,
        ) as lost:
            raise DataError(
                "another worker of the cluster stopped; start all of them again: they go on "
                f"with '{run.name}'"
            ) from lost


class _Loop:
    def __init__(
        self,
        chips: ChipSet,
        run: Path,
        settings: FitSettings,
        strategy: tf.distribute.Strategy,
        *,
        quiet: bool,
    ) -> None:
        self._chips, self._run, self._settings, self._strategy = chips, run, settings, strategy
        self._chief = is_chief(strategy)
        self._quiet = quiet or not self._chief
        with strategy.scope():
            self._network = Network(settings, int(chips.identities.max()) + 1)
            self._check_size()
            self._steps = Steps(self._network, settings, strategy)
        if self._chief:
            keep_settings(
                run, settings, {"chips": chips.digest(), "prepared": str(chips.folder.resolve())}
            )
        # The others may look into the folder only now: the chief wants it new or a run.
        self._wait_for_all()
        self._embed_batch = tf.function(self._network.embed)
        self._dev = judged_pairs(chips, "dev")
        self._history = History(run)
        self._frozen: Array | None = None

    def run(self) -> FitResult:
        """All epochs that are left."""
        settings, run = self._settings, self._run
        checkpoints = Checkpoints(run, self._network, self._steps)
        begun_at = checkpoints.restore()
        self._history.read(begun_at)
        log = EventLog(run) if self._chief else None
        if not self._history.records and self._network.plan.pretrained:
            # The tower as it came is the mark to beat, and may be what is kept.
            self._record(EpochRecord(0, "start", 0.0), log)
        for epoch in range(begun_at + 1, settings.epochs + 1):
            if self._is_enough():
                break
            self._record(self._train(epoch), log)
            last = epoch == settings.epochs or self._is_enough()
            if self._chief and (epoch % settings.checkpoint_every == 0 or last):
                checkpoints.save(epoch)
                self._history.draw()
        result = self._finish(begun_at)
        self._wait_for_all()
        return result

    def _wait_for_all(self) -> None:
        """A worker that left while the chief still writes would be taken for dead."""
        strategy = self._strategy
        one = strategy.run(lambda: tf.constant(1.0))
        strategy.reduce(tf.distribute.ReduceOp.SUM, one, axis=None)

    def _train(self, number: int) -> EpochRecord:
        settings = self._settings
        epoch = epoch_of(self._chips, settings, number, self._strategy.num_replicas_in_sync)
        in_head = number <= settings.head_epochs and self._network.plan.learned_head
        embeddings = self._frozen_embeddings() if in_head else None

        def batches(context: tf.distribute.InputContext) -> tf.data.Dataset:
            if embeddings is not None:
                return embedding_batches(embeddings, epoch, settings.batch, context)
            return chip_batches(self._chips, epoch, settings, number, context)

        step = self._steps.head_step if in_head else self._steps.tower_step
        start = time.monotonic()
        count = len(epoch.probe) // (settings.batch * self._strategy.num_replicas_in_sync)
        data = iter(self._strategy.distribute_datasets_from_function(batches))
        title = f"epoch {number}/{settings.epochs}"
        sums = [step(next(data)) for _ in track(range(count), title, disable=self._quiet)]
        total = np.sum([one.numpy() for one in sums], axis=0)
        seconds = time.monotonic() - start
        loss = float(total[0] / count)
        if not np.isfinite(loss):
            raise DataError(f"learning diverged at a rate of {settings.rate:g}; try a lower one")
        if not self._network.plan.learned_head:
            self._fit_head(number)
            return EpochRecord(number, "tower", seconds, loss)
        _, hit, false, missed, refused = total
        return EpochRecord(
            number,
            "head" if in_head else "tower",
            seconds,
            loss,
            accuracy=float((hit + refused) / total[1:].sum()),
            precision=float(hit / max(1, hit + false)),
            recall=float(hit / max(1, hit + missed)),
        )

    def _frozen_embeddings(self) -> Array:
        """Of the training chips, made once: the tower does not change while the head learns."""
        if self._frozen is None:
            rows = self._chips.rows("train")
            self._frozen = embed_rows(self._embed, self._chips, rows, self._width)
        return self._frozen

    def _fit_head(self, number: int) -> None:
        """One weight and bias for a tower whose loss knows no head, on training pairs."""
        generator = np.random.default_rng([self._settings.seed, number, 1])
        pairs = training_pairs(self._chips, self._settings, generator)
        pairs = pairs.take(generator.permutation(len(pairs))[:_HEAD_PAIRS])
        embeddings = embed_rows(self._embed, self._chips, rows_of(pairs), self._width)
        distances = self._network.distances(embeddings[pairs.probe], embeddings[pairs.reference])
        weight, bias = logistic(distances.astype(np.float64), pairs.same > 0.5)
        self._network.set_head(weight, bias)

    def _record(self, record: EpochRecord, log: EventLog | None) -> None:
        if self._dev is not None:
            seen = self._judge(self._dev)
            record = EpochRecord(
                **{
                    **asdict(record),
                    "dev_loss": seen.loss,
                    "dev_accuracy": seen.accuracy,
                    "dev_precision": seen.precision,
                    "dev_recall": seen.recall,
                    "dev_eer": seen.eer,
                }
            )
        if not self._chief:
            self._history.records.append(record)
            return
        self._history.add(record)
        if log is not None:
            log.add(record)
        if self._settings.keep_best and self._history.best() is record:
            write_weights(self._run, self._network)
        if not self._quiet:
            print(_line(record), flush=True)

    def _is_enough(self) -> bool:
        best = self._history.best()
        if not self._settings.early_stop or best is None:
            return False
        # The head's epochs are not yet the tower's.
        since = max(best.epoch, self._settings.head_epochs)
        return self._history.records[-1].epoch - since >= self._settings.early_stop

    def _finish(self, begun_at: int) -> FitResult:
        best = self._history.best() if self._settings.keep_best else None
        kept = best.epoch if best is not None else self._history.records[-1].epoch
        if self._chief and best is None:
            write_weights(self._run, self._network)
        elif self._chief:
            read_weights(self._run, self._network)
        test = judged_pairs(self._chips, "test")
        figures = self._judge(test) if test is not None and self._chief else None
        seconds = [one.seconds for one in self._history.records if one.stage == "tower"]
        result = FitResult(
            records=tuple(self._history.records),
            epoch=kept,
            begun_at=begun_at,
            test=figures,
            seconds_an_epoch=float(np.median(seconds)) if seconds else 0.0,
            chief=self._chief,
        )
        if self._chief:
            self._history.draw()
            write_json(self._run / RESULT, _summary(result))
        return result

    def _judge(self, pairs: ChipPairs) -> Figures:
        embeddings = embed_rows(self._embed, self._chips, rows_of(pairs), self._width)
        logits = self._network.logits(embeddings[pairs.probe], embeddings[pairs.reference])
        return judge(logits.numpy(), pairs.same)

    def _embed(self, chips: Image) -> Array:
        return np.asarray(self._embed_batch(tf.constant(chips)).numpy())

    @property
    def _width(self) -> int:
        return int(self._network.tower.output_shape[-1])

    def _check_size(self) -> None:
        wanted = tuple(self._network.tower.input_shape[1:3])
        if wanted != self._chips.size:
            raise DataError(
                f"expected chips of {wanted} for the tower {self._settings.tower}, found "
                f"{self._chips.size}; make them with: prepare --tower {self._settings.tower}"
            )


def _summary(result: FitResult) -> dict[str, Any]:
    return {
        "epoch_kept": result.epoch,
        "epochs": result.records[-1].epoch,
        "seconds_an_epoch": round(result.seconds_an_epoch, 2),
        "test": None if result.test is None else asdict(result.test),
    }


def _line(record: EpochRecord) -> str:
    parts = [f"epoch {record.epoch} ({record.stage}, {record.seconds:.1f} s)"]
    for side in ("", "dev_"):
        found = [
            f"{name} {value:.4f}"
            for name in ("loss", "accuracy", "precision", "recall")
            if (value := getattr(record, side + name)) is not None
        ]
        if found:
            parts.append(f"{'dev' if side else 'train'}: {', '.join(found)}")
    return "  ".join(parts)
