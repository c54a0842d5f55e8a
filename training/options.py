"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_ARTIFACT = Path("models/sface")
ArtifactOption = Annotated[Path, typer.Option("--artifact", help="Folder of the artifact.")]
RuntimeOption = Annotated[str, typer.Option("--runtime", help="openvino or tensorflow.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
