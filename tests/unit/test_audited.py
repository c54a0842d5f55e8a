"""What a route writes into the audit log, whichever way it ends."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from model.contract import Manifest
from service.api.admission import Admission
from service.api.audited import audited
from service.api.state import Running
from service.core.access import Caller
from service.core.audit import AuditEntry, AuditState
from service.core.audit_details import (
    comparison_details,
    enrolment_details,
    verdict,
    verification_details,
)
from service.core.core import Core
from service.core.errors import NoFace, StorageFull
from service.core.policy import Policy
from service.core.results import (
    AcceptedImage,
    Comparison,
    Enrolment,
    RejectedImage,
    ScoredReference,
    Threshold,
    Verification,
)
from service.settings import Settings

NOWHERE = cast(Any, None)
MANIFEST = cast(Manifest, SimpleNamespace(fingerprint="f" * 16))


@dataclass
class Paper:
    """An audit log in memory, which may be out of order."""

    written: list[tuple[AuditEntry, bool]] = field(default_factory=list)
    broken: bool = False

    def check(self) -> None:
        if self.broken:
            raise StorageFull("the log is full")

    def record(self, entry: AuditEntry, *, durable: bool) -> None:
        self.check()
        self.written.append((entry, durable))

    def state(self) -> AuditState:
        return AuditState(0, len(self.written), 0, self.broken)

    def close(self) -> None: ...


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def running(paper: Paper) -> Running:
    return Running(
        core=Core(NOWHERE, NOWHERE, NOWHERE, Policy(), collection="staff"),
        settings=Settings.model_validate({}),
        runtime="none",
        precision="float32",
        admission=cast(Admission, None),
        sites=NOWHERE,
        caller=Caller("0123456789abcdef", frozenset({"verify"}), "staff"),
        audit=paper,
        request_id="r-1",
    )


def test_what_went_well(running: Running, paper: Paper) -> None:
    with audited(running, "verify", "ann") as note:
        note.outcome = verdict(True)
        note.details = {"rule": "share"}
    ((entry, durable),) = paper.written
    assert (entry.action, entry.outcome, entry.subject) == ("verify", "verified", "ann")
    assert (entry.actor, entry.collection, entry.request_id) == (
        "0123456789abcdef",
        "staff",
        "r-1",
    )
    assert entry.details == {"rule": "share"}
    assert not durable


@pytest.mark.parametrize("action", ["enroll", "delete_identity", "unlock", "key_revoke", "image"])
def test_a_change_and_what_hands_out_a_picture_is_durable(
    running: Running, paper: Paper, action: Any
) -> None:
    with audited(running, action, "ann"):
        pass
    ((entry, durable),) = paper.written
    assert entry.outcome == "ok"
    assert durable


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoFace("none"), "no_face"),
        (ValueError("ann"), "internal_error"),
        (KeyboardInterrupt(), "internal_error"),
    ],
)
def test_what_went_wrong(running: Running, paper: Paper, error: BaseException, code: str) -> None:
    def route() -> None:
        with audited(running, "verify", "ann") as note:
            note.outcome = verdict(True)
            raise error

    with pytest.raises(type(error)):
        route()
    assert [entry.outcome for entry, _ in paper.written] == [code]


def test_nothing_begins_that_could_not_be_written_down(running: Running, paper: Paper) -> None:
    paper.broken = True
    begun = False
    with pytest.raises(StorageFull), audited(running, "delete_identity", "ann"):
        begun = True
    assert not begun


@pytest.mark.parametrize("error", [None, NoFace("none")])
def test_no_answer_goes_out_that_could_not_be_written_down(
    running: Running, paper: Paper, error: Exception | None
) -> None:
    def route() -> None:
        with audited(running, "verify", "ann"):
            paper.broken = True
            if error is not None:
                raise error

    with pytest.raises(StorageFull):
        route()


def test_without_a_log_all_goes_on(running: Running) -> None:
    with audited(replace(running, audit=None), "verify", "ann") as note:
        note.outcome = "verified"


# Details

VERIFICATION = Verification(
    identity="Tellingname",
    verified=True,
    matched=1,
    references=(ScoredReference("a" * 32, 0.91234, True), ScoredReference("b" * 32, 0.1, False)),
    fusion="max",
    fused_score=0.91234,
    share=0.5,
    detection_threshold=Threshold(0.6, "fmr"),
    verification_threshold=Threshold(0.5, "default"),
    fmr=1e-4,
    verdict_fmr=None,
    found=NOWHERE,
    timings_ms={},
    manifest=MANIFEST,
)


def test_scores_are_left_out_unless_asked_for() -> None:
    plain = verification_details(VERIFICATION, scores=False)
    assert "0.91234" not in str(plain)
    assert plain["detection_threshold"] == 0.6
    assert (plain["references"], plain["matched"], plain["rule"]) == (2, 1, "max")
    assert plain["model"] == "f" * 16
    assert verification_details(VERIFICATION, scores=True)["scores"] == [0.91234, 0.1]
    comparison = Comparison(
        0.777, Threshold(0.6, "default"), None, True, NOWHERE, NOWHERE, {}, MANIFEST
    )
    assert "0.777" not in str(comparison_details(comparison, scores=False))
    assert comparison_details(comparison, scores=True)["scores"] == [0.777]


def test_an_enrolment_is_counted_and_names_nothing() -> None:
    enrolment = Enrolment(
        identity="Tellingname",
        references=3,
        accepted=(
            AcceptedImage(0, "tellingfile.jpg", "a" * 32, False, NOWHERE),
            AcceptedImage(1, "tellingfile.jpg", "b" * 32, True, NOWHERE),
        ),
        rejected=(RejectedImage(2, "tellingfile.jpg", "no_face", "tellingfile.jpg: no face"),),
        manifest=MANIFEST,
    )
    details = enrolment_details(enrolment)
    assert details == {
        "accepted": 1,
        "duplicates": 1,
        "references": 3,
        "conflicts": 0,
        "model": "f" * 16,
        "rejected_no_face": 1,
    }
