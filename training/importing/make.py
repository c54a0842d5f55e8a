"""From a user's network and pictures to an artifact, step by step.

read -> convert -> compare with the file -> embed the pictures -> fit the head
-> compare both runtimes -> measure on other people -> write
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.artifact import Artifact, write_artifact
from model.contract import Calibration, OperatingPoint
from model.faces import Detector
from model.runtimes.openvino_runtime import OpenVinoRuntime
from training.artifact_files import check_place, copying
from training.data.errors import saying_disk_full
from training.evaluation.calibrating import calibration_from
from training.importing.agreement import check_agreement
from training.importing.assemble import Making, Request
from training.importing.detector import borrow_detector
from training.importing.head import FittedHead, fit_head, frame_of
from training.importing.network import Network
from training.importing.pictures import Split, pictures_by_person, real_chips, split
from training.importing.source import read_network
from training.parity import Parity, check_parity
from training.pictures import embed_folder


@dataclass(frozen=True)
class Imported:
    """The artifact, and what was found on the way.

    Attributes:
        cosine: Smallest between an embedding of the file's and of the artifact's.
        faceless: Pictures in which no face was found.
        default: The row of the FMR table that is the default threshold's.
    """

    artifact: Artifact
    cosine: float
    parity: Parity
    faceless: int
    default: OperatingPoint


def import_network(
    request: Request, out: Path, *, say: Callable[[str], None], quiet: bool
) -> Imported:
    """Makes the artifact; nothing is left behind if that fails.

    Args:
        say: Told of each step that is done.

    Raises:
        DataError, ArtifactError: If something is not as expected; the text says what.
    """
    check_place(out)
    detector = borrow_detector(request.detector_from)
    people = pictures_by_person(request.data)
    network = read_network(request.network, request.size, request.output)
    say(f"{request.network.name}: {_size(network)} pictures, {network.embedding_size} axes")
    making = Making(request, detector, network)
    with (
        saying_disk_full("free some room and import again; nothing was written"),
        tempfile.TemporaryDirectory(prefix="semblance-import-") as folder,
    ):
        bare = making.write(Path(folder) / "bare", None)
        runtime = OpenVinoRuntime(bare)
        chips = real_chips(people, bare)
        cosine = check_agreement(network, request.preprocessing, runtime, chips)
        say(f"the converted network agrees with the file: cosine {cosine:.6f} or more")
        detector_runs = Detector(bare.detector)
        embedded = embed_folder(request.data, detector_runs, runtime, quiet=quiet)
        parts = split(embedded)
        head = fit_head(parts.fit, frame_of(network.embedding_size))
        fitted = making.write(Path(folder) / "fitted", head)
        parity = check_parity(fitted, chips)
        say(str(parity))
        calibration = calibration_from(
            parts.measure, OpenVinoRuntime(fitted), _dataset(request.data, parts, head)
        )
        artifact = write_artifact(
            out,
            copying(fitted),
            making.promise(calibration, _row(calibration, request.fmr).threshold),
        )
    return Imported(artifact, cosine, parity, len(embedded.missed), _row(calibration, request.fmr))


def _row(calibration: Calibration, fmr: float) -> OperatingPoint:
    """The row at a rate, or the strictest that could be measured."""
    return calibration.at_fmr(max(fmr, calibration.points[-1].fmr))


def _dataset(data: Path, parts: Split, head: FittedHead) -> str:
    fit, measure = (len(np.unique(part.identities)) for part in (parts.fit, parts.measure))
    return (
        f"{data.resolve().name}: {measure} of its identities; the head was fitted on the other "
        f"{fit} ({head.genuine_pairs} genuine and {head.impostor_pairs} impostor pairs), none on "
        "both sides"
    )


def _size(network: Network) -> str:
    return f"{network.size[0]} x {network.size[1]}"
