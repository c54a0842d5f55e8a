"""The models that the settings name, loaded: begun while the rest is still imported.

Reading networks is OpenVINO's work, which lets Python go on, and importing the rest of
the service is Python's: side by side they make a start shorter by a third of a second.
So this module imports what loading needs, and nothing of HTTP or databases: two threads
that import wait for each other.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from model.artifact import read_artifact
from model.runtimes.base import Runtime
from model.runtimes.batches import Batches
from model.runtimes.compiled import CompiledNetworks
from model.runtimes.network import model_threads
from service.core.core import Loaded
from service.core.meters import Meters
from service.runtime.load import Way, load, load_two
from service.settings import Settings


@dataclass
class Traffic:
    """Whether several requests are at work; nobody knows before the service is whole."""

    known: Callable[[], bool] | None = None

    def several(self) -> bool:
        return self.known is not None and self.known()


@dataclass(frozen=True)
class Models:
    """What was loaded.

    Attributes:
        newest: The one that is to take the current one's place, if there is one.
        way: How they are run.
        batches: Runs them for several requests at once, if so chosen; to be closed.
        traffic: To be told who knows, once somebody does.
    """

    current: Loaded
    newest: Loaded | None
    way: Way
    batches: Batches | None
    traffic: Traffic = field(compare=False)


def load_models(settings: Settings, meters: Meters, runtime: Runtime | None = None) -> Models:
    """Reads the artifacts, loads and warms the models.

    Args:
        meters: Counts batches.
        runtime: Instead of the one that the settings name.

    Raises:
        ArtifactError: If one is not what its manifest says, or cannot be run.
    """
    artifact = read_artifact(settings.artifact)
    batches, traffic = None, Traffic()
    if max(settings.faces_at_once, settings.pictures_at_once) > 1 and settings.threads == 0:
        batches = Batches(model_threads(), told=meters.batch_size.observe)
    way = Way(
        runtime=settings.runtime,
        threads=settings.threads,
        min_confidence=settings.face_confidence,
        networks=CompiledNetworks(settings.data_dir / "compiled"),
        several=traffic.several,
        batches=batches,
        faces_at_once=settings.faces_at_once,
        pictures_at_once=settings.pictures_at_once,
    )
    following = read_artifact(settings.next_artifact) if settings.next_artifact else None
    if following is None or following.manifest.fingerprint == artifact.manifest.fingerprint:
        current, newest = load(artifact, way, runtime=runtime), None
    else:
        current, newest = load_two(artifact, following, way, runtime)
    return Models(current, newest, way, batches, traffic)


_SWITCH_S: Final = 0.0002
"""How long one thread keeps the interpreter from others meanwhile: OpenVINO reads through
Python, a little at a time, and would wait 5 ms for each while modules are imported."""


class Ahead:
    """Models that are being loaded in a thread of their own.

    Attributes:
        meters: What they count with; the service's own.
    """

    def __init__(self, settings: Settings) -> None:
        self.meters = Meters()
        self._done: Future[Models] = Future()
        self._usual_s = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        threading.Thread(target=self._load, args=(settings,), name="load", daemon=True).start()

    def models(self) -> Models:
        """Waits for them; raises as `load_models`."""
        return self._done.result()

    def _load(self, settings: Settings) -> None:
        try:
            self._done.set_result(load_models(settings, self.meters))
        except BaseException as error:  # whoever waits is told
            self._done.set_exception(error)
        finally:
            sys.setswitchinterval(self._usual_s)
