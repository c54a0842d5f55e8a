"""The parts that every use case works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from model.contract import Precision
from model.faces import Detector
from service.core.access import DEFAULT_COLLECTION
from service.core.gallery_cache import GalleryCache
from service.core.indexes import Indexes
from service.core.meters import Meters
from service.core.policy import Policy
from service.core.ports import FaceModel, Store
from service.core.presentation import PresentationJudge
from service.core.stopwatch import Run, Stopwatch


@dataclass(frozen=True)
class Loaded:
    """A model in memory, and the detector that finds faces for it.

    Attributes:
        runtime: What runs it, such as "openvino".
        precision: Of its convolutions, as run here.
    """

    model: FaceModel
    detector: Detector
    runtime: str
    precision: Precision

    @property
    def fingerprint(self) -> str:
        return self.model.manifest.fingerprint


@dataclass(frozen=True)
class Core:
    """A model, a detector and a store, and how to use them.

    Attributes:
        galleries: Made from this store, of all collections; each says by which model.
        indexes: What is searched among many identities, likewise.
        collection: The one that `store` is of.
        presentation: Flags prints and screens; None where it is not installed.
        next: The model that is to take the place of `model`, while both are loaded.
        meters: What is counted, of all collections.
        spans: Is told the stages of each picture, for traces; None where none are made.
    """

    model: FaceModel
    detector: Detector
    store: Store
    policy: Policy
    galleries: GalleryCache = field(default_factory=GalleryCache)
    collection: str = DEFAULT_COLLECTION
    next: Loaded | None = None
    presentation: PresentationJudge | None = None
    meters: Meters = field(default_factory=Meters)
    spans: Callable[[Sequence[Run]], None] | None = None
    indexes: Indexes = field(default_factory=Indexes)

    @property
    def fingerprint(self) -> str:
        """Of `model`."""
        return self.model.manifest.fingerprint

    def stopwatch(self) -> Stopwatch:
        """One that tells whoever watches."""
        if self.spans is None:
            return Stopwatch(self.meters.stages)
        return Stopwatch(self.meters.stages, self.spans)

    def within(self, collection: str) -> Core:
        """The same parts at work on another collection, and on nothing else."""
        if collection == self.collection:
            return self
        return replace(self, store=self.store.within(collection), collection=collection)

    def held_as(self, identity: str) -> str:
        """Under what the gallery of an identity is kept in memory."""
        return f"{self.collection}/{identity}"

    def each(self) -> tuple[Core, ...]:
        """The same parts at work by each model that is loaded, the newest last."""
        return (self,) if self.next is None else (self, self.newest)

    @property
    def newest(self) -> Core:
        """At work by the next model alone; as it is where there is none."""
        if self.next is None:
            return self
        return replace(self, model=self.next.model, detector=self.next.detector, next=None)

    def by(self, fingerprint: str) -> Core | None:
        """At work by the model of this fingerprint; None if it is not loaded."""
        if fingerprint == self.fingerprint:
            return self
        if self.next is not None and fingerprint == self.next.fingerprint:
            return self.newest
        return None
