"""Our own pipeline without HTTP, as a worker: the limit of what the service can reach.

python -m bench.speed.pipeline ARTIFACT REFERENCE THREADS [RUNTIME]
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from bench.speed.worker import Channel, Stages
from model.artifact import Artifact, read_artifact
from model.faces import Detector
from service.core.core import Core
from service.core.enrol import Upload, enrol
from service.core.verify import verify
from service.runtime.load import load_runtime, warm_up
from service.settings import Settings
from service.storage.memory_store import MemoryStore

_IDENTITY = "bench"


def main() -> None:
    channel = Channel()
    folder, reference, threads = sys.argv[1:4]
    name = sys.argv[4] if len(sys.argv) > 4 else "openvino"
    core = core_of(read_artifact(Path(folder)), int(threads), name)
    enrol(core, _IDENTITY, [Upload(Path(reference).read_bytes())])

    def once(picture: bytes) -> Stages:
        result = verify(core, _IDENTITY, picture, choice="largest")
        if not result.verified:
            raise RuntimeError("the probe was not verified")
        return {stage: ms for stage, ms in result.timings_ms.items() if stage != "total"}

    versions = {}
    if name == "tensorflow":
        import tensorflow as tf

        versions["TensorFlow"] = str(tf.__version__)
    channel.serve_verify(once, **versions)


def core_of(artifact: Artifact, threads: int, runtime: str = "openvino") -> Core:
    """As the service puts it together, but with a store in memory."""
    settings = Settings.model_validate({"threads": threads})
    cv2.setNumThreads(threads)
    if runtime == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    model = load_runtime(runtime, artifact, threads)
    detector = Detector(artifact.detector, threads=threads, min_confidence=settings.face_confidence)
    warm_up(model, detector)
    return Core(model=model, detector=detector, store=MemoryStore(), policy=settings.policy())


if __name__ == "__main__":
    main()
