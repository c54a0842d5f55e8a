"""One step of learning, compiled: loss, gradients, Adam."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from training.fitting.losses import (
    MARGINS,
    arcface_loss,
    bce_loss,
    contrastive_loss,
    triplet_loss,
)
from training.fitting.network import Network, trained_variables
from training.fitting.settings import FitSettings, Loss

Batch = tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]
"""Probe, reference, label and share, as the pipeline gives them."""


class Steps:
    """The compiled steps of a network, and the optimisers they use.

    A step gives (loss, genuine called so, impostors called genuine, genuine
    missed, impostors called so), summed over all replicas. Shape (5,).
    """

    def __init__(
        self, network: Network, settings: FitSettings, strategy: tf.distribute.Strategy
    ) -> None:
        self._network, self._settings, self._strategy = network, settings, strategy
        head, tower = trained_variables(network, settings)
        self._head, self._all = head, head + tower
        self.head_optimizer = keras.optimizers.Adam(settings.head_rate)
        self.optimizer = keras.optimizers.Adam(settings.rate)
        self.head_optimizer.build(self._head)
        self.optimizer.build(self._all)
        # XLA compiles what a replica does; the sum over replicas stays outside.
        self._head_part = tf.function(self._learn_head, jit_compile=settings.xla)
        self._tower_part = tf.function(self._learn_all, jit_compile=settings.xla)

    @tf.function  # type: ignore[untyped-decorator]
    def head_step(self, batch: Batch) -> tf.Tensor:
        """Teaches the head alone, on embeddings."""
        return self._sum(self._strategy.run(self._head_part, args=(batch,)))

    @tf.function  # type: ignore[untyped-decorator]
    def tower_step(self, batch: Batch) -> tf.Tensor:
        """Teaches tower and head, on chips."""
        return self._sum(self._strategy.run(self._tower_part, args=(batch,)))

    def _sum(self, parts: Any) -> tf.Tensor:
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, parts, axis=None)

    def _learn_head(self, batch: Batch) -> tf.Tensor:
        probe, reference, same, share = batch
        with tf.GradientTape() as tape:
            logits = self._network.logits(probe, reference)
            loss = tf.reduce_sum(share * bce_loss(logits, same))
        gradients = tape.gradient(loss, [one.value for one in self._head])
        self.head_optimizer.apply(gradients, self._head)
        return _counted(loss, logits, same, share)

    def _learn_all(self, batch: Batch) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss, logits = self._loss(batch)
        gradients = tape.gradient(loss, [one.value for one in self._all])
        self.optimizer.apply(gradients, self._all)
        _, _, label, share = batch
        return _counted(loss, logits, label, share)

    def _loss(self, batch: Batch) -> tuple[tf.Tensor, tf.Tensor | None]:
        probe, reference, label, share = batch
        kind = self._settings.loss
        margin = self._settings.margin
        margin = MARGINS.get(kind, 0.0) if margin is None else margin
        if kind in (Loss.BCE, Loss.CONTRASTIVE):
            # One pass for both sides: the twin towers are one.
            both = self._network.embed(tf.concat([probe, reference], axis=0))
            one, other = tf.split(both, 2)
            if kind is Loss.BCE:
                logits = self._network.logits(one, other)
                return tf.reduce_sum(share * bce_loss(logits, label)), logits
            return tf.reduce_sum(share * contrastive_loss(one, other, label, margin)), None
        embeddings = self._network.embed(probe)
        if kind is Loss.TRIPLET:
            losses = triplet_loss(embeddings, label, share > 0, margin)
        else:
            centres = self._network.centres
            assert centres is not None
            losses = arcface_loss(embeddings, centres.value, label, margin)
        return tf.reduce_sum(share * losses), None


def _counted(
    loss: tf.Tensor, logits: tf.Tensor | None, same: tf.Tensor, share: tf.Tensor
) -> tf.Tensor:
    if logits is None:
        return tf.stack([loss, 0.0, 0.0, 0.0, 0.0])
    real = tf.cast(share > 0, tf.float32)
    called = tf.cast(logits > 0, tf.float32)
    cells = (called * same, called * (1 - same), (1 - called) * same, (1 - called) * (1 - same))
    return tf.stack([loss, *(tf.reduce_sum(real * cell) for cell in cells)])
