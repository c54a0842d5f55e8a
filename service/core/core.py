"""The parts that every use case works with."""

from __future__ import annotations

from dataclasses import dataclass, field

from model.faces import Detector
from service.core.gallery_cache import GalleryCache
from service.core.policy import Policy
from service.core.ports import FaceModel, Store


@dataclass(frozen=True)
class Core:
    """A model, a detector and a store, and how to use them.

    Attributes:
        galleries: Made by this model from this store.
    """

    model: FaceModel
    detector: Detector
    store: Store
    policy: Policy
    galleries: GalleryCache = field(default_factory=GalleryCache)
