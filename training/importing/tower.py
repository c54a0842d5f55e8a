"""The imported network with its preprocessing inside, as `model.siamese` wants it."""

from __future__ import annotations

import tensorflow as tf

from training.importing.network import Network
from training.importing.preprocessing import Preprocessing


class Tower(tf.Module):  # type: ignore[misc]  # tensorflow is untyped
    """Chips (N, H, W, 3) uint8 RGB -> embeddings (N, D) float32, not unit length."""

    def __init__(self, network: Network, preprocessing: Preprocessing) -> None:
        super().__init__(name="imported")
        self._network = network
        self._kept = network.keep  # a tf.Module finds variables only in its attributes
        self._preprocessing = preprocessing
        self.input_shape = (None, *network.size, 3)
        self.output_shape = (None, network.embedding_size)

    def __call__(self, chips: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self._network.run(self._preprocessing.graph(chips))
