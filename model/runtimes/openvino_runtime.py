"""The SavedModel read and run by OpenVINO; TensorFlow need not be installed."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import openvino as ov

from model.artifact import Artifact, ArtifactError
from model.contract import Manifest
from model.runtimes.base import check_shapes
from model.types import Array, Image


class OpenVinoRuntime:
    """Both signatures compiled for the CPU in float32.

    Args:
        artifact: Checked.
        threads: CPU threads of one inference; 0 lets OpenVINO choose.
        cache_dir: Where compiled networks are kept between starts, or None.
    """

    name = "openvino"

    def __init__(
        self, artifact: Artifact, *, threads: int = 0, cache_dir: Path | None = None
    ) -> None:
        self._manifest = artifact.manifest
        core = ov.Core()
        config = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": "1"}
        if threads:
            config["INFERENCE_NUM_THREADS"] = str(threads)
        if cache_dir is not None:
            config["CACHE_DIR"] = str(cache_dir)
        network = read_saved_model(core, artifact)
        self._embed = _part(core, network, ("chips",), "embeddings", config)
        self._score = _part(core, network, ("probe", "references"), "scores", config)
        self._local = threading.local()

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def embed(self, chips: Image) -> Array:
        request = self._request("embed", self._embed)
        request.infer({"chips": chips})
        # The request owns its output and will write over it.
        return np.array(request.get_output_tensor(0).data, dtype=np.float32)

    def score(self, probe: Array, references: Array) -> Array:
        request = self._request("score", self._score)
        request.infer({"probe": probe, "references": references})
        return np.array(request.get_output_tensor(0).data, dtype=np.float32)

    def _request(self, name: str, network: ov.CompiledModel) -> ov.InferRequest:
        request = getattr(self._local, name, None)
        if request is None:
            request = network.create_infer_request()
            setattr(self._local, name, request)
        return request


def read_saved_model(core: ov.Core, artifact: Artifact) -> ov.Model:
    """Both signatures as one OpenVINO model, its shapes checked.

    Raises:
        ArtifactError: If it cannot be read or a shape disagrees with the manifest.
    """
    try:
        network = core.read_model(artifact.saved_model)
    except RuntimeError as error:
        raise ArtifactError("OpenVINO cannot read the SavedModel") from error
    ports = [*network.inputs, *network.outputs]
    found = {name: _shape(port) for port in ports for name in port.get_names()}
    check_shapes(artifact.manifest, found)
    return network


def _shape(port: ov.Output) -> tuple[int, ...]:
    return tuple(-1 if axis.is_dynamic else axis.get_length() for axis in port.get_partial_shape())


def _part(
    core: ov.Core, network: ov.Model, inputs: tuple[str, ...], output: str, config: dict[str, str]
) -> ov.CompiledModel:
    """One signature, cut out of the whole SavedModel and compiled."""
    parameters = [network.input(name).get_node() for name in inputs]
    return core.compile_model(ov.Model([network.output(output)], parameters, output), "CPU", config)
