"""The tf.data input pipeline: read, decode, change, batch, ahead of the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from model.types import AnyArray, Array
from training.fitting.augment import augment
from training.fitting.chip_set import ChipSet
from training.fitting.schedule import Epoch
from training.fitting.settings import FitSettings


def chip_batches(
    chips: ChipSet,
    epoch: Epoch,
    settings: FitSettings,
    number: int,
    context: tf.distribute.InputContext,
) -> tf.data.Dataset:
    """Batches of chips for the replicas of one worker.

    Returns:
        A dataset of (probe (B, H, W, 3) uint8, reference alike, label (B,),
        share (B,)), one batch for each replica in turn. A loss without partners
        gets its chips only once, an empty reference (B, 0) beside them.
    """
    mine = own_part(epoch, settings.batch, context)
    paths = tf.constant(chips.paths())
    alone = bool(np.array_equal(epoch.probe, epoch.reference))
    places = np.arange(len(epoch.probe))[mine]

    def load(row: tf.Tensor, place: tf.Tensor, side: int) -> tf.Tensor:
        chip = tf.io.decode_png(tf.io.read_file(tf.gather(paths, row)), channels=3)
        chip = tf.ensure_shape(chip, (*chips.size, 3))
        if settings.augment:
            # The numbers of the epoch and of the place in it make the seed.
            seed = tf.stack([settings.seed * 100_003 + number, 2 * tf.cast(place, tf.int32) + side])
            chip = augment(chip, seed, settings.augment)
        return chip

    def example(
        probe: tf.Tensor, reference: tf.Tensor, label: tf.Tensor, share: tf.Tensor, place: tf.Tensor
    ) -> Any:
        other = tf.zeros((0,), tf.uint8) if alone else load(reference, place, 1)
        return load(probe, place, 0), other, label, share

    columns = (epoch.probe[mine], epoch.reference[mine], epoch.label[mine], epoch.share[mine])
    dataset = tf.data.Dataset.from_tensor_slices((*columns, places))
    dataset = dataset.map(example, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return dataset.batch(settings.batch, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def embedding_batches(
    embeddings: Array, epoch: Epoch, batch: int, context: tf.distribute.InputContext
) -> tf.data.Dataset:
    """As `chip_batches`, but of embeddings that were made before. Shapes (B, D)."""
    mine = own_part(epoch, batch, context)
    table = tf.constant(embeddings)
    columns = (epoch.probe[mine], epoch.reference[mine], epoch.label[mine], epoch.share[mine])

    def example(probe: tf.Tensor, reference: tf.Tensor, label: tf.Tensor, share: tf.Tensor) -> Any:
        return tf.gather(table, probe), tf.gather(table, reference), label, share

    dataset = tf.data.Dataset.from_tensor_slices(columns).batch(batch, drop_remainder=True)
    return dataset.map(example, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def own_part(epoch: Epoch, batch: int, context: tf.distribute.InputContext) -> AnyArray:
    """Places of the examples of this worker: of each step, the batches of its replicas.

    All workers together see just what one with a batch as large would see.
    """
    workers = context.num_input_pipelines
    places = np.arange(len(epoch.probe))
    per_worker = batch * context.num_replicas_in_sync // workers
    steps = places.reshape(-1, workers, per_worker)
    part: AnyArray = steps[:, context.input_pipeline_id].ravel()
    return part
