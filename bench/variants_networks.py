"""The two networks by themselves, on OpenVINO: what the variants are put together from."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino as ov

from model.backbones import dlib_resnet, fused, sface
from model.templates import ARCFACE_112
from model.types import Array, Image
from model.zoo import DLIB, SFACE
from training.dlib_file import read_dlib
from training.fetch import fetch
from training.onnx_files import read_tensors

SFACE_ALONE = "sface alone"
SFACE_IN_CHIP = "sface"
DLIB_IN_CHIP = "dlib"


@dataclass(frozen=True)
class Network:
    """A network, and how its chips are cut.

    Attributes:
        template: Where the landmarks lie in the chip, (x, y). Shape (5, 2).
        size: (height, width) of the chip.
        window: Chips (N, *size, 3) to what the network sees of them.
        tower: What it sees to (N, 128), float32.
    """

    template: Array
    size: tuple[int, int]
    window: Callable[[Image], Image]
    tower: ov.CompiledModel

    def embed(self, chips: Image, *, mirrored: bool = False) -> Array:
        """Raw embeddings of chips, or of their windows' mirror images. Shape (N, 128)."""
        return self.pass_through(self.window(chips)[:, :, :: -1 if mirrored else 1])

    def pass_through(self, windows: Image) -> Array:
        return np.array(self.tower(np.ascontiguousarray(windows))[0], dtype=np.float32)


Networks = dict[str, Network]


def load_networks() -> Networks:
    """SFace with chips of its own, SFace and dlib's network by windows in the fused chip."""
    ours = _compiled(sface.load_sface(read_tensors(fetch(SFACE))))
    theirs = _compiled(dlib_resnet.load_dlib_resnet(read_dlib(fetch(DLIB))))
    small, large = fused.SFaceWindow(), fused.DlibWindow()
    chip = fused.TEMPLATE, fused.CHIP_SIZE
    return {
        SFACE_ALONE: Network(ARCFACE_112, sface.CHIP_SIZE, lambda chips: chips, ours),
        SFACE_IN_CHIP: Network(*chip, lambda chips: np.asarray(small(chips)), ours),
        DLIB_IN_CHIP: Network(*chip, lambda chips: np.asarray(large(chips)), theirs),
    }


def _compiled(tower: object) -> ov.CompiledModel:
    core = ov.Core()
    with tempfile.TemporaryDirectory() as folder:
        tower.export(folder, verbose=False)  # type: ignore[attr-defined]  # keras is untyped
        network = core.read_model(Path(folder))
        config = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": "1"}
        return core.compile_model(network, "CPU", config)
