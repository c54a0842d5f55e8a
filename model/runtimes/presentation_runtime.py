"""Passive liveness run by OpenVINO."""

from __future__ import annotations

import numpy as np
import openvino as ov

from model.artifact import ArtifactError
from model.faces import Face
from model.presentation import (
    SIDE_PX,
    PresentationArtifact,
    PresentationManifest,
    context_crop,
)
from model.runtimes.compiled import CompiledNetworks, networks_otherwise
from model.runtimes.infer import infer
from model.runtimes.network import Network, Several
from model.spectrum import FEATURES, Spectrum
from model.types import Array, Image


class OpenVinoPresentation:
    """Judges one face at a time; safe to call from several threads.

    Args:
        artifact: Checked.
        threads, several: As for `model.runtimes.network.Network`.
        networks: Compiles it, or reads what was compiled before.

    Raises:
        ArtifactError: If OpenVINO cannot read it, or its shapes are others.
    """

    def __init__(
        self,
        artifact: PresentationArtifact,
        *,
        threads: int = 0,
        several: Several | None = None,
        networks: CompiledNetworks | None = None,
    ) -> None:
        self.manifest: PresentationManifest = artifact.manifest
        files = artifact.manifest.files
        about = ("presentation", *(files[name] for name in sorted(files)))

        def read(core: ov.Core) -> ov.Model:
            try:
                network = core.read_model(artifact.saved_model)
                given, scores = network.input("features"), network.output("scores")
                network = ov.Model([scores], [given.get_node()], "presentation")
                network.reshape([1, FEATURES])
            except RuntimeError as error:
                raise ArtifactError("OpenVINO cannot read passive liveness") from error
            return network

        self._spectrum = Spectrum(SIDE_PX)
        self._network = Network(
            networks or networks_otherwise(), about, read, threads=threads, several=several
        )
        self.judge(np.zeros((1, SIDE_PX, SIDE_PX, 3), dtype=np.uint8))

    def judge(self, crops: Image) -> Array:
        """Scores of crops (N, SIDE_PX, SIDE_PX, 3) -> (N,); higher is more like an attack."""
        return np.array([self._score_of(crop) for crop in crops], dtype=np.float32)

    def score(self, image: Image, face: Face) -> float:
        """Of one face, in pixels of the image; in [0, 1]."""
        return self._score_of(context_crop(image, face))

    def _score_of(self, crop: Image) -> float:
        with self._network.request() as request:
            infer(request, self._spectrum.features(crop)[None])
            return float(np.ravel(request.get_output_tensor(0).data)[0])
