"""The siamese network while it is trained: tower, L1 distance, logit."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from model.backbones import sface
from model.backbones.koch import build_koch
from model.frame import l1_of_unit_length, tight_frame
from model.siamese import Siamese
from model.types import Array
from model.zoo import SFACE
from training.data.chips import Tower
from training.fetch import fetch
from training.fitting.losses import arcface_centres
from training.fitting.settings import FitSettings, Loss
from training.head import read_head
from training.onnx_files import read_tensors
from training.profiles import profile

# Axes of an embedding of the paper's tower where angles are compared.
PROJECTION = 128
_WITH_KERNEL = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


@dataclass(frozen=True)
class Plan:
    """What kind of network the settings ask for.

    Attributes:
        unit: Embeddings are brought to unit length, and the L1 distance is taken
            along a tight frame. Not so in the paper's own network.
        learned_head: The head is trained with the tower; otherwise the loss knows
            no head, and one weight and bias are fitted after each epoch.
    """

    unit: bool
    learned_head: bool
    projection: int | None
    pretrained: bool


def plan_of(settings: FitSettings) -> Plan:
    learned = settings.loss is Loss.BCE
    if settings.tower is Tower.SFACE:
        return Plan(unit=True, learned_head=learned, projection=None, pretrained=True)
    return Plan(
        unit=not learned,
        learned_head=learned,
        projection=None if learned else PROJECTION,
        pretrained=False,
    )


class Network(tf.Module):  # type: ignore[misc]  # tensorflow is untyped
    """A trainable siamese network.

    Args:
        identities: To train on, for losses that name them.
    """

    def __init__(self, settings: FitSettings, identities: int) -> None:
        super().__init__(name="SiameseNetwork")
        self.plan = plan_of(settings)
        if self.plan.pretrained:
            self.tower = sface.load_sface(read_tensors(fetch(SFACE, None)))
        else:
            self.tower = build_koch(settings.seed, self.plan.projection)
        size = int(self.tower.output_shape[-1])
        self._frame = tight_frame(size) if self.plan.unit else None
        self._twin = None if self._frame is None else tf.constant(self._frame)
        directions = size if self._frame is None else self._frame.shape[1]
        # In full precision whatever the tower is in.
        initial = keras.initializers.GlorotUniform(seed=settings.seed)
        self.head = keras.layers.Dense(1, kernel_initializer=initial, name="head", dtype="float32")
        self.head.build((None, directions))
        if self.plan.pretrained and self._frame is not None:
            known = read_head(profile("fast").head_file)
            # That head measures along every direction (model.siamese), this along a frame.
            self.set_head(known.weight / l1_of_unit_length(self._frame), known.bias)
        self.centres = (
            arcface_centres(identities, size, settings.seed)
            if settings.loss is Loss.ARCFACE
            else None
        )

    def embed(self, chips: tf.Tensor) -> tf.Tensor:
        """Chips (N, H, W, 3) uint8 -> (N, D) float32.

        Batch norms keep the statistics of their pretraining: a batch of a few
        dozen chips would replace them by worse.
        """
        embeddings = tf.cast(self.tower(chips, training=False), tf.float32)
        return tf.math.l2_normalize(embeddings, axis=1) if self.plan.unit else embeddings

    def logits(self, probe: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
        """Embeddings (B, D) of pairs -> (B,); the score is its sigmoid."""
        if self._twin is not None:
            probe, reference = tf.matmul(probe, self._twin), tf.matmul(reference, self._twin)
        return self.head(tf.abs(probe - reference))[:, 0]

    def distances(self, probe: Array, reference: Array) -> Array:
        """L1 distances of embeddings (B, D), along the frame if there is one. Shape (B,)."""
        if self._frame is not None:
            probe, reference = probe @ self._frame, reference @ self._frame
        return np.asarray(np.abs(probe - reference).sum(axis=1))

    def set_head(self, weight: float, bias: float) -> None:
        """One weight for all directions."""
        kernel = np.full(self.head.kernel.shape, -weight, dtype=np.float32)
        self.head.set_weights([kernel, np.array([bias], dtype=np.float32)])

    def top_variables(self, kernels: int) -> list[keras.Variable]:
        """Variables of the tower's last layers, down to the given number of kernels.

        A kernel is that of a convolution or a dense layer; the norms and
        activations above it come with it.
        """
        found: list[keras.Variable] = []
        for layer in reversed(self.tower.layers):
            if not kernels:
                break
            found += layer.trainable_variables
            kernels -= isinstance(layer, _WITH_KERNEL)
        return found

    def siamese(self) -> Siamese:
        """The network as it is exported."""
        kernel, bias = self.head.get_weights()
        return Siamese(self.tower, self._frame, -kernel[:, 0], float(bias[0]), unit=self.plan.unit)


def trained_variables(
    network: Network, settings: FitSettings
) -> tuple[list[keras.Variable], list[keras.Variable]]:
    """What a step changes: of the head, and of the tower (with the centres, if any)."""
    head = list(network.head.trainable_variables) if network.plan.learned_head else []
    if network.plan.pretrained:
        tower = network.top_variables(settings.unfreeze)
    else:
        tower = list(network.tower.trainable_variables)
    return head, tower + ([network.centres] if network.centres is not None else [])
