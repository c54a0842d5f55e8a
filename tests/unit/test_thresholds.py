"""Which thresholds are in force, where they come from, and what they stand for."""

from __future__ import annotations

import pytest

from model.artifact import Artifact
from service.core.errors import InvalidRequest
from service.core.policy import Policy
from service.core.results import Threshold
from service.core.thresholds import detection_threshold, verification_threshold


def test_the_model_decides_when_nobody_else_does(artifact: Artifact) -> None:
    manifest = artifact.manifest
    at_1e4 = manifest.calibration.at_fmr(1e-4).threshold
    assert detection_threshold(manifest, Policy(), None, None) == Threshold(at_1e4, "default")
    assert verification_threshold(manifest, Policy(), None) == Threshold(0.5, "default")


def test_the_operator_goes_before_the_model(artifact: Artifact) -> None:
    policy = Policy(detection_threshold=0.0, verification_threshold=0.0)
    manifest = artifact.manifest
    assert detection_threshold(manifest, policy, None, None) == Threshold(0.0, "settings")
    assert verification_threshold(manifest, policy, None) == Threshold(0.0, "settings")


def test_the_caller_goes_before_the_operator(artifact: Artifact) -> None:
    policy = Policy(detection_threshold=0.9, verification_threshold=0.9)
    manifest = artifact.manifest
    assert detection_threshold(manifest, policy, 0.0, None) == Threshold(0.0, "request")
    assert verification_threshold(manifest, policy, 0.0) == Threshold(0.0, "request")
    at_1e3 = manifest.calibration.at_fmr(1e-3).threshold
    assert detection_threshold(manifest, policy, None, 1e-3) == Threshold(at_1e3, "fmr")


def test_a_number_and_a_rate_at_once_are_refused(artifact: Artifact) -> None:
    with pytest.raises(InvalidRequest, match="not both"):
        detection_threshold(artifact.manifest, Policy(), 0.5, 1e-3)


def test_a_rate_stricter_than_measured_is_refused_with_the_strictest(artifact: Artifact) -> None:
    with pytest.raises(InvalidRequest, match="at least 1e-06"):
        detection_threshold(artifact.manifest, Policy(), None, 1e-9)


def test_a_rate_between_two_rows_takes_the_stricter_one(artifact: Artifact) -> None:
    calibration = artifact.manifest.calibration
    assert calibration.at_fmr(5e-4).fmr == 1e-4
    assert calibration.at_fmr(1.0).fmr == 1e-2
    for point in calibration.points:
        assert calibration.at_fmr(point.fmr) is point
        assert calibration.at_fmr(float(f"{point.fmr:.0e}")) is point


def test_the_rate_of_a_threshold_is_an_upper_bound(artifact: Artifact) -> None:
    calibration = artifact.manifest.calibration
    loosest = calibration.points[0]
    assert calibration.fmr_of(loosest.threshold - 1e-6) is None
    assert calibration.fmr_of(0.0) is None
    assert calibration.fmr_of(1.0) == calibration.points[-1].fmr
    for point in calibration.points:
        assert calibration.fmr_of(point.threshold) == point.fmr


def test_the_table_runs_from_loose_to_strict(artifact: Artifact) -> None:
    points = artifact.manifest.calibration.points
    assert [point.fmr for point in points] == [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
    for point in points:
        low, high = point.fmr_interval
        assert low <= point.fmr_measured <= high
        assert point.fmr_measured <= point.fmr
        assert point.fnmr_interval[0] <= point.fnmr <= point.fnmr_interval[1]
