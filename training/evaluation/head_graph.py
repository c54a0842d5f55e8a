"""An artifact's SavedModel with another last step: score' = sigmoid(slope * logit + intercept).

The logit is the input of the sigmoid in the graph, not the sigmoid undone: float32
scores near 1 have lost it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from model.artifact import Artifact
from model.types import Array
from training.data.errors import DataError
from training.evaluation.platt import Scaling

# What may stand between the sigmoid and the scores; none of it changes a value.
_SHAPING = frozenset({"Identity", "Squeeze", "Reshape", "StridedSlice"})


class HeadGraph:
    """The two signatures, flattened, and the scores' logits.

    Raises:
        DataError: If the scores are not a sigmoid of something.
    """

    def __init__(self, artifact: Artifact) -> None:
        loaded = tf.saved_model.load(str(artifact.saved_model))
        embed = convert_variables_to_constants_v2(loaded.signatures["embed"])
        score = convert_variables_to_constants_v2(loaded.signatures["score"])
        inputs = {tensor.name.split(":")[0]: tensor for tensor in (*embed.inputs, *score.inputs)}
        self._chips = tf.TensorSpec(inputs["chips"].shape, tf.uint8, name="chips")
        self._probe = tf.TensorSpec(inputs["probe"].shape, tf.float32, name="probe")
        self._references = tf.TensorSpec(inputs["references"].shape, tf.float32, name="references")
        self._embed = embed.prune([inputs["chips"]], [embed.outputs[0]])
        logits = _sigmoid_of(score.outputs[0]).inputs[0]
        self._logits = score.prune([inputs["probe"], inputs["references"]], [logits])

    def logits(self, probe: Array, references: Array) -> Array:
        """Probe (D,), references (M, D) -> logits (M,)."""
        (found,) = self._logits(tf.constant(probe), tf.constant(references))
        values: Array = found.numpy().reshape(-1)
        return values

    def save(self, folder: Path, scaling: Scaling) -> None:
        """Writes a SavedModel with the same embeddings and the scaled scores."""
        embed, logits = self._embed, self._logits
        slope, intercept = tf.constant(scaling.slope), tf.constant(scaling.intercept)

        class Served(tf.Module):  # type: ignore[misc]  # tensorflow is untyped
            @tf.function(input_signature=[self._chips])  # type: ignore[untyped-decorator]
            def embed(self, chips: tf.Tensor) -> dict[str, tf.Tensor]:
                return {"embeddings": embed(chips)[0]}

            @tf.function(  # type: ignore[untyped-decorator]
                input_signature=[self._probe, self._references]
            )
            def score(self, probe: tf.Tensor, references: tf.Tensor) -> dict[str, tf.Tensor]:
                scaled = slope * logits(probe, references)[0] + intercept
                return {"scores": tf.reshape(tf.sigmoid(scaled), [-1])}

        served = Served()
        signatures = {"embed": served.embed, "score": served.score}
        tf.saved_model.save(served, str(folder), signatures=signatures)


def _sigmoid_of(scores: Any) -> Any:
    """The operation that makes the scores, steps of mere shape passed over."""
    operation = scores.op
    while operation.type in _SHAPING:
        operation = operation.inputs[0].op
    if operation.type != "Sigmoid":
        raise DataError(
            "expected a score that ends in a sigmoid, to scale what goes into it, found "
            f"'{operation.type}'"
        )
    return operation
