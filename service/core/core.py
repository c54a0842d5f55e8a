"""The parts that every use case works with."""

from __future__ import annotations

from dataclasses import dataclass

from model.faces import Detector
from service.core.policy import Policy
from service.core.ports import FaceModel, Store


@dataclass(frozen=True)
class Core:
    """A model, a detector and a store, and how to use them."""

    model: FaceModel
    detector: Detector
    store: Store
    policy: Policy
