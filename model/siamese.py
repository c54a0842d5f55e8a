"""The siamese network: twin towers, L1 distance, one sigmoid unit.

    embedding  = tower(chip), unit length if asked for
    twin       = embedding F                     F: (D, K), model.frame, or the identity
    distance   = |twin(probe) - twin(reference)|
    score      = sigmoid(bias - sum_k weight[k] distance[k])

The paper's own network has neither unit length nor frame. With a frame of every
direction there is, and one weight for all, the sum has a closed form: the mean of
|f . v| over all unit f is a constant times |v|. The default models use that
(docs/decisions/0012-every-direction.md).

Source:
    Koch, Zemel and Salakhutdinov, "Siamese Neural Networks for One-shot Image
    Recognition" (2015). The frame F is ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from model.types import Array

SIGNATURES = ("embed", "score")


@keras.saving.register_keras_serializable("semblance")
class L1Distance(keras.layers.Layer):  # type: ignore[misc]  # keras is untyped
    """Element-wise |a - b| of two tensors that broadcast."""

    def call(self, a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return tf.abs(a - b)


@keras.saving.register_keras_serializable("semblance")
class EveryDirection(keras.layers.Layer):  # type: ignore[misc]
    """|a - b| along all directions at once: its length. (..., D) -> (..., 1)."""

    def call(self, a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return tf.sqrt(tf.reduce_sum(tf.square(a - b), axis=-1, keepdims=True))


class Siamese(tf.Module):  # type: ignore[misc]  # tensorflow is untyped
    """A tower with the siamese head on top, ready for export.

    Args:
        tower: Chips (N, H, W, 3) uint8 -> (N, D) float32.
        frame: Directions of the L1 distance. Shape (D, K). None: the axes of the
            embedding themselves, K = D. "every direction": all, in closed form, K = 1.
        weights: Of each direction. Shape (K,). At least 0 in a distance proper;
            the paper's network may learn others.
        bias: Added before the sigmoid.
        unit: Whether embeddings are brought to unit length.
    """

    def __init__(
        self,
        tower: keras.Model,
        frame: Array | Literal["every direction"] | None,
        weights: Array,
        bias: float,
        *,
        unit: bool = True,
    ) -> None:
        super().__init__(name="SiameseNetwork")
        self.tower = tower
        self.unit = keras.layers.UnitNormalization(axis=-1, name="unit") if unit else None
        self.twin = None
        self.distance = L1Distance(name="l1_distance")
        if isinstance(frame, str):
            self.distance = EveryDirection(name="every_direction")
        elif frame is not None:
            self.twin = keras.layers.Dense(frame.shape[1], use_bias=False, name="twin")
            self.twin.build((None, frame.shape[0]))
            self.twin.set_weights([frame])
        self.head = keras.layers.Dense(1, activation="sigmoid", name="head")
        self.head.build((None, len(weights)))
        self.head.set_weights([-weights[:, None], np.array([bias], dtype=np.float32)])

    @property
    def input_size(self) -> tuple[int, int]:
        height, width = self.tower.input_shape[1:3]
        return height, width

    @property
    def embedding_size(self) -> int:
        return int(self.tower.output_shape[-1])

    def embed(self, chips: tf.Tensor) -> tf.Tensor:
        """Chips (N, H, W, 3) uint8 RGB -> (N, D)."""
        embeddings = self.tower(chips, training=False)
        return embeddings if self.unit is None else self.unit(embeddings)

    def score(self, probe: tf.Tensor, references: tf.Tensor) -> tf.Tensor:
        """Probe (D,) and references (M, D) -> scores (M,)."""
        one = probe[None]
        if self.twin is not None:
            one, references = self.twin(one), self.twin(references)
        return self.head(self.distance(one, references))[:, 0]


def export_saved_model(siamese: Siamese, folder: Path) -> None:
    """Writes one SavedModel with the signatures `embed` and `score`.

    The weights are constants of the graph: a served model is not trained
    further, and every runtime that reads SavedModels reads it as one file.
    """
    chips = tf.TensorSpec((None, *siamese.input_size, 3), tf.uint8, name="chips")
    probe = tf.TensorSpec((siamese.embedding_size,), tf.float32, name="probe")
    references = tf.TensorSpec((None, siamese.embedding_size), tf.float32, name="references")
    embed = frozen(siamese.embed, chips)
    score = frozen(siamese.score, probe, references)

    class Served(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[chips])  # type: ignore[untyped-decorator]
        def embed(self, chips: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"embeddings": embed(chips)[0]}

        @tf.function(input_signature=[probe, references])  # type: ignore[untyped-decorator]
        def score(self, probe: tf.Tensor, references: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"scores": score(probe, references)[0]}

    served = Served()
    signatures = {name: getattr(served, name) for name in SIGNATURES}
    tf.saved_model.save(served, str(folder), signatures=signatures)


def export_detector(detector: keras.Model, path: Path) -> None:
    """Writes a detector (model.backbones.yunet) as one file, a graph with its constants."""
    images = tf.TensorSpec((None, None, None, 3), tf.uint8, name="images")

    def detect(images: tf.Tensor) -> list[tf.Tensor]:
        return [tf.identity(x, name) for name, x in detector(images).items()]

    constant = frozen(detect, images)
    graph = constant.graph.as_graph_def()
    # What TensorFlow adds behind the outputs would hide their names.
    added = {output.op.name for output in constant.outputs}
    kept = [node for node in graph.node if node.name not in added]
    named = tf.compat.v1.GraphDef(node=kept, versions=graph.versions)
    path.write_bytes(named.SerializeToString(deterministic=True))


def frozen(function: Any, *specs: tf.TensorSpec) -> Any:
    """The function with its weights as constants of the graph."""
    concrete = tf.function(function, input_signature=specs).get_concrete_function()
    return convert_variables_to_constants_v2(concrete)
