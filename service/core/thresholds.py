"""Which thresholds are in force for a request, and where each came from."""

from __future__ import annotations

from model.contract import DEFAULT_FMR, Manifest
from service.core.errors import InvalidRequest
from service.core.policy import Policy
from service.core.results import Threshold
from service.core.verdict_table import Bound, Bounds, Verdict, asked


def detection_threshold(
    manifest: Manifest,
    policy: Policy,
    requested: float | None,
    fmr: float | None,
    verdict: Verdict | None = None,
) -> Threshold:
    """The score above which one reference counts as a match, or a fused score verifies.

    The caller's number, or the measured threshold for the caller's false match
    rate, or the operator's, or the default: the model's for one comparison and for
    the rule `share`, the measured one for an FMR of 1e-4, or for the strictest rate
    there is, for the other rules.

    Args:
        verdict: Whose false match rate `fmr` is; None: that of one comparison.

    Raises:
        InvalidRequest: If both are requested, or the rate was never measured.
    """
    if requested is not None and fmr is not None:
        raise InvalidRequest("give detection_threshold or fmr, not both")
    if requested is not None:
        return Threshold(requested, "request")
    calibration = manifest.calibration
    single = Bounds((Bound((calibration.points,)),))
    bounds = single if verdict is None else asked(calibration, verdict)
    if fmr is not None:
        found = bounds.threshold(fmr)
        if found is None:
            raise InvalidRequest(_too_strict(bounds, verdict))
        return Threshold(found, "fmr")
    if policy.detection_threshold is not None:
        return Threshold(policy.detection_threshold, "settings")
    if verdict is None or verdict.fusion == "share":
        return Threshold(manifest.detection_threshold, "default")
    found = bounds.threshold(max(DEFAULT_FMR, bounds.strictest))
    # There is one for the strictest rate; if there were none, nobody would be let in.
    return Threshold(1.0 if found is None else found, "default")


def verification_threshold(
    manifest: Manifest, policy: Policy, requested: float | None
) -> Threshold:
    """The share of references that more than must match."""
    if requested is not None:
        return Threshold(requested, "request")
    if policy.verification_threshold is not None:
        return Threshold(policy.verification_threshold, "settings")
    return Threshold(manifest.verification_threshold, "default")


def _too_strict(bounds: Bounds, verdict: Verdict | None) -> str:
    of_this = ""
    if verdict is not None and verdict.references > 1:
        of_this = f" for {verdict.references} references by the rule {verdict.fusion}"
    if bounds.strictest > 1:
        return f"no fmr can be asked for: too little was measured{of_this}"
    return (
        f"fmr must be at least {bounds.strictest:g}, the strictest rate that was measured{of_this}"
    )
