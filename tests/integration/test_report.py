"""`python -m service report` on a real audit log: a shift that was put in is found."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from model.artifact import Artifact
from service.core.audit import AuditEntry
from service.opening import opened
from service.settings import Settings
from tests.faces import Faces
from tests.integration.api_client import post
from tests.integration.commands import service_command
from tests.running import ROOT, running_service

ARTIFACT = ROOT / "models" / "fused"
DAYS = 30
EACH = 900
"""Verifications of each of the two spans."""


def entries(
    chance: random.Random,
    first_day: int,
    model: str,
    *,
    threshold: float,
    shift: float = 0.0,
    blurred: float = 0.05,
) -> list[AuditEntry]:
    """A span of 30 days: mostly the right people, some strangers, some enrolments."""
    now = datetime.now(UTC)
    made = []
    for number in range(EACH):
        at = now - timedelta(days=first_day - DAYS * number / EACH) + timedelta(hours=1)
        right = chance.random() < 0.95
        scores = [
            min(1.0, max(0.0, chance.betavariate(30, 0.25) - shift))
            if right
            else chance.betavariate(0.3, 20)
            for _ in range(3)
        ]
        matched = sum(score > threshold for score in scores)
        made.append(
            AuditEntry(
                "verify",
                "verified" if matched > 1 else "not_verified",
                "default",
                subject=f"person {number % 40}",
                details={
                    "model": model,
                    "detection_threshold": threshold,
                    "references": 3,
                    "matched": matched,
                    "scores": scores,
                },
                at=at,
            )
        )
        if number % 2:
            bad = chance.random() < blurred
            details: dict[str, Any] = {"accepted": 0 if bad else 1, "duplicates": 0}
            if bad:
                details |= {"rejected_low_quality": 1, "objection_blurred": 1}
            made.append(
                AuditEntry(
                    "enroll", "low_quality" if bad else "ok", "default", details=details, at=at
                )
            )
    return made


Write = Callable[[list[AuditEntry]], None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def add(made: list[AuditEntry]) -> None:
        found = opened(Settings(data_dir=tmp_path))  # type: ignore[call-arg]
        try:
            for one in made:
                found.audit.record(one, durable=False)
        finally:
            found.close()

    return add


def report(data_dir: Path, *arguments: str, status: int = 0) -> dict[str, Any]:
    done = service_command(
        data_dir, "report", "--json", *arguments, status=status, artifact=ARTIFACT
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_without_a_change_it_is_steady(tmp_path: Path, write: Write, artifact: Artifact) -> None:
    chance = random.Random(3)
    model, threshold = artifact.manifest.fingerprint, artifact.manifest.detection_threshold
    for first_day in (2 * DAYS, DAYS):
        write(entries(chance, first_day, model, threshold=threshold))
    found = report(tmp_path)
    (one,) = found["models"]
    assert (one["fingerprint"], one["name"]) == (model, artifact.manifest.name)
    assert one["verified"]["mark"] == "steady"
    assert one["scores"]["psi"] < 0.1
    assert sum(one["verified"]["now"][1:]) == pytest.approx(EACH, abs=5)
    assert found["shares"]["of them by the quality gate"]["mark"] == "steady"
    assert "worry" not in found["marks"].values()


def test_a_shift_that_was_put_in_is_found(tmp_path: Path, write: Write, artifact: Artifact) -> None:
    chance = random.Random(4)
    model, threshold = artifact.manifest.fingerprint, artifact.manifest.detection_threshold
    write(entries(chance, 2 * DAYS, model, threshold=threshold))
    # The cameras' lenses are dirty: scores are lower, pictures are blurred.
    write(entries(chance, DAYS, model, threshold=threshold, shift=0.03, blurred=0.3))
    found = report(tmp_path, status=1)
    (one,) = found["models"]
    assert found["worst"] == "worry"
    assert one["verified"]["mark"] == "worry"
    assert found["marks"][f"{model}: scores"] == "worry"
    assert found["shares"]["of them by the quality gate"]["mark"] == "worry"
    assert one["references_missed"]["mark"] == "look"
    low, high = one["verified"]["difference_interval"]
    assert low <= high < -0.05
    text = service_command(tmp_path, "report", status=1, artifact=ARTIFACT).stdout
    assert f"worry: {model}: scores" in text
    assert "blurred" in text
    assert "person" not in text
    # A span that lies in the shift alone has nothing to compare but the shift itself.
    assert report(tmp_path, "--since", "14d")["models"][0]["verified"]["mark"] != "worry"


def test_models_are_told_apart(tmp_path: Path, write: Write, artifact: Artifact) -> None:
    chance = random.Random(5)
    model = artifact.manifest.fingerprint
    write(entries(chance, DAYS, model, threshold=0.96))
    write(entries(chance, DAYS, "f" * 16, threshold=0.5, shift=0.4))
    found = {one["fingerprint"]: one for one in report(tmp_path)["models"]}
    assert found.keys() == {model, "f" * 16}
    # Of the other there is no manifest to compare with.
    assert found["f" * 16]["name"] is None
    assert found["f" * 16]["calibration_rows"] == []
    assert found[model]["calibration_rows"]
    assert found[model]["median_best_score"] > found["f" * 16]["median_best_score"]


def test_what_a_real_service_writes_is_understood(tmp_path: Path, faces: Faces) -> None:
    with (
        running_service(tmp_path, audit_scores=True) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        pictures = [faces.read("obama.jpg"), faces.read("obama_partial_face2.jpg")]
        post(client, "/v1/enroll", "multipart", {"images": pictures}, identity="ada")
        refused = post(
            client, "/v1/enroll", "multipart", {"images": [b"no picture"]}, identity="bob"
        )
        assert refused.status_code == 422
        for name in ("obama2.jpg", "biden.jpg"):
            post(client, "/v1/verify", "json", {"image": faces.read(name)}, identity="ada")
        post(client, "/v1/verify", "json", {"image": b"no picture"}, identity="ada")
    found = report(tmp_path, "--since", "1d")
    (one,) = found["models"]
    assert one["verified"]["now"] == [1, 2]
    assert one["name"] == "fused"
    assert one["median_best_score"] is not None
    assert found["images"]["accepted"] == 1
    assert found["images"]["rejected"]["undecodable_image"] == 1
    assert sum(found["images"]["rejected"].values()) == 2
    assert found["problems"] == {"undecodable_image": 1}
    assert found["worst"] == "too few"
    text = service_command(tmp_path, "report", artifact=ARTIFACT).stdout
    assert "scores are not on record" in text


def test_a_span_that_is_none_is_refused(tmp_path: Path, write: Write) -> None:
    write([])
    for text in ("30", "0d"):
        said = service_command(tmp_path, "report", f"--since={text}", status=2).stderr
        assert "30d" in said
