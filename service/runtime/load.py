"""The models and the runtime that the settings name, loaded and warm."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from model.artifact import Artifact, ArtifactError
from model.faces import Detector
from model.landmarks import SIDE_PX
from model.runtimes.base import Runtime
from model.runtimes.batches import Batches
from model.runtimes.compiled import CompiledNetworks
from model.runtimes.network import Several
from model.runtimes.openvino_runtime import OpenVinoRuntime
from service.core.core import Loaded

# As the detector looks at them: 4:3 and 16:9, what webcams send, and small squares.
_DETECTOR_SIZES = ((480, 640), (360, 640), (256, 256))


@dataclass(frozen=True)
class Way:
    """How models are run.

    Attributes:
        runtime: "openvino", "openvino-float32" or "tensorflow".
        threads: CPU threads of one inference; 0 for all cores.
        min_confidence: Faces below it are not seen.
        networks: Compiles, or reads what was compiled before.
        several, batches: As for `model.runtimes.network.Network`.
        faces_at_once, pictures_at_once: Of several requests, in one batch.
    """

    runtime: str
    threads: int
    min_confidence: float
    networks: CompiledNetworks | None = None
    several: Several | None = None
    batches: Batches | None = None
    faces_at_once: int = 1
    pictures_at_once: int = 1


def load(
    artifact: Artifact,
    way: Way,
    *,
    runtime: Runtime | None = None,
    detector: Detector | None = None,
) -> Loaded:
    """A model, loaded and warm; raises as `load_runtime`.

    Args:
        runtime: Instead of the artifact's own.
        detector: Likewise.
    """
    # Side by side: each is read and run once, on a core of its own.
    with ThreadPoolExecutor(1, "load") as beside:
        seeing = beside.submit(_load_detector, artifact, way, detector)
        if runtime is None:
            runtime = load_runtime(
                way.runtime,
                artifact,
                way.threads,
                networks=way.networks,
                several=way.several,
                batches=way.batches,
                most_batched=way.faces_at_once,
            )
        _run_once(runtime)
        return Loaded(runtime, seeing.result(), runtime.name, runtime.precision)


def _load_detector(artifact: Artifact, way: Way, detector: Detector | None) -> Detector:
    """Loaded, or as given; and run once in all sizes that come."""
    if detector is None:
        detector = Detector(
            artifact.detector,
            threads=way.threads,
            min_confidence=way.min_confidence,
            networks=way.networks,
            integers=False if way.runtime == "openvino-float32" else None,
            several=way.several,
            batches=way.batches,
            most_batched=way.pictures_at_once,
        )
    _look_once(detector, second=artifact.manifest.landmarks == "second look")
    return detector


def load_two(
    artifact: Artifact, following: Artifact, way: Way, runtime: Runtime | None = None
) -> tuple[Loaded, Loaded]:
    """A model and the one that is to take its place; raises as `load_runtime`.

    They share a detector if both artifacts hold the same: the following one's, whose
    folder stays.
    """
    newest = load(following, way)
    same = _detector_digest(artifact) == _detector_digest(following)
    detector = newest.detector if same else None
    return load(artifact, way, runtime=runtime, detector=detector), newest


def _detector_digest(artifact: Artifact) -> str:
    return artifact.manifest.files[artifact.manifest.detector]


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
    _run_once(runtime)
    _look_once(detector, second=runtime.manifest.landmarks == "second look")


def _run_once(runtime: Runtime) -> None:
    chips = np.zeros((1, *runtime.manifest.input_size, 3), dtype=np.uint8)
    embedding = runtime.embed(chips)
    runtime.score(embedding[0], embedding)


def _look_once(detector: Detector, *, second: bool) -> None:
    """In all sizes that come; `second`: also at chips, as for the second look."""
    for size in _DETECTOR_SIZES:
        detector.prepare(size)
        detector.detect(np.zeros((*size, 3), dtype=np.uint8))
    if second:
        detector.look(np.zeros((2, SIDE_PX, SIDE_PX, 3), dtype=np.uint8))
