"""What the accuracy benches share: an artifact, and a folder of people, all pairs scored."""

from __future__ import annotations

import argparse
from pathlib import Path

from model.artifact import read_artifact
from training.evaluation.left_out import without
from training.evaluation.sources import Choice, open_corpus
from training.evaluation.verdict_attempts import Gallery
from training.pairs import all_pairs
from training.runtimes import load_runtime


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The options of every bench on people."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("artifact", type=Path, nargs="?", default=Path("models/fused"))
    parser.add_argument("--data", type=Path, required=True, help="one folder an identity")
    parser.add_argument("--leave-out", default="", help="identities known to be wrongly named")
    return parser


def gallery_from(options: argparse.Namespace) -> Gallery:
    """The people of the options, embedded and compared each with each."""
    artifact = read_artifact(options.artifact)
    runtime = load_runtime(artifact, "openvino")
    corpus = open_corpus(Choice(data=options.data), artifact, runtime, quiet=False)
    embedded = without(corpus.embedded, options.leave_out)
    return Gallery(
        embedded,
        all_pairs(embedded, runtime, quiet=False),
        runtime,
        artifact.manifest.verification_threshold,
    )
