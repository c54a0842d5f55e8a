"""Can the model be loaded: the artifact's files, and what runs them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from model.artifact import ArtifactError, read_artifact
from service.commands.checks.finding import Finding, fail, ok, warn
from service.settings import Settings


def check_artifact(settings: Settings) -> Iterator[Finding]:
    """Every byte of it, against the SHA-256 in its manifest."""
    yield from _artifact("model", settings.artifact)
    if settings.next_artifact is not None:
        yield from _artifact("next model", settings.next_artifact)


def _artifact(about: str, folder: Path) -> Iterator[Finding]:
    try:
        found = read_artifact(folder)
        found.check_files()
    except (ArtifactError, OSError) as error:
        todo = "put the folder back as it was built, or build it: `python -m training build`"
        yield fail(about, str(error), todo)
        return
    manifest = found.manifest
    said = f"{manifest.name} {manifest.version}, {manifest.fingerprint}: {len(manifest.files)}"
    yield ok(about, f"{said} files as they were built")


def check_runtime(settings: Settings) -> Iterator[Finding]:
    package = "tensorflow" if settings.runtime == "tensorflow" else "openvino"
    if importlib.util.find_spec(package) is None:
        todo = f"install {package}, or set SEMBLANCE_RUNTIME"
        yield fail("runtime", f"{package} is not installed", todo)
    else:
        yield ok("runtime", settings.runtime)
    if settings.traces_endpoint is None:
        return
    if importlib.util.find_spec("opentelemetry.sdk") is None:
        todo = "install the extra `otel`, or unset SEMBLANCE_TRACES_ENDPOINT"
        yield fail("traces", "OpenTelemetry is not installed", todo)
    else:
        yield ok("traces", f"{settings.traces_share:.0%} of requests")


def check_presentation(settings: Settings) -> Iterator[Finding]:
    if settings.passive_liveness is None:
        return
    if not (settings.passive_liveness / "manifest.json").is_file():
        said = "SEMBLANCE_PASSIVE_LIVENESS names a folder without a manifest"
        yield fail("passive liveness", said, "name one that `training presentation` has made")
    elif settings.require_liveness:
        yield ok("passive liveness", "on, beside active liveness")
    else:
        said = "flags prints and screens, and stops nobody"
        yield warn("passive liveness", said, "demand a token, too: SEMBLANCE_REQUIRE_LIVENESS")
