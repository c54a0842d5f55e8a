"""What a manifest may say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from model.artifact import Artifact
from model.backbones.fused import TEMPLATE
from model.contract import Manifest


def changed(artifact: Artifact, **fields: object) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(artifact.manifest.model_dump_json())
    return content | fields


def parse(content: dict[str, Any]) -> Manifest:
    return Manifest.model_validate_json(json.dumps(content))


def test_the_default_manifest_is_read_back_as_it_was(artifact: Artifact) -> None:
    assert parse(changed(artifact)) == artifact.manifest
    assert np.allclose(artifact.manifest.template, TEMPLATE, atol=1e-3)
    assert artifact.manifest.template.shape == (5, 2)
    assert artifact.manifest.landmarks == "second look"
    assert artifact.manifest.interpolation == "cubic"


def test_a_manifest_without_them_means_first_look_and_linear(
    artifact: Artifact,
) -> None:
    """As those do that were written before there was a choice."""
    content = changed(artifact)
    del content["landmarks"], content["interpolation"]
    assert parse(content).landmarks == "detector"
    assert parse(content).interpolation == "linear"


@pytest.mark.parametrize(
    "fields",
    [
        {"surprise": 1},
        {"manifest_version": 2},
        {"fingerprint": "0123"},
        {"fingerprint": "X" * 16},
        {"input_size": [112]},
        {"input_size": [112, 0]},
        {"input_size": [112, 112, 3]},
        {"landmarks": "third look"},
        {"interpolation": "nearest"},
        {"alignment_template": [[0, 0]] * 4},
        {"alignment_template": [[0, 0]] * 6},
        {"alignment_template": [[0, 0, 0]] * 5},
        {"alignment_template": [[0, float("nan")]] * 5},
        {"embedding_size": 0},
        {"embedding_size": "many"},
        {"detection_threshold": 1.01},
        {"detection_threshold": float("nan")},
        {"verification_threshold": -0.1},
        {"files": {"detector.pb": "abc"}},
        {"weights": [{"file": "f"}]},
    ],
    ids=str,
)
def test_a_wrong_field_is_refused(artifact: Artifact, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parse(changed(artifact, **fields))


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../x",
        "a/..",
        "..",
        ".",
        "./x",
        "/etc/passwd",
        "a//b",
        "a/",
        "a\\b",
        "C:/x",
        ".hidden",
        "a/.hidden",
        "a\x00b",
        "a\n",
        "",
        "~/x",
        "-rf",
    ],
)
def test_no_name_leads_out_of_the_folder(artifact: Artifact, name: str) -> None:
    for field in ("saved_model", "detector"):
        with pytest.raises(ValidationError):
            parse(changed(artifact, **{field: name}))
    with pytest.raises(ValidationError):
        parse(changed(artifact, files={name: "0" * 64}))


@pytest.mark.parametrize("order", ["rates", "thresholds"])
def test_a_table_in_disorder_is_refused(artifact: Artifact, order: str) -> None:
    content = changed(artifact)
    points = content["calibration"]["points"]
    if order == "rates":
        points[0]["fmr"], points[1]["fmr"] = points[1]["fmr"], points[0]["fmr"]
    else:
        points[0]["threshold"], points[1]["threshold"] = (
            points[1]["threshold"],
            points[0]["threshold"],
        )
    with pytest.raises(ValidationError, match="from loose to strict"):
        parse(content)


def test_an_empty_table_is_refused(artifact: Artifact) -> None:
    content = changed(artifact)
    content["calibration"]["points"] = []
    with pytest.raises(ValidationError):
        parse(content)
