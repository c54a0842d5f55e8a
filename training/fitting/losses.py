"""What a tower can be taught with, besides the paper's cross-entropy.

Each gives a loss per example; lower is better. Embeddings are of unit length.
"""

from __future__ import annotations

import keras
import tensorflow as tf

from training.fitting.settings import Loss

MARGINS = {Loss.CONTRASTIVE: 1.0, Loss.TRIPLET: 0.2, Loss.ARCFACE: 0.3}
ARCFACE_SCALE = 32.0
# Keeps roots and arc cosines away from where their slope is infinite.
_TINY = 1e-7


def bce_loss(logits: tf.Tensor, same: tf.Tensor) -> tf.Tensor:
    """Binary cross-entropy of sigmoid(logits). Shapes (B,), (B,) -> (B,)."""
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=same, logits=logits)


def contrastive_loss(
    probe: tf.Tensor, reference: tf.Tensor, same: tf.Tensor, margin: float
) -> tf.Tensor:
    """Pulls pairs of one identity together, pushes others `margin` apart.

        loss = same d^2 + (1 - same) max(0, margin - d)^2,   d = |probe - reference|_2

    Args:
        probe, reference: Shape (B, D).
        same: 1 or 0. Shape (B,).

    Source:
        Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an
        Invariant Mapping" (2006).
    """
    squared = tf.reduce_sum(tf.square(probe - reference), axis=1)
    distance = tf.sqrt(squared + _TINY)
    return same * squared + (1 - same) * tf.square(tf.maximum(0.0, margin - distance))


def triplet_loss(
    embeddings: tf.Tensor, identities: tf.Tensor, real: tf.Tensor, margin: float
) -> tf.Tensor:
    """Each chip with its farthest of the same and its nearest of another identity.

        loss_a = max(0, margin + max_p d(a, p) - min_n d(a, n))

    Args:
        embeddings: Shape (B, D).
        identities: Shape (B,), int.
        real: False for chips that only fill up a batch. Shape (B,), bool.

    Returns:
        Shape (B,); 0 for a chip without a partner in the batch.

    Source:
        Hermans, Beyer and Leibe, "In Defense of the Triplet Loss" (2017), batch hard.
    """
    squared = 2 - 2 * tf.matmul(embeddings, embeddings, transpose_b=True)
    distance = tf.sqrt(tf.maximum(squared, 0.0) + _TINY)
    alike = identities[:, None] == identities[None, :]
    both = real[:, None] & real[None, :]
    itself = tf.eye(tf.shape(identities)[0], dtype=tf.bool)
    partner = alike & both & ~itself
    stranger = ~alike & both
    farthest = tf.reduce_max(tf.where(partner, distance, 0.0), axis=1)
    nearest = tf.reduce_min(tf.where(stranger, distance, 4.0), axis=1)
    usable = tf.reduce_any(partner, axis=1) & tf.reduce_any(stranger, axis=1)
    return tf.where(usable, tf.maximum(0.0, margin + farthest - nearest), 0.0)


def arcface_loss(
    embeddings: tf.Tensor, centres: tf.Tensor, classes: tf.Tensor, margin: float
) -> tf.Tensor:
    """Cross-entropy over the training identities, the own one `margin` radians harder.

        logit_j = s cos(theta_j + margin [j = own])

    Args:
        embeddings: Shape (B, D).
        centres: One direction for each identity, of any length. Shape (C, D).
        classes: Own identity. Shape (B,), int in [0, C).

    Source:
        Deng, Guo, Xue and Zafeiriou, "ArcFace" (2019).
    """
    cosine = tf.matmul(embeddings, tf.math.l2_normalize(centres, axis=1), transpose_b=True)
    own = tf.one_hot(classes, tf.shape(centres)[0])
    angle = tf.acos(tf.clip_by_value(cosine, -1 + _TINY, 1 - _TINY))
    # Past pi the cosine would rise again and reward a worse embedding.
    harder = tf.cos(tf.minimum(angle + margin, tf.constant(3.1415926)))
    logits = ARCFACE_SCALE * tf.where(own > 0, harder, cosine)
    return tf.nn.softmax_cross_entropy_with_logits(labels=own, logits=logits)


def arcface_centres(identities: int, size: int, seed: int) -> keras.Variable:
    """Trainable directions, small and random. Shape (identities, size)."""
    initial = keras.initializers.RandomNormal(stddev=0.05, seed=seed)
    return keras.Variable(initial((identities, size)), name="centres")
