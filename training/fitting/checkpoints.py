"""Checkpoints of a run: model, optimisers, and the epoch they stand at."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import tensorflow as tf

from training.data.errors import DataError
from training.fitting.network import Network
from training.fitting.steps import Steps

FOLDER = "checkpoints"
WEIGHTS = "weights.npz"
_KEPT = 2


class Checkpoints:
    """The checkpoints in a run's folder, the last few kept."""

    def __init__(self, run: Path, network: Network, steps: Steps) -> None:
        parts = {
            "tower": network.tower,
            "head": network.head,
            "optimizer": steps.optimizer,
            "head_optimizer": steps.head_optimizer,
        }
        if network.centres is not None:
            parts["centres"] = network.centres
        self._manager = tf.train.CheckpointManager(
            tf.train.Checkpoint(**parts), str(run / FOLDER), _KEPT, checkpoint_name="epoch"
        )
        self._run = run

    def restore(self) -> int:
        """Takes up the last checkpoint; the epoch it was made after, 0 if there is none.

        Raises:
            DataError: If it is of another network, or is damaged.
        """
        latest = self._manager.latest_checkpoint
        if latest is None:
            return 0
        try:
            status = self._manager.checkpoint.restore(latest)
            status.assert_existing_objects_matched()
        except (AssertionError, ValueError, tf.errors.OpError) as error:
            raise DataError(
                f"expected a checkpoint of this network in '{self._run.name}', found one of "
                "another architecture or a damaged one; choose another folder"
            ) from error
        return int(latest.rsplit("-", 1)[1])

    def save(self, epoch: int) -> None:
        """Writes a checkpoint; it counts only once it is whole."""
        try:
            self._manager.save(checkpoint_number=epoch)
        finally:
            # TensorFlow leaves its half of a checkpoint where the disk was full.
            for half in (self._run / FOLDER).glob("*_temp"):
                shutil.rmtree(half, ignore_errors=True)


def write_weights(run: Path, network: Network) -> None:
    """What `export` needs, whole or not at all."""
    arrays = network.tower.get_weights() + network.head.get_weights()
    part = run / f".{WEIGHTS}.part"
    try:
        with part.open("wb") as file:
            np.savez(file, *arrays)
        part.replace(run / WEIGHTS)
    finally:
        part.unlink(missing_ok=True)


def read_weights(run: Path, network: Network) -> None:
    """Gives a network the weights that a run came to.

    Raises:
        DataError: If there are none yet, or they are of another network.
    """
    path = run / WEIGHTS
    if not path.is_file():
        raise DataError(
            f"expected a finished run in '{run.name}', found no {WEIGHTS}; run fit again to go on"
        )
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = [stored[f"arr_{number}"] for number in range(len(stored.files))]
        network.tower.set_weights(arrays[:-2])
        network.head.set_weights(arrays[-2:])
    except (ValueError, OSError, KeyError) as error:
        raise DataError(
            f"expected the weights of this network in '{run.name}/{WEIGHTS}', "
            "found those of another architecture or a damaged file"
        ) from error
