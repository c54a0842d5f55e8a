"""The SavedModel run by TensorFlow itself: the reference for the other runtime."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from model.artifact import Artifact, ArtifactError
from model.contract import Manifest, Precision
from model.runtimes.base import check_shapes
from model.types import Array, Image


class TensorFlowRuntime:
    """Both signatures as TensorFlow loads them."""

    name = "tensorflow"

    def __init__(self, artifact: Artifact) -> None:
        self._manifest = artifact.manifest
        try:
            self._loaded = tf.saved_model.load(str(artifact.saved_model))
            self._embed = self._loaded.signatures["embed"]
            self._score = self._loaded.signatures["score"]
        except (OSError, KeyError, ValueError) as error:
            raise ArtifactError("TensorFlow cannot read the SavedModel") from error
        specs = [
            *self._embed.structured_input_signature[1].items(),
            *self._score.structured_input_signature[1].items(),
            *self._embed.structured_outputs.items(),
            *self._score.structured_outputs.items(),
        ]
        check_shapes(
            self._manifest,
            {name: tuple(-1 if n is None else n for n in spec.shape) for name, spec in specs},
        )

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    @property
    def precision(self) -> Precision:
        """What is rounded to 8 bits, is; the sums are made in float32."""
        return self._manifest.precision

    def embed(self, chips: Image) -> Array:
        return np.asarray(self._embed(chips=tf.constant(chips))["embeddings"].numpy())

    def score(self, probe: Array, references: Array) -> Array:
        answer = self._score(probe=tf.constant(probe), references=tf.constant(references))
        return np.asarray(answer["scores"].numpy())
