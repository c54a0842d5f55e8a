"""An evaluation in plain words: what a person would conclude from the figures."""

from __future__ import annotations

from dataclasses import dataclass

from training.evaluation.measure import Evaluation
from training.evaluation.rates import Rates
from training.evaluation.text import percent

# Equal error rates up to which a sentence holds.
_SEPARATES = (
    (0.01, "good", "tells these people apart very well"),
    (0.05, "good", "tells these people apart well"),
    (0.15, "fair", "tells these people apart with many errors"),
    (1.00, "poor", "barely tells these people apart"),
)
_FEWEST_GENUINE, _FEWEST_IMPOSTOR = 100, 1000
_CALIBRATED = ((0.02, "can be read as probabilities"), (0.05, "are roughly probabilities"))


@dataclass(frozen=True)
class Verdict:
    """A sentence to begin with, its tone (good, fair, poor), and what it rests on."""

    headline: str
    tone: str
    sentences: tuple[str, ...]


def verdict_of(evaluation: Evaluation) -> Verdict:
    """The verdict; every sentence names its figure."""
    rate = evaluation.equal_error.rate
    tone, words = next((tone, words) for limit, tone, words in _SEPARATES if rate <= limit)
    headline = f"{evaluation.manifest.name} {words}."
    facts = evaluation.facts
    if facts.genuine_pairs < _FEWEST_GENUINE or facts.impostor_pairs < _FEWEST_IMPOSTOR:
        headline, tone = f"Too few pictures to judge {evaluation.manifest.name} by.", "fair"
    own = _own(evaluation)
    sentences = [
        f"At the threshold at which both kinds of error are equally frequent, "
        f"{percent(rate)} of the pairs are judged wrongly.",
        f"At the model's own threshold {own.threshold:.4g}, {_one_in(own.fmr)} pairs of strangers "
        f"{_times(own)} falsely, and {percent(own.fnmr)} of the pairs of one person do not match.",
    ]
    promised = _promise(evaluation, own)
    if promised:
        sentences.append(promised[1])
        tone = promised[0] or tone
    for one in evaluation.galleries[-1:]:
        sentences.append(
            f"With {one.references} references of each person and the model's thresholds, "
            f"{percent(one.true_rate)} of the right people are let in, and "
            f"{_one_in(one.false_rate)} attempts by others ({one.impostor_verified:,} of "
            f"{one.impostor_probes:,})."
        )
    error = evaluation.reliability.ece
    reads = next((words for limit, words in _CALIBRATED if error <= limit), "are no probabilities")
    sentences.append(
        f"Scores {reads}: they are off by {100 * error:.1f} points on average, if every "
        f"{_prior(evaluation.reliability.prior)} pair is of one person."
    )
    return Verdict(headline, tone, tuple(sentences))


def _own(evaluation: Evaluation) -> Rates:
    threshold = evaluation.manifest.detection_threshold
    return next(one for one in evaluation.at if one.threshold == threshold)


def _promise(evaluation: Evaluation, own: Rates) -> tuple[str, str] | None:
    """Whether the manifest's false match rate holds here: (tone if it does not, sentence)."""
    calibration = evaluation.manifest.calibration
    promised = calibration.fmr_of(own.threshold)
    if promised is None:
        return None
    low, high = own.fmr_interval
    claim = f"The manifest says FMR {promised:.0e} at this threshold ({calibration.dataset})"
    measured = f"{own.fmr:.1e} ({low:.1e} .. {high:.1e})"
    if low > promised:
        return (
            "poor" if low > 10 * promised else "fair",
            f"{claim}; on these pictures it is higher: {measured}. Wrongly named pictures and "
            "people in the background of a picture make it so, too: look at the false matches "
            "below.",
        )
    if own.fmr > promised:
        return "", f"{claim}; here it was higher, {measured}, but the interval allows for it."
    return "", f"{claim}, and these pictures agree: {measured}."


def _one_in(rate: float) -> str:
    return f"one in {round(1 / rate):,}" if rate > 0 else "none of the"


def _times(rates: Rates) -> str:
    return "matches" if rates.false_matches else "match"


def _prior(prior: float) -> str:
    return "second" if prior == 0.5 else f"{1 / prior:.3g}th"
