"""The SavedModel read and run by OpenVINO; TensorFlow need not be installed."""

from __future__ import annotations

import numpy as np
import openvino as ov

from model.artifact import Artifact, ArtifactError
from model.contract import Manifest, Precision
from model.runtimes.base import check_shapes
from model.runtimes.batches import Batches
from model.runtimes.compiled import CompiledNetworks, networks_otherwise
from model.runtimes.infer import infer
from model.runtimes.network import Network, Several
from model.runtimes.rounding import leave_unrounded, sums_integers
from model.types import Array, Image


class OpenVinoRuntime:
    """Both signatures compiled for the CPU.

    What the artifact rounds to 8 bits is computed in integers where the CPU is made for
    it; elsewhere nothing is rounded, and all is float32.

    Args:
        artifact: Checked.
        integers: Whether to compute in integers; None: if the CPU is made for it.
        threads: CPU threads of one inference; 0 lets OpenVINO choose.
        networks: Compiles, or reads what was compiled before.
        several, batches: As for `model.runtimes.network.Network`.
        most_batched: Faces of one batch; scores are not batched.
    """

    name = "openvino"

    def __init__(
        self,
        artifact: Artifact,
        *,
        threads: int = 0,
        networks: CompiledNetworks | None = None,
        integers: bool | None = None,
        several: Several | None = None,
        batches: Batches | None = None,
        most_batched: int = 1,
    ) -> None:
        self._manifest = artifact.manifest
        if integers is None:
            integers = sums_integers()
        rounded = artifact.manifest.precision == "8-bit" and integers
        self.precision: Precision = "8-bit" if rounded else "float32"
        networks = networks or networks_otherwise()
        files = artifact.manifest.files
        digests = [files[name] for name in sorted(files) if name != artifact.manifest.detector]

        def part(inputs: tuple[str, ...], output: str, shape: tuple[int, ...] = ()) -> Network:
            """One signature, cut out of the whole SavedModel, its input of this shape."""

            def read(core: ov.Core) -> ov.Model:
                whole = read_saved_model(core, artifact)
                # Read anew long after the start, perhaps: it must still be what was checked.
                artifact.check_files()
                if not integers:
                    leave_unrounded(whole)
                parameters = [whole.input(name).get_node() for name in inputs]
                network = ov.Model([whole.output(output)], parameters, output)
                if shape:
                    network.reshape(list(shape))
                return network

            # With what reading checks: whoever reads what is kept must not be spared it.
            sizes = str((artifact.manifest.input_size, artifact.manifest.embedding_size))
            about = (*digests, self.precision, output, str(shape), sizes)
            most = most_batched if output == "embeddings" else 1
            return Network(
                networks,
                about,
                read,
                threads=threads,
                several=several,
                batches=batches,
                most=most,
            )

        # A network that knows how many chips come is quicker: 0.5 ms of 7.
        self._embed = part(("chips",), "embeddings", (1, *artifact.manifest.input_size, 3))
        self._score = part(("probe", "references"), "scores")

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def embed(self, chips: Image) -> Array:
        embeddings = np.empty((len(chips), self._manifest.embedding_size), dtype=np.float32)
        for row in range(len(chips)):
            embeddings[row] = self._embed.run(chips[row : row + 1], _embedding)
        return embeddings

    def score(self, probe: Array, references: Array) -> Array:
        with self._score.request() as request:
            infer(request, probe, references)
            return np.array(request.get_output_tensor(0).data, dtype=np.float32)


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


def _embedding(request: ov.InferRequest, row: int) -> Array:
    return np.array(request.get_output_tensor(0).data[row])


def _shape(port: ov.Output) -> tuple[int, ...]:
    return tuple(-1 if axis.is_dynamic else axis.get_length() for axis in port.get_partial_shape())
