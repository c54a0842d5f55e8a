"""A gallery that one model made, as the service leaves it, and the two models of a change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model.artifact import Artifact
from service.core.core import Core
from service.core.enrol import Upload, enrol
from service.core.policy import Keep, Policy
from service.core.ports import NewReference
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


class _Caught(MemoryStore):
    """Keeps what an enrolment would store."""

    def __init__(self) -> None:
        super().__init__()
        self.new: list[NewReference] = []

    def enrol(self, identity, references, **more):  # type: ignore[no-untyped-def]
        self.new += references
        return super().enrol(identity, references, **more)


def references_by(
    artifact: Artifact, faces: Faces, *names: str, keep: Keep = "crop"
) -> list[NewReference]:
    """What the service would store of these pictures."""
    model, store = load(artifact, WAY), _Caught()
    core = Core(model.model, model.detector, store, Policy(gate="off", keep=keep))
    enrol(core, "him", [Upload(faces.read(name)) for name in names])
    return store.new


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
