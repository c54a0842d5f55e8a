"""Routes about the service itself: model, health, readiness."""

from __future__ import annotations

from fastapi import APIRouter

from service.api.access import Verifying
from service.api.documented import STORED, problems
from service.api.model_schemas import ModelOut, ThresholdsOut
from service.api.present import model_out
from service.api.schemas import HealthOut
from service.api.state import RunningDep
from service.core.thresholds import detection_threshold, verification_threshold

router = APIRouter(tags=["system"])


@router.get("/v1/model", responses=problems())
def get_model(running: Verifying) -> ModelOut:
    """The model in use, its measured error rates, and the thresholds in force.

    While the model is changed this is the one that is to go; `next` names the other.
    """
    model, policy = running.core.model, running.core.policy
    manifest = model.manifest
    above = detection_threshold(manifest, policy, None, None).value
    thresholds = ThresholdsOut(
        detection_threshold=above,
        verification_threshold=verification_threshold(manifest, policy, None).value,
        fmr=manifest.calibration.fmr_of(above),
        fusion=policy.fusion,
    )
    return model_out(
        model,
        running.runtime,
        running.precision,
        thresholds,
        running.core.next,
        require_liveness=running.settings.require_liveness,
    )


@router.get("/healthz")
async def healthz() -> HealthOut:
    """The process answers."""
    return HealthOut(status="ok")


@router.get("/readyz", responses=problems(*STORED, guarded=False))
def readyz(running: RunningDep) -> HealthOut:
    """The model is loaded, the store can be read and the audit log could be written last."""
    running.core.store.check()
    if running.audit is not None:
        running.audit.check()
    return HealthOut(status="ok")
