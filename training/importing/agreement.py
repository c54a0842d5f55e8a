"""Whether the converted network is the one in the file.

A wrong conversion still gives embeddings, only poorer ones. So the artifact, as
OpenVINO serves it, is held against the file as another program runs it, on noise
and on real chips.
"""

from __future__ import annotations

import numpy as np

from model.runtimes.base import Runtime
from model.types import Array, Image
from training.importing.network import ImportedNetworkError, Network
from training.importing.preprocessing import Preprocessing

LEAST_COSINE = 0.9999
_NOISE = 4


def check_agreement(
    network: Network, preprocessing: Preprocessing, runtime: Runtime, chips: Image
) -> float:
    """The smallest cosine between the file's embedding of a chip and the artifact's.

    Args:
        chips: Real ones, RGB. Shape (N, H, W, 3), uint8.

    Raises:
        ImportedNetworkError: If it is below `LEAST_COSINE`.
    """
    generator = np.random.default_rng(1)
    noise = generator.integers(0, 256, (_NOISE, *chips.shape[1:]), dtype=np.uint8)
    everything = np.concatenate([chips, noise])
    try:
        wanted = network.reference(preprocessing.numbers(everything))
    except Exception as error:  # each program that runs a file has errors of its own
        raise ImportedNetworkError(
            f"expected a network that runs, found one that does not: {_first_line(error)}"
        ) from error
    try:
        # All at once and alone: pictures of a batch must not touch each other.
        together, alone = runtime.embed(everything), runtime.embed(everything[:1])
    except RuntimeError as error:
        raise ImportedNetworkError(
            "expected a network that OpenVINO runs for any number of pictures, found one that it "
            f"does not: {_first_line(error)}"
        ) from error
    least = min(_least_cosine(wanted, together), _least_cosine(wanted[:1], alone))
    if not least >= LEAST_COSINE:
        raise ImportedNetworkError(
            f"expected the converted network to agree with the file (cosine {LEAST_COSINE} or "
            f"more), found {least:.6f}; it cannot be imported"
        )
    return least


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def _least_cosine(wanted: Array, found: Array) -> float:
    lengths = np.linalg.norm(wanted, axis=1) * np.linalg.norm(found, axis=1)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise ImportedNetworkError(
            "expected embeddings of finite numbers that are not all zero, found others; are "
            "--mean and --scale the network's own?"
        )
    return float(((wanted * found).sum(axis=1) / lengths).min())
