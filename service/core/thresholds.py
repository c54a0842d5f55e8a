"""Which thresholds are in force for a request, and where each came from."""

from __future__ import annotations

from model.contract import Manifest
from service.core.errors import InvalidRequest
from service.core.policy import Policy
from service.core.results import Threshold


def detection_threshold(
    manifest: Manifest, policy: Policy, requested: float | None, fmr: float | None
) -> Threshold:
    """The score above which one reference counts as a match.

    The caller's number, or the measured threshold for the caller's false match
    rate, or the operator's, or the model's.

    Raises:
        InvalidRequest: If both are requested, or the rate was never measured.
    """
    if requested is not None and fmr is not None:
        raise InvalidRequest("give detection_threshold or fmr, not both")
    if requested is not None:
        return Threshold(requested, "request")
    if fmr is not None:
        try:
            return Threshold(manifest.calibration.at_fmr(fmr).threshold, "fmr")
        except ValueError as error:
            strictest = manifest.calibration.points[-1].fmr
            raise InvalidRequest(
                f"fmr must be at least {strictest:g}, the strictest rate that was measured"
            ) from error
    if policy.detection_threshold is not None:
        return Threshold(policy.detection_threshold, "settings")
    return Threshold(manifest.detection_threshold, "default")


def verification_threshold(
    manifest: Manifest, policy: Policy, requested: float | None
) -> Threshold:
    """The share of references that more than must match."""
    if requested is not None:
        return Threshold(requested, "request")
    if policy.verification_threshold is not None:
        return Threshold(policy.verification_threshold, "settings")
    return Threshold(manifest.verification_threshold, "default")
