"""`python -m service reembed`: embeds the whole gallery again by another model."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.artifact import Artifact, ArtifactError, read_artifact
from service.commands.context import Context, context
from service.core.access import DEFAULT_COLLECTION
from service.core.errors import InvalidRequest
from service.settings import Settings
from service.storage.reembedding import Left, Reembedding

if TYPE_CHECKING:
    from service.commands.reembed_crew import Done


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "reembed", help="embed all references again by another model, while the service runs"
    )
    parser.add_argument("--artifact", type=Path, required=True, help="folder of the new model")
    parser.add_argument(
        "--workers", type=_positive, metavar="N", help="processes (default: the cores)"
    )
    parser.add_argument(
        "--batch",
        type=_positive,
        metavar="N",
        default=16,
        help="identities in one transaction (default: 16)",
    )
    parser.set_defaults(run=reembed)


def reembed(chosen: argparse.Namespace) -> int:
    """0 if all that keep a picture are by the new model now; 1 if some are not."""
    # `kill` and Ctrl-C end it in the same way, after the batches that are being done.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _reembed(chosen)
    except KeyboardInterrupt:
        # Before or after the work itself, which says more when it is stopped.
        print("stopped; run it again to go on", file=sys.stderr)
        return 1


def _reembed(chosen: argparse.Namespace) -> int:
    # What no other command needs, and takes its time to import.
    from model.runtimes.network import cores
    from service.commands.reembed_crew import Crew, Done

    with context() as at_hand:
        artifact = read_artifact(chosen.artifact)
        fingerprint = artifact.manifest.fingerprint
        _check(at_hand.settings, artifact)
        store = at_hand.store
        work = Reembedding(store.engine, store.data_keys, fingerprint)
        before = work.left()
        _record(at_hand, "begun", fingerprint=fingerprint, references=before.references)
        begun = time.monotonic()
        done = Done()
        if before.identities > before.without_picture:
            with Crew(artifact.folder, chosen.workers or cores(), chosen.batch) as crew:
                crew.follow(work, before.references, done)
        after = work.left()
        damaged = work.are_left(sorted(done.damaged)) if done.damaged else 0
        _record(
            at_hand,
            "stopped" if done.stopped else "ok",
            fingerprint=fingerprint,
            references=done.references,
            identities=done.identities,
            damaged=damaged,
            without_picture=after.without_picture,
            left=after.references,
        )
    _say(artifact, done, after, damaged, time.monotonic() - begun)
    for fault in sorted(done.faults):
        print(f"error: a worker ended: {fault}", file=sys.stderr)
    if done.faults and not done.references:
        return 2
    return 1 if after.identities > after.without_picture else 0


def _check(settings: Settings, artifact: Artifact) -> None:
    """Says what would come to nothing.

    Raises:
        InvalidRequest: If the service has this model already.
    """
    fingerprint = artifact.manifest.fingerprint
    if _fingerprint_of(settings.artifact) == fingerprint:
        raise InvalidRequest(
            f"'{artifact.folder}' is the model of SEMBLANCE_ARTIFACT, which is to be replaced; "
            "to go back to it, name it in SEMBLANCE_NEXT_ARTIFACT and the other in "
            "SEMBLANCE_ARTIFACT"
        )
    following = settings.next_artifact
    if following is None or _fingerprint_of(following) != fingerprint:
        print(
            "warning: SEMBLANCE_NEXT_ARTIFACT does not name this model here; a service that runs "
            "without it embeds whoever it verifies again by the old one",
            file=sys.stderr,
        )


def _fingerprint_of(folder: Path) -> str | None:
    """None if there is no good artifact: on this machine it need not be."""
    with suppress(ArtifactError):
        return read_artifact(folder).manifest.fingerprint
    return None


def _record(at_hand: Context, outcome: str, **details: str | int) -> None:
    # Of all collections; the log has no name for that.
    at_hand.record("model_change", DEFAULT_COLLECTION, outcome=outcome, details=details)


def _say(artifact: Artifact, done: Done, after: Left, damaged: int, seconds: float) -> None:
    manifest = artifact.manifest
    print(
        f"{done.references} references of {done.identities} identities were embedded by "
        f"{manifest.name} {manifest.version} ({manifest.fingerprint}) in {seconds:.1f} s"
    )
    if after.without_picture:
        print(
            f"{after.without_picture} identities have a reference without a picture: they stay "
            "with the old model, which is needed until they are enrolled again or deleted"
        )
    if damaged:
        print(f"{damaged} identities have a picture that cannot be read, and stay as they are")
    rest = after.identities - after.without_picture - damaged
    if done.stopped or rest > 0:
        print(f"stopped: {max(rest, 0)} identities are left; run it again to go on")
    elif not after.identities:
        print("no reference is by another model")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value
