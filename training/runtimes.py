"""The runtime that a command names."""

from __future__ import annotations

from model.artifact import Artifact
from model.runtimes.base import Runtime


def load_runtime(artifact: Artifact, name: str) -> Runtime:
    """Loads an artifact on "openvino" or "tensorflow".

    Raises:
        ValueError: If it is none of the two.
    """
    if name == "tensorflow":
        from model.runtimes.tensorflow_runtime import TensorFlowRuntime

        return TensorFlowRuntime(artifact)
    if name == "openvino":
        from model.runtimes.openvino_runtime import OpenVinoRuntime

        return OpenVinoRuntime(artifact)
    raise ValueError(f"expected the runtime openvino or tensorflow, found '{name}'")
