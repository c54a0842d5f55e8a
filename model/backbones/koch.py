"""The paper's tower: four convolutions and 4,096 sigmoid neurons.

    chips 105 x 105 x 3, scaled to [0, 1]
    64 @ 10x10 -> pool -> 128 @ 7x7 -> pool -> 128 @ 4x4 -> pool -> 256 @ 4x4
    flatten -> 4096, sigmoid

Convolutions are unpadded with ReLU; pools are 2x2 with stride 2, padded where
the size is odd. (The paper's listing passes 64 as the size of a pool; 2x2 is
what it means.)

Source:
    Koch, Zemel and Salakhutdinov, "Siamese Neural Networks for One-shot Image
    Recognition" (2015), figure 4, with three colours.
"""

from __future__ import annotations

import keras

ARCHITECTURE = "koch-1"
CHIP_SIZE = (105, 105)
EMBEDDING_SIZE = 4096

# (filters, size) of the convolutions that a pool follows.
POOLED = ((64, 10), (128, 7), (128, 4))
LAST = (256, 4)


def build_koch(seed: int = 1, projection: int | None = None) -> keras.Model:
    """The tower with random weights: uint8 chips in, embeddings out.

    Args:
        seed: Of the weights.
        projection: Axes of a linear layer to add on top, for losses that compare
            angles; None for the paper's own tower.

    Returns:
        A Keras model, (N, 105, 105, 3) uint8 RGB -> (N, 4096) float32 in [0, 1],
        or (N, projection) of any sign. Neither is unit length.
    """
    seeds = iter(range(1000 * seed, 1000 * seed + 1000))

    def initial() -> keras.initializers.Initializer:
        return keras.initializers.GlorotUniform(seed=next(seeds))

    chips = keras.Input((*CHIP_SIZE, 3), dtype="uint8", name="chips")
    x = keras.layers.Rescaling(1 / 255, name="scale")(chips)
    for number, (filters, size) in enumerate(POOLED, start=1):
        x = keras.layers.Conv2D(
            filters, size, activation="relu", kernel_initializer=initial(), name=f"conv_{number}"
        )(x)
        x = keras.layers.MaxPooling2D(2, 2, padding="same", name=f"pool_{number}")(x)
    filters, size = LAST
    x = keras.layers.Conv2D(
        filters, size, activation="relu", kernel_initializer=initial(), name="conv_4"
    )(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(
        EMBEDDING_SIZE, activation="sigmoid", kernel_initializer=initial(), name="embedding"
    )(x)
    if projection is not None:
        x = keras.layers.Dense(projection, kernel_initializer=initial(), name="projection")(x)
    # The output of a mixed-precision tower is compared in full precision.
    x = keras.layers.Activation("linear", dtype="float32", name="output")(x)
    return keras.Model(chips, x, name="koch")
