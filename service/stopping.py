"""The end of the service: it is over by a deadline, whatever hangs.

SIGTERM ── requests in flight are answered ── files are closed ── exit
   0 s                    until 10 s             until 14 s

The exit itself is at once: a library's thread that still compiles a network or reads a
picture would find its memory gone while the interpreter is taken down, and crash.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import Final, NoReturn

_log = logging.getLogger("semblance")

DRAIN_S: Final = 10
"""For the requests in flight; what is not answered by then is given up."""

CLOSE_S: Final = 4
"""For what a thread has in hand all the same, and for the audit log."""


def end_by_deadline() -> None:
    """Ends the process with status 1 if it is still there at the deadline.

    A thread that waits for a disk which does not answer can be ended in no other way.
    What it had not answered is as after a power cut: done or not done, never half.
    """
    timer = threading.Timer(DRAIN_S + CLOSE_S, _end)
    timer.daemon = True
    timer.start()


def leave(status: int) -> NoReturn:
    """Ends the process with this status, once everything that must be kept is closed."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _end() -> None:
    _log.critical("something hangs: the service ends without it")
    logging.shutdown()
    os._exit(1)
