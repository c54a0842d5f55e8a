"""The parts that every use case works with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from model.faces import Detector
from service.core.access import DEFAULT_COLLECTION
from service.core.gallery_cache import GalleryCache
from service.core.policy import Policy
from service.core.ports import FaceModel, Store


@dataclass(frozen=True)
class Core:
    """A model, a detector and a store, and how to use them.

    Attributes:
        galleries: Made by this model from this store, of all collections.
        collection: The one that `store` is of.
    """

    model: FaceModel
    detector: Detector
    store: Store
    policy: Policy
    galleries: GalleryCache = field(default_factory=GalleryCache)
    collection: str = DEFAULT_COLLECTION

    def within(self, collection: str) -> Core:
        """The same parts at work on another collection, and on nothing else."""
        if collection == self.collection:
            return self
        return replace(self, store=self.store.within(collection), collection=collection)

    def held_as(self, identity: str) -> str:
        """Under what the gallery of an identity is kept in memory."""
        return f"{self.collection}/{identity}"
