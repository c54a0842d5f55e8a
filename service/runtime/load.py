"""The runtime that the settings name, loaded and warm."""

from __future__ import annotations

import numpy as np

from model.artifact import Artifact, ArtifactError
from model.faces import Detector
from model.landmarks import SIDE_PX
from model.runtimes.base import Runtime
from model.runtimes.batches import Batches
from model.runtimes.compiled import CompiledNetworks
from model.runtimes.network import Several
from model.runtimes.openvino_runtime import OpenVinoRuntime

# As the detector looks at them: 4:3 and 16:9, what webcams send, and small squares.
_DETECTOR_SIZES = ((480, 640), (360, 640), (256, 256))


def load_runtime(
    name: str,
    artifact: Artifact,
    threads: int,
    *,
    networks: CompiledNetworks | None = None,
    several: Several | None = None,
    batches: Batches | None = None,
    most_batched: int = 1,
) -> Runtime:
    """Loads an artifact.

    Args:
        name: "openvino", "openvino-float32" or "tensorflow".
        threads: CPU threads of one inference; 0 for all cores. OpenVINO only.
        networks: Compiles for OpenVINO, or reads what was compiled before.
        several, batches: As for `model.runtimes.network.Network`. OpenVINO only.
        most_batched: Faces of one batch. OpenVINO only.

    Raises:
        ArtifactError: If the SavedModel is not what the manifest says, or the
            runtime is not installed.
    """
    if name != "tensorflow":
        return OpenVinoRuntime(
            artifact,
            threads=threads,
            networks=networks,
            integers=None if name == "openvino" else False,
            several=several,
            batches=batches,
            most_batched=most_batched,
        )
    try:
        from model.runtimes.tensorflow_runtime import TensorFlowRuntime
    except ImportError as error:
        raise ArtifactError(
            "SEMBLANCE_RUNTIME=tensorflow needs TensorFlow, which is not installed here"
        ) from error
    return TensorFlowRuntime(artifact)


def warm_up(runtime: Runtime, detector: Detector) -> None:
    """Runs everything once, so that the first request is as quick as the next."""
    manifest = runtime.manifest
    chips = np.zeros((1, *manifest.input_size, 3), dtype=np.uint8)
    embedding = runtime.embed(chips)
    runtime.score(embedding[0], embedding)
    for size in _DETECTOR_SIZES:
        detector.prepare(size)
        detector.detect(np.zeros((*size, 3), dtype=np.uint8))
    if manifest.landmarks == "second look":
        detector.look(np.zeros((2, SIDE_PX, SIDE_PX, 3), dtype=np.uint8))
