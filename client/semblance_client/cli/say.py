"""Answers as lines: for people, or as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from semblance_client import models


@dataclass(frozen=True)
class Said:
    """An answer, twice.

    Attributes:
        good: Whether it is the face, or all pictures were taken.
    """

    good: bool
    line: str
    content: dict[str, Any]


@dataclass(frozen=True)
class Say:
    """Prints answers, each at once."""

    as_json: bool = False

    def __call__(self, said: Said, name: str | None = None) -> None:
        """Args: name: Of the picture, where there are several."""
        if self.as_json:
            about = {} if name is None else {"file": name}
            print(json.dumps({**about, **said.content}), flush=True)
        else:
            print(said.line if name is None else f"{name}: {said.line}", flush=True)


def failure(code: str, detail: str) -> Said:
    """A picture that could not be judged."""
    return Said(False, f"{code}: {detail}", {"code": code, "detail": detail})


def enrolment(answer: models.Enrolment) -> Said:
    lines = [f"{answer.identity}: {len(answer.accepted)} accepted, {answer.references} references"]
    lines += [f"  {item.filename}: {item.code}: {item.detail}" for item in answer.rejected]
    lines += [f"  {item.filename}: {item.code}, {item.kind}" for item in answer.conflicts]
    good = not answer.rejected and not answer.conflicts
    return Said(good, "\n".join(lines), answer.model_dump(mode="json"))


def verification(answer: models.Verification) -> Said:
    verdict = "verified" if answer.verified else "not verified"
    best = max((score.score for score in answer.scores), default=None)
    shown = "" if best is None else f", best score {best:.4f}"
    line = f"{answer.identity}: {verdict}, {answer.matched} of {answer.references} match{shown}"
    return Said(answer.verified, line, answer.model_dump(mode="json"))


def comparison(answer: models.Comparison) -> Said:
    verdict = "the same person" if answer.verified else "not the same person"
    shown = "" if answer.score is None else f", score {answer.score:.4f}"
    line = f"{verdict}{shown} (threshold {answer.threshold.value:.4f})"
    return Said(answer.verified, line, answer.model_dump(mode="json"))


def identification(answer: models.Identification) -> Said:
    first = next(iter(answer.candidates), None)
    if answer.identified:
        shown = "" if first is None or first.score is None else f", score {first.score:.4f}"
        line = f"{answer.identity}{shown}"
    else:
        line = f"nobody of {answer.gallery.identities} identities"
    return Said(answer.identified, line, answer.model_dump(mode="json"))
