"""The runtime that a command names."""

from __future__ import annotations

from model.artifact import Artifact
from model.runtimes.base import Runtime


def load_runtime(artifact: Artifact, name: str) -> Runtime:
    """Loads an artifact on "openvino", "openvino-float32" or "tensorflow".

    Raises:
        ValueError: If it is none of the three.
    """
    if name == "tensorflow":
        from model.runtimes.tensorflow_runtime import TensorFlowRuntime

        return TensorFlowRuntime(artifact)
    if name in ("openvino", "openvino-float32"):
        from model.runtimes.openvino_runtime import OpenVinoRuntime

        return OpenVinoRuntime(artifact, integers=None if name == "openvino" else False)
    raise ValueError(
        f"expected the runtime openvino, openvino-float32 or tensorflow, found '{name}'"
    )
