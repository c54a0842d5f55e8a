"""An evaluation as rows of text, for the terminal and for the report alike."""

from __future__ import annotations

from training.evaluation.groups import RATE
from training.evaluation.measure import Evaluation
from training.evaluation.rates import Rates
from training.evaluation.text import TextTable, percent, percents, scientific
from training.evaluation.verdict_tables import fusion_table, threshold_table


def tables_of(evaluation: Evaluation) -> list[TextTable]:
    """Every table that the evaluation has rows for."""
    tables = [_thresholds(evaluation), _points(evaluation), _galleries(evaluation)]
    points = evaluation.verdicts.points
    tables += [fusion_table(points), threshold_table(points)]
    tables += [_groups(evaluation), _groups_at_rate(evaluation)]
    return [table for table in tables if table.rows]


def _thresholds(evaluation: Evaluation) -> TextTable:
    return TextTable(
        "At a threshold",
        ("threshold", "precision", "precision 1:1", "recall", "TP", "FN", "FP", "TN"),
        tuple(
            (
                f"{one.threshold:.6g}",
                percent(one.precision),
                percent(one.precision_even),
                percent(one.recall),
                f"{one.true_matches:,}",
                f"{one.false_non_matches:,}",
                f"{one.false_matches:,}",
                f"{one.true_non_matches:,}",
            )
            for one in evaluation.at
        ),
        "Precision depends on how many impostor pairs there are for each genuine one; 1:1 is "
        "what it would be with as many of one kind as of the other. TP: genuine pairs that "
        "match; FN: that do not; FP: impostor pairs that match; TN: that do not.",
    )


def _points(evaluation: Evaluation) -> TextTable:
    return TextTable(
        "TAR at FMR",
        ("FMR", "threshold", "FMR interval", "TAR", "TAR interval", "FNMR"),
        tuple(
            (
                f"{point.fmr:.0e}",
                f"{point.threshold:.6f}",
                scientific(point.fmr_interval),
                percent(1 - point.fnmr),
                percents((1 - point.fnmr_interval[1], 1 - point.fnmr_interval[0])),
                percent(point.fnmr),
            )
            for point in evaluation.points
        ),
        "The lowest threshold at which at most this share of the impostor pairs match. "
        "Intervals hold 95 %.",
    )


def _galleries(evaluation: Evaluation) -> TextTable:
    first = evaluation.galleries[0] if evaluation.galleries else None
    note = (
        ""
        if first is None
        else (
            f"{first.references} references of each of {first.identities:,} identities; verified "
            f"when more than {first.verification_threshold:g} of them score above the detection "
            "threshold. Each picture of another identity tries to pass as each of them."
        )
    )
    return TextTable(
        "Gallery: verdicts by both thresholds",
        ("detection", "verification", "verified", "interval", "falsely verified", "interval"),
        tuple(
            (
                f"{one.detection_threshold:.6g}",
                f"{one.verification_threshold:g}",
                f"{percent(one.true_rate)} of {one.genuine_probes:,}",
                percents(one.true_interval),
                f"{one.impostor_verified:,} of {one.impostor_probes:,} ({one.false_rate:.1e})",
                scientific(one.false_interval),
            )
            for one in evaluation.galleries
        ),
        note,
    )


def _groups(evaluation: Evaluation) -> TextTable:
    threshold = evaluation.manifest.detection_threshold
    return TextTable(
        "By group",
        (
            "attribute",
            "group",
            "identities",
            "FMR",
            "FMR interval",
            "FNMR",
            "FNMR interval",
            "pairs (G / I)",
        ),
        tuple(
            (
                one.attribute,
                one.group,
                "" if one.identities is None else str(one.identities),
                f"{one.rates.fmr:.2e}",
                scientific(one.rates.fmr_interval),
                percent(one.rates.fnmr),
                percents(one.rates.fnmr_interval),
                _pairs(one.rates),
            )
            for one in evaluation.groups
        ),
        f"At the model's threshold {threshold:.6g}; impostor pairs within the group alone. "
        "Of numbers, bins hold equally many genuine pairs: by the difference of the two "
        "pictures, and by the lower of the two.",
    )


def _groups_at_rate(evaluation: Evaluation) -> TextTable:
    """What each group loses by a threshold for all, and by one of its own."""
    return TextTable(
        f"By group, at FMR {RATE:.0e}",
        (
            "attribute",
            "group",
            "FNMR, one threshold",
            "interval",
            "its FMR there",
            "interval",
            "FNMR, own threshold",
            "interval",
        ),
        tuple(
            (
                one.attribute,
                one.group,
                *_fnmr(one.at_overall),
                "" if one.at_overall is None else f"{one.at_overall.fmr:.1e}",
                "" if one.at_overall is None else scientific(one.at_overall.fmr_interval),
                *_fnmr(one.at_own),
            )
            for one in evaluation.groups
            if one.at_overall is not None or one.at_own is not None
        ),
        f"One threshold: the lowest with an FMR of {RATE:.0e} on all pairs; its FMR there: the "
        f"group's own. Own threshold: the lowest with an FMR of {RATE:.0e} on the group's "
        "impostor pairs. Empty: too few impostor pairs.",
    )


def _fnmr(rates: Rates | None) -> tuple[str, str]:
    return ("", "") if rates is None else (percent(rates.fnmr), percents(rates.fnmr_interval))


def headlines(evaluation: Evaluation) -> list[str]:
    """The figures that are one number, as lines."""
    facts, accuracy = evaluation.facts, evaluation.accuracy
    reliability = evaluation.reliability
    lines = [
        f"{facts.pictures:,} pictures with a face, {len(facts.missed):,} without; "
        f"{facts.impostor_pairs:,} impostor and {facts.genuine_pairs:,} genuine pairs of "
        f"{facts.identities:,} identities",
        f"equal error rate {percent(evaluation.equal_error.rate)} at threshold "
        f"{evaluation.equal_error.threshold:.6f}",
    ]
    listed = evaluation.listed
    if listed is not None:
        tar = (
            ""
            if listed.tar_at_1e3 is None
            else (f"; TAR at FMR 1e-3 on them {percent(listed.tar_at_1e3)}")
        )
        lines.append(
            f"LFW 10-fold accuracy on the {listed.genuine_pairs + listed.impostor_pairs:,} pairs "
            f"{percent(listed.accuracy.mean)} ± {100 * listed.accuracy.standard_error:.2f}{tar}"
        )
    lines += [
        f"accuracy {percent(accuracy.accuracy.mean)} ± "
        f"{100 * accuracy.accuracy.standard_error:.2f}: {accuracy.protocol}",
        f"score as a probability (prior {reliability.prior:g}): Brier {reliability.brier:.4f}, "
        f"log loss {reliability.log_loss:.4f}, calibration error {reliability.ece:.4f}",
    ]
    return lines


def _pairs(rates: Rates) -> str:
    genuine = rates.true_matches + rates.false_non_matches
    return f"{genuine:,} / {rates.false_matches + rates.true_non_matches:,}"
