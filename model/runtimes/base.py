"""What both runtimes share: the interface, and the check of shapes."""

from __future__ import annotations

from typing import Protocol

from model.artifact import ArtifactError
from model.contract import Manifest
from model.types import Array, Image


class Runtime(Protocol):
    """The two signatures of a SavedModel; safe to call from several threads."""

    @property
    def name(self) -> str: ...

    @property
    def manifest(self) -> Manifest: ...

    def embed(self, chips: Image) -> Array:
        """Chips (N, H, W, 3) uint8 RGB -> embeddings (N, D), unit length."""
        ...

    def score(self, probe: Array, references: Array) -> Array:
        """Probe (D,), references (M, D), M >= 1 -> scores (M,) in [0, 1]."""
        ...


def expected_shapes(manifest: Manifest) -> dict[str, tuple[int, ...]]:
    """Shapes of the signatures' inputs and outputs; -1 stands for any length."""
    size = manifest.embedding_size
    return {
        "chips": (-1, *manifest.input_size, 3),
        "embeddings": (-1, size),
        "probe": (size,),
        "references": (-1, size),
        "scores": (-1,),
    }


def check_shapes(manifest: Manifest, found: dict[str, tuple[int, ...]]) -> None:
    """Raises ArtifactError, saying expected and found, unless all shapes agree."""
    for name, expected in expected_shapes(manifest).items():
        if name not in found:
            raise ArtifactError(
                f"the SavedModel has no '{name}': expected {sorted(expected_shapes(manifest))}, "
                f"found {sorted(found)}"
            )
        if found[name] != expected:
            raise ArtifactError(
                f"the SavedModel's '{name}' has the wrong shape: expected {expected}, "
                f"found {found[name]}"
            )
