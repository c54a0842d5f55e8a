"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

ProfileName = Literal["accurate", "fast"]

MODELS = Path("models")
DEFAULT_ARTIFACT = MODELS / "fused"
"""What `build` makes and the service loads unless told otherwise."""

SFACE_ARTIFACT = MODELS / "sface"
"""Whose detector and chips the towers that `fit` trains are made for."""

DATA_HELP = "Folder of identities (celeba300)."
ArtifactOption = Annotated[Path, typer.Option("--artifact", help="Folder of the artifact.")]
RuntimeOption = Annotated[
    str, typer.Option("--runtime", help="openvino, openvino-float32 or tensorflow.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
ProfileOption = Annotated[ProfileName, typer.Option("--profile", help="accurate or fast.")]
