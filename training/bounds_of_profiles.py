"""The bounds of the three networks: of the towers on chips, of the detector on pictures."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from model.backbones import dlib_resnet, fused, sface_folded, yunet
from model.faces import Detector
from model.image import Limits, decode
from model.types import Image
from training.bounds import WHOLE, Measured, measure_bounds, measure_sizes
from training.build import build
from training.dlib_file import read_dlib
from training.fetch import fetch
from training.head import Head, held_out_identities
from training.onnx_files import read_convolutions, read_tensors
from training.pictures import chip_in, picture_names
from training.profiles import Profile, profile, unrounded
from training.uncalibrated import uncalibrated

PICTURES = 400
CANVASES = 160
_ON_CANVAS = 3
_SEED = 5
# The first convolution of either network is small, and a whole picture hangs on it.
_NOT_ROUNDED = ("conv_1", "conv_0")


def measure_yunet(data: Path, dataset: str, *, quiet: bool) -> Measured:
    """Of the detector, on canvases with faces small and large.

    Args:
        data: One folder an identity; a fifth of them is left out as in `training.head`.
        dataset: Its name, for the provenance.
    """
    published = read_convolutions(fetch(profile("fast").detector))
    canvases = np.stack(
        [_canvas(data, names) for names in track(_canvas_names(data), "draw", disable=quiet)]
    )
    steps = yunet.steps_of(published)
    sizes = measure_sizes(
        yunet.load_yunet(published), [step.name for step in steps if step.depthwise], canvases
    )
    evened = yunet.load_yunet(published, sizes)
    # Pixels are whole numbers already: nothing is lost by rounding them to 256 steps.
    bounds = {"stem": (0.0, 255.0)}
    # What comes last is places in pixels; there rounding costs most and saves least.
    rounded = [step.name for step in steps[1:] if not yunet.is_last(step)]
    bounds |= measure_bounds(evened, rounded, canvases)
    return Measured(bounds, sizes, _provenance(dataset, canvases))


def measure_sface(data: Path, dataset: str, *, quiet: bool) -> Measured:
    """Of SFace, on the chips of the fast profile."""
    chosen = profile("fast")
    weights = read_tensors(fetch(chosen.towers[0]))
    chips = _chips(chosen, data, quiet=quiet)
    layers = [s.name for s in sface_folded.folded(weights) if s.name not in _NOT_ROUNDED]
    sizes = measure_sizes(sface_folded.load_sface_folded(weights), layers, chips)
    bounds = measure_bounds(sface_folded.load_sface_folded(weights, sizes), layers, chips)
    return Measured(bounds, sizes, _provenance(dataset, chips))


def measure_dlib(data: Path, dataset: str, *, quiet: bool) -> Measured:
    """Of dlib's network, on its windows in the chips of the accurate profile."""
    chosen = profile("accurate")
    tower = dlib_resnet.load_dlib_resnet(read_dlib(fetch(chosen.towers[1])))
    chips = np.asarray(fused.DlibWindow()(_chips(chosen, data, quiet=quiet)))
    names = [f"conv_{number}" for number in range(dlib_resnet.CONVOLUTIONS)]
    layers = [name for name in names if name not in _NOT_ROUNDED]
    return Measured(measure_bounds(tower, layers, chips), {}, _provenance(dataset, chips))


def _chips(chosen: Profile, data: Path, *, quiet: bool) -> Image:
    """Of some pictures, as the profile cuts them."""
    with tempfile.TemporaryDirectory() as folder:
        head = Head(weight=1.0, bias=0.0, provenance={})
        artifact = build(
            Path(folder) / "unrounded", unrounded(chosen), head=head, calibration=uncalibrated()
        )
        detector = Detector(artifact.detector)
        cut = [
            chip_in(data, detector, artifact.manifest, name)
            for name in track(_drawn(data, PICTURES), f"cut {data.name}", disable=quiet)
        ]
    return np.stack([chip for chip in cut if chip is not None])


def _drawn(data: Path, count: int) -> list[str]:
    """Names of pictures of the identities that are not held out."""
    names = picture_names(data)
    identities = np.array([name.split("/")[0] for name in names])
    left = np.flatnonzero(~np.isin(identities, held_out_identities(identities)))
    return [names[row] for row in np.random.default_rng(_SEED).permutation(left)[:count]]


def _canvas_names(data: Path) -> list[list[str]]:
    names = _drawn(data, CANVASES * _ON_CANVAS)
    return [names[place::CANVASES] for place in range(CANVASES)]


def _canvas(data: Path, names: list[str]) -> Image:
    """Pictures of several sizes side by side on black. Shape (480, 640, 3)."""
    canvas = np.zeros((480, 640, 3), dtype=np.uint8)
    generator = np.random.default_rng(len(names[0]) + sum(map(ord, names[0])))
    for name in names:
        picture = decode((data / name).read_bytes(), Limits())
        height = int(generator.integers(64, 480))
        width = max(1, round(picture.shape[1] * height / picture.shape[0]))
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        top, left = generator.integers(0, 481 - height), generator.integers(0, 500)
        canvas[top : top + height, left : left + width] = picture[:, : 640 - left]
    return canvas


def _provenance(dataset: str, chips: Image) -> dict[str, str | int | float]:
    return {
        "dataset": dataset,
        "split": "identities at random, seed 1; the fifth held out is not among them",
        "pictures": len(chips),
        "whole": WHOLE,
        "command": "python -m training fit-bounds --data celeba300",
    }
