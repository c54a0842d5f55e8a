"""The calibration of an artifact that is made only to be measured."""

from __future__ import annotations

from model.contract import Calibration, OperatingPoint


def uncalibrated() -> Calibration:
    """Stands in the manifest of an artifact that is made only to be measured."""
    point = OperatingPoint(
        fmr=1e-4,
        threshold=0.5,
        fmr_measured=0,
        fmr_interval=(0, 1),
        fnmr=0,
        fnmr_interval=(0, 1),
    )
    return Calibration(
        dataset="none",
        protocol="none",
        measured_on="never",
        impostor_pairs=1,
        genuine_pairs=1,
        identities=2,
        accuracy=0,
        accuracy_standard_error=0,
        points=(point,),
    )
