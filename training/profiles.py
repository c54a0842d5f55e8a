"""The models that `build` makes from published weights: `accurate` and `fast`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import keras

from model.backbones import dlib_resnet, fused, sface, sface_folded, yunet
from model.contract import Interpolation, Landmarks, Precision
from model.templates import ARCFACE_112
from model.types import Array
from model.zoo import DLIB, SFACE, SFACE_SMALL, YUNET, YUNET_SMALL, Weights
from training.bounds import read_bounds
from training.dlib_file import read_dlib
from training.onnx_files import read_convolutions, read_tensors
from training.options import ProfileName
from training.projection import read_projection

FITTED = Path(__file__).parent / "fitted"
PROJECTION_FILE = FITTED / "fused_projection.json"
SFACE_BOUNDS_FILE = FITTED / "sface_bounds.json"
DLIB_BOUNDS_FILE = FITTED / "dlib_bounds.json"
YUNET_BOUNDS_FILE = FITTED / "yunet_bounds.json"


@dataclass(frozen=True)
class Profile:
    """What an artifact is made of.

    Attributes:
        artifact: Its name, and that of its folder below `models`.
        landmarks: Which the chip is cut by.
        interpolation: How it is cut.
        template: Where they lie in the chip, (x, y). Shape (5, 2).
        towers: Weights of the tower, in the order that `load` takes their files.
        detector: Weights of the detector.
        precision: Of the tower.
        load: The tower from files.
        load_detector: The detector from its file.
        head_file, calibration_file: Fitted and measured numbers, kept with the code.
    """

    artifact: str
    version: str
    architecture: str
    chip_size: tuple[int, int]
    template: Array
    landmarks: Landmarks
    interpolation: Interpolation
    towers: tuple[Weights, ...]
    detector: Weights
    precision: Precision
    load: Callable[..., keras.Model]
    load_detector: Callable[[Path], keras.Model]
    head_file: Path
    calibration_file: Path

    @property
    def weights(self) -> tuple[Weights, ...]:
        return *self.towers, self.detector


def profile(name: ProfileName, *, small: bool = False) -> Profile:
    """The profile of this name.

    Args:
        small: With SFace and YuNet from the block-quantised files.
    """
    sface_weights, detector = (SFACE_SMALL, YUNET_SMALL) if small else (SFACE, YUNET)
    return _MAKERS[name](sface_weights, detector)


def unprojected(chosen: Profile) -> Profile:
    """The accurate profile without its projection, which is fitted on its embeddings."""
    return _accurate(chosen.towers[0], chosen.detector, _load_plain)


def unrounded(chosen: Profile) -> Profile:
    """A profile in float32, without a projection: what bounds are measured on."""
    load: Callable[..., keras.Model]
    load = _load_sface_unrounded if chosen.artifact == "sface" else _load_unrounded
    return replace(
        chosen,
        load=load,
        load_detector=lambda file: yunet.load_yunet(read_convolutions(file)),
        precision="float32",
    )


def _fast(sface_weights: Weights, detector: Weights) -> Profile:
    return Profile(
        artifact="sface",
        version="1.0.0",
        architecture=sface_folded.ARCHITECTURE,
        chip_size=sface.CHIP_SIZE,
        template=ARCFACE_112,
        landmarks="detector",
        interpolation="linear",
        towers=(sface_weights,),
        detector=detector,
        precision="8-bit",
        load=_load_sface,
        load_detector=_load_detector,
        head_file=FITTED / "sface_head.json",
        calibration_file=FITTED / "sface_calibration.json",
    )


def _load_sface(file: Path) -> keras.Model:
    measured = read_bounds(SFACE_BOUNDS_FILE)
    return sface_folded.load_sface_folded(read_tensors(file), measured.sizes, measured.bounds)


def _load_detector(file: Path) -> keras.Model:
    measured = read_bounds(YUNET_BOUNDS_FILE)
    return yunet.load_yunet(read_convolutions(file), measured.sizes, measured.bounds)


def _load_sface_unrounded(file: Path) -> keras.Model:
    return sface_folded.load_sface_folded(read_tensors(file))


def _load_unrounded(sface_file: Path, dlib_file: Path) -> keras.Model:
    dlib_tower = dlib_resnet.load_dlib_resnet(read_dlib(dlib_file))
    return fused.build_fused(_load_sface_unrounded(sface_file), dlib_tower, None)


def _load_plain(sface_file: Path, dlib_file: Path) -> keras.Model:
    return _fused(sface_file, dlib_file, None)


def _load_projected(sface_file: Path, dlib_file: Path) -> keras.Model:
    return _fused(sface_file, dlib_file, read_projection(PROJECTION_FILE))


def _fused(sface_file: Path, dlib_file: Path, projection: fused.Projection | None) -> keras.Model:
    return fused.build_fused(
        _load_sface(sface_file),
        dlib_resnet.load_dlib_resnet(read_dlib(dlib_file), read_bounds(DLIB_BOUNDS_FILE).bounds),
        projection,
    )


def _accurate(
    sface_weights: Weights,
    detector: Weights,
    load: Callable[[Path, Path], keras.Model] = _load_projected,
) -> Profile:
    return Profile(
        artifact="fused",
        version="1.0.0",
        architecture=fused.ARCHITECTURE,
        chip_size=fused.CHIP_SIZE,
        template=fused.TEMPLATE,
        landmarks="second look",
        interpolation="cubic",
        towers=(sface_weights, DLIB),
        detector=detector,
        precision="8-bit",
        load=load,
        load_detector=_load_detector,
        head_file=FITTED / "fused_head.json",
        calibration_file=FITTED / "fused_calibration.json",
    )


_MAKERS: Mapping[ProfileName, Callable[[Weights, Weights], Profile]] = {
    "accurate": _accurate,
    "fast": _fast,
}
