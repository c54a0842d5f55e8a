"""A gallery that one model made, as the service leaves it, and the two models of a change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from model.artifact import Artifact
from service.core.core import Core
from service.core.enrol import Upload, enrol
from service.core.policy import Keep, Policy
from service.core.ports import NewReference, Store
from service.opening import Opened, opened
from service.runtime.load import Way, load
from service.settings import Settings
from service.storage.memory_store import MemoryStore
from tests.faces import Faces
from tests.running import ROOT

OLD, NEW = ROOT / "models" / "sface", ROOT / "models" / "fused"
HIM = ("obama.jpg", "obama2.jpg")
PROBE = "obama3.jpg"
WAY = Way("openvino", 1, 0.7)


def references_by(
    artifact: Artifact, faces: Faces, *names: str, keep: Keep = "crop"
) -> list[NewReference]:
    """What the service would store of these pictures."""
    loaded = load(artifact, WAY)
    policy = Policy(gate="off", keep=keep)
    core = Core(loaded.model, loaded.detector, MemoryStore(), policy)
    enrol(core, "him", [Upload(faces.read(name)) for name in names])
    return new_references(core.store, "him")


def new_references(store: Store, identity: str) -> list[NewReference]:
    """The references of an identity as they could be enrolled once more."""
    found = []
    for one in store.references(identity):
        kept = store.image(identity, one.reference_id)
        found.append(
            NewReference(
                content_hash=one.content_hash,
                embedding=one.embedding,
                fingerprint=one.fingerprint,
                image=kept.data if kept else None,
                image_type=kept.media_type if kept else None,
                landmarks=kept.landmarks if kept else np.zeros((5, 2), np.float32),
                quality=one.quality,
                filename=one.filename,
            )
        )
    return found


@contextmanager
def gallery(data_dir: Path, **settings: object) -> Iterator[Opened]:
    """The service's own files, with its own master key."""
    found = opened(Settings.model_validate({"data_dir": data_dir, **settings}))
    try:
        yield found
    finally:
        found.close()


def fill(data_dir: Path, references: list[NewReference], people: int) -> None:
    """Enrols so many identities, each with the same pictures."""
    with gallery(data_dir) as found:
        for number in range(people):
            found.store.enrol(f"person {number:04}", references, limit=99)


def models(data_dir: Path) -> Counter[tuple[str, ...]]:
    """How many identities have references by these models; two in one are mixed."""
    with gallery(data_dir) as found:
        store = found.store
        return Counter(
            tuple(sorted({one.fingerprint for one in store.references(summary.identity)}))
            for summary in store.identities(None, 10**6)
        )
