"""The head that tells live frames from attacks by their features, and its SavedModel.

Logistic regression with a ridge: one Dense unit, of which a few hundred frames make no more
than they hold.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import keras
import numpy as np
import tensorflow as tf

from model.presentation import SIDE_PX, SIGNATURE
from model.siamese import frozen
from model.spectrum import FEATURES, Spectrum
from model.types import Array
from training.presentation.frames import Frames

_STEPS: Final = 25
_FLATTEST: Final = 1e-6


def features_of(frames: Frames) -> Array:
    """Shape (N, FEATURES)."""
    spectrum = Spectrum(SIDE_PX)
    return np.stack([spectrum.features(crop) for crop in frames.crops])


def fit_head(features: Array, frames: Frames, ridge: float) -> keras.Model:
    """Fitted to these frames; live and attack weigh alike, however many there are.

        minimise  mean_i w_i log-loss(y_i, sigmoid(x_i . beta + bias)) + ridge / 2 |beta|^2

    on standardised features, by Newton's method.

    Args:
        features: Of the frames. Shape (N, FEATURES).
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0) + _FLATTEST
    x = np.hstack([(features - mean) / deviation, np.ones((len(features), 1))]).astype(np.float64)
    y = frames.attack.astype(np.float64)
    weight = np.where(frames.attack, 0.5 / y.mean(), 0.5 / (1 - y.mean())) / len(y)
    penalty = np.full(x.shape[1], ridge)
    penalty[-1] = 0.0
    beta = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        share = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        slope = x.T @ (weight * (share - y)) + penalty * beta
        curve = weight * np.maximum(share * (1 - share), _FLATTEST)
        beta -= np.linalg.solve((x.T * curve) @ x + np.diag(penalty + 1e-9), slope)
    kernel = beta[:-1] / deviation
    bias = beta[-1] - float(kernel @ mean)
    given = keras.Input((FEATURES,), dtype="float32", name="features")
    head = keras.layers.Dense(1, activation="sigmoid")
    network = keras.Model(given, head(given))
    head.set_weights([kernel[:, None].astype(np.float32), np.array([bias], dtype=np.float32)])
    return network


def export_network(network: keras.Model, folder: Path) -> None:
    """Writes the SavedModel with its one signature."""
    spec = tf.TensorSpec((None, FEATURES), tf.float32, name="features")
    judge = frozen(lambda features: network(features, training=False)[:, 0], spec)

    class Served(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[spec])  # type: ignore[untyped-decorator]
        def judge(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
            return {"scores": judge(features)[0]}

    served = Served()
    tf.saved_model.save(served, str(folder), signatures={SIGNATURE: served.judge})


def scores_of(network: keras.Model, features: Array) -> Array:
    """Shape (N,)."""
    return np.asarray(network(features, training=False))[:, 0]
