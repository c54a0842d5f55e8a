"""What both runtimes share: the interface, and the check of shapes."""

from __future__ import annotations

from typing import Protocol

from model.artifact import ArtifactError
from model.contract import Manifest, Precision
from model.signatures import shape_fault
from model.types import Array, Image


class Runtime(Protocol):
    """The two signatures of a SavedModel; safe to call from several threads."""

    @property
    def name(self) -> str: ...

    @property
    def manifest(self) -> Manifest: ...

    @property
    def precision(self) -> Precision:
        """That of the convolutions as they are run here."""
        ...

    def embed(self, chips: Image) -> Array:
        """Chips (N, H, W, 3) uint8 RGB -> embeddings (N, D), unit length."""
        ...

    def score(self, probe: Array, references: Array) -> Array:
        """Probe (D,), references (M, D), M >= 1 -> scores (M,) in [0, 1]."""
        ...


def check_shapes(manifest: Manifest, found: dict[str, tuple[int, ...]]) -> None:
    """Raises ArtifactError, saying expected and found, unless all shapes agree."""
    fault = shape_fault(manifest, found)
    if fault is not None:
        raise ArtifactError(fault)
