"""What the running service does about a change of its model.

docs/model-change.md tells the operator's part.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from model.heap import give_back_freed
from service.api.state import AtWork, Running

_log = logging.getLogger("semblance")


def drop_old(at_work: AtWork) -> bool:
    """Lets the model go that no reference is of any more, if another is to take its place.

    Requests that have begun end with what they began with; the memory is free with the
    last of them.

    Returns:
        Whether it went.

    Raises:
        NotReady, Overloaded: If the store cannot be asked.
    """
    old = at_work.running
    newest, census = old.core.next, old.census
    if newest is None or census is None or census.has(old.core.fingerprint):
        return False
    at_work.running = replace(
        old, core=old.core.newest, runtime=newest.runtime, precision=newest.precision
    )
    _log.info(
        "no reference is of model %s any more: it was dropped, and %s is the model now; "
        "SEMBLANCE_ARTIFACT can be set to '%s', and SEMBLANCE_NEXT_ARTIFACT be taken away",
        old.core.fingerprint,
        newest.fingerprint,
        old.settings.next_artifact,
    )
    del old
    give_back_freed()
    return True


class Watch:
    """Says once that references are of a model that is not loaded."""

    def __init__(self) -> None:
        self._said = False

    def look(self, running: Running) -> None:
        """Raises as `Census`."""
        core, census = running.core, running.census
        if self._said or core.next is not None or census is None:
            return
        other = census.other_than(core.fingerprint)
        if other is None:
            return
        self._said = True
        _log.warning(
            "there are references of model %s, but only %s is loaded: whoever of those is "
            "verified is embedded again by it. If the other is the newer one, name it in "
            "SEMBLANCE_ARTIFACT (docs/model-change.md)",
            other,
            core.fingerprint,
        )
