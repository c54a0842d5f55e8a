"""The default artifact with a verdict table made up for a test, or with none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from model.artifact import MANIFEST_NAME, Artifact
from model.contract import Fusion

Table = Mapping[tuple[Fusion, int], Mapping[float, float]]
"""Threshold by nominal rate, for each rule and number of references."""


def with_verdicts(artifact: Artifact, folder: Path, table: Table) -> Path:
    """A copy whose manifest has just this table; `share` at the paper's threshold."""
    shutil.copytree(artifact.folder, folder)
    manifest = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    manifest["calibration"]["verdicts"] = [
        {
            "fusion": fusion,
            "references": references,
            "fmr": fmr,
            "threshold": threshold,
            "verification_threshold": 0.5 if fusion == "share" else None,
            "fmr_measured": fmr,
            "fmr_interval": [0, 1],
            "fnmr": 0.1,
            "fnmr_interval": [0, 1],
        }
        for (fusion, references), column in table.items()
        for fmr, threshold in column.items()
    ]
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")
    return folder
