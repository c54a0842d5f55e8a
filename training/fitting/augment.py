"""Changes of training chips in the input pipeline: flip, brightness, crop, JPEG.

Each is drawn from a seed of its own, so a run that goes on sees what an
uninterrupted one would have seen.
"""

from __future__ import annotations

import tensorflow as tf

from training.fitting.settings import Augment

_BRIGHTNESS = 0.2
_CONTRAST = 0.2
# Of the side, that a crop may cut off.
_CROP = 0.1
_JPEG_QUALITY = (40, 95)


def augment(chip: tf.Tensor, seed: tf.Tensor, chosen: tuple[Augment, ...]) -> tf.Tensor:
    """A changed chip.

    Args:
        chip: RGB. Shape (H, W, 3), uint8.
        seed: Shape (2,), int32.

    Returns:
        Shape (H, W, 3), uint8.
    """
    seeds = tf.random.split(seed, 5)
    if Augment.FLIP in chosen:
        chip = tf.image.stateless_random_flip_left_right(chip, seed=seeds[0])
    if Augment.CROP in chosen:
        chip = _cropped(chip, seeds[1])
    if Augment.BRIGHTNESS in chosen:
        light = tf.cast(chip, tf.float32)
        light = tf.image.stateless_random_contrast(light, 1 - _CONTRAST, 1 + _CONTRAST, seeds[2])
        light += 255 * tf.random.stateless_uniform([], seeds[3], -_BRIGHTNESS, _BRIGHTNESS)
        chip = tf.saturate_cast(tf.round(light), tf.uint8)
    if Augment.JPEG in chosen:
        low, high = _JPEG_QUALITY
        chip = tf.image.stateless_random_jpeg_quality(chip, low, high, seed=seeds[4])
    return chip


def _cropped(chip: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """A window of nine tenths of the side or more, brought back to full size."""
    shape = tf.shape(chip)
    sides = tf.cast(shape[:2], tf.float32)
    draws = tf.random.stateless_uniform([3], seed)
    window = tf.cast(tf.round(sides * (1 - _CROP * draws[0])), tf.int32)
    room = tf.cast(shape[:2] - window, tf.float32)
    start = tf.cast(tf.round(room * draws[1:]), tf.int32)
    part = tf.slice(chip, [start[0], start[1], 0], [window[0], window[1], 3])
    resized = tf.image.resize(part, shape[:2], antialias=True)
    return tf.saturate_cast(tf.round(resized), tf.uint8)
