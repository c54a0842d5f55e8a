"""`presentation`: trains passive liveness on some people, measures it on others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from model.faces import Detector
from model.presentation import PresentationArtifact, write_presentation
from model.runtimes.presentation_runtime import OpenVinoPresentation
from training.artifact_files import check_place
from training.data.errors import DataError
from training.presentation.frames import Frames, read_frames, split
from training.presentation.rates import equal_error_rate, rates_at, threshold_at

_SAME = 1e-3


@dataclass(frozen=True)
class Fitted:
    """What was written.

    Attributes:
        missed: Frames without a face.
    """

    artifact: PresentationArtifact
    missed: int


def fit_presentation(
    folder: Path,
    out: Path,
    detector: Detector,
    *,
    about: str,
    simulated: bool,
    ridge: float,
    bpcer: float,
    quiet: bool,
) -> Fitted:
    """Writes an artifact; all rates in it are of people who were not trained on.

    Args:
        about: What the frames are, in words; shown beside every flag.
        ridge: As for `network.fit_head`.
        bpcer: At most so many live frames are to be flagged, of the people that the
            threshold is chosen by.

    Raises:
        DataError: If the folder is not as expected, or something else is at `out`.
        ArtifactError: If what was written does not read back alike.
    """
    from training.presentation.network import export_network, features_of, fit_head, scores_of

    check_place(out)
    frames = read_frames(folder, detector, quiet=quiet)
    train, choose, test = split(frames)
    network = fit_head(features_of(train), train, ridge)
    threshold = threshold_at(scores_of(network, features_of(choose))[~choose.attack], bpcer)
    scores = scores_of(network, features_of(test))
    apcer, live = rates_at(test, scores, threshold)
    promise = {
        "made_on": f"{datetime.now(UTC):%Y-%m-%d}",
        "trained_on": f"{about}: {_counted(train)}",
        "measured_on": f"{about}: {_counted(test)}, none of them trained on",
        "simulated": simulated,
        "threshold": threshold,
        "apcer": {kind: measured.model_dump() for kind, measured in apcer.items()},
        "bpcer": live.model_dump(),
        "eer": equal_error_rate(scores, test.attack),
        "people": [part.person_count for part in (train, choose, test)],
    }
    artifact = write_presentation(
        out, lambda staging: export_network(network, staging / "saved_model"), promise
    )
    # The service runs it on OpenVINO: the same scores, or none of the rates holds.
    apart = float(abs(OpenVinoPresentation(artifact).judge(test.crops) - scores).max())
    if apart > _SAME:
        raise DataError(f"expected the same scores on OpenVINO, found them {apart:.4f} apart")
    return Fitted(artifact, len(frames.missed))


def _counted(frames: Frames) -> str:
    live, attacks = int((~frames.attack).sum()), int(frames.attack.sum())
    return f"{live} live frames and {attacks} attacks of {frames.person_count} people"
