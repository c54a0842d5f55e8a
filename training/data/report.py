"""`report.json`: what became of every picture, and with which settings."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from training.data.decide import Decision, count_reasons
from training.data.options import Options
from training.data.source import Picture
from training.data.splits import SplitBy, Splits

_BY_IMAGE = (
    "split by image: test shows people who were also trained on, so its numbers say nothing "
    "about strangers"
)


def make_report(
    settings: dict[str, Any],
    options: Options,
    pictures: list[Picture],
    decision: Decision,
    splits: Splits,
) -> dict[str, Any]:
    """The report; the same input and settings make the same one."""
    all_of = Counter(picture.identity for picture in pictures)
    kept = Counter(one.picture.identity for one in decision.kept)
    return {
        "settings": settings,
        "split": {
            "by": options.split.value,
            "seed": options.seed,
            "dev_share": options.shares.dev,
            "test_share": options.shares.test,
            "chips": {name: len(chips) for name, chips in splits.items()},
            "identities": {
                name: len({chip.split("/")[0] for chip in chips}) for name, chips in splits.items()
            },
        },
        "paper": None if options.paper is None else asdict(options.paper),
        "notes": _notes(options, splits),
        "counts": {
            "identities": len(all_of),
            "pictures": len(pictures),
            "kept": len(decision.kept),
            "dropped": len(decision.dropped),
            "dropped_by_reason": count_reasons(decision.dropped),
            "near_duplicates": len(decision.near),
        },
        "identities": {
            name: {"pictures": count, "kept": kept[name], "dropped": count - kept[name]}
            for name, count in sorted(all_of.items())
        },
        "dropped": [
            {"file": one.picture.name, "reason": one.reason.value, "detail": one.detail}
            for one in decision.dropped
        ],
        "near_duplicates": [
            {"file": pair.picture.name, "of": pair.first.name, "differing_bits": pair.bits}
            for pair in decision.near
        ],
    }


def _notes(options: Options, splits: Splits) -> list[str]:
    notes = [_BY_IMAGE] if options.split is SplitBy.IMAGE else []
    if options.paper is not None and options.paper.overlap:
        notes.append("a picture may be an anchor and a positive too (--disjoint forbids it)")
    for name, chips in splits.items():
        identities = len({chip.split("/")[0] for chip in chips})
        if not chips:
            notes.append(f"{name} is empty: there was too little to share out")
        elif identities == 1:
            notes.append(f"{name} holds one identity: no pair of two people can be made of it")
    return notes
