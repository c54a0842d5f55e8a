"""semblance camera: a camera before which `v` verifies and `q` quits, as in the paper.

`--source` may be the number of a camera, a film, or an address that OpenCV opens.
With `--no-window` keys are read from the terminal, a line each: over SSH, say. It
needs OpenCV: `pip install "semblance-client[camera]"`.
"""

from __future__ import annotations

import argparse
import queue
import sys
import threading
from typing import Any, Final, Protocol

from semblance_client.cli.say import Say, failure, verification
from semblance_client.client import Client
from semblance_client.errors import Problem

_TITLE: Final = "semblance: v verifies, q quits"
_WAIT_MS: Final = 20
_QUALITY: Final = 92
_SQUARE: Final = (slice(120, 370), slice(200, 450))
"""Rows and columns."""


class Keys(Protocol):
    """Shows frames, and knows which keys were pressed."""

    def show(self, frame: Any) -> None: ...

    def say(self, text: str) -> None:
        """Shown from then on."""
        ...

    def pressed(self) -> str:
        """The key since the last look; "" if none was."""
        ...


def add_arguments(commands: Any) -> None:
    parser = commands.add_parser("camera", help="verify before a camera: v verifies, q quits")
    parser.add_argument("identity")
    parser.add_argument("--source", default="0", help="camera's number, film, or address")
    parser.add_argument("--no-window", action="store_true", help="keys come from the terminal")
    parser.add_argument(
        "--square", action="store_true", help="send the paper's 250 x 250 square of a frame alone"
    )


def watch_camera(client: Client, asked: argparse.Namespace, say: Say) -> None:
    """Until `q` is pressed, or the film is over. Raises OSError if there is no picture."""
    cv2 = _opencv()
    source = int(asked.source) if asked.source.isdigit() else asked.source
    frames = cv2.VideoCapture(source)
    try:
        if not frames.isOpened():
            raise OSError(f"no picture comes from {asked.source}")
        keys: Keys = Terminal() if asked.no_window else Window(cv2)
        while (probe := _probe(frames, keys, cv2, square=asked.square)) is not None:
            try:
                said = verification(client.verify(asked.identity, probe, faces="largest"))
            except Problem as problem:
                said = failure(problem.code, problem.detail)
            say(said)
            keys.say(said.line)
    finally:
        frames.release()


def _probe(frames: Any, keys: Keys, cv2: Any, *, square: bool) -> bytes | None:
    """The frame at which `v` was pressed, as a JPEG; None when it is over."""
    while True:
        there, frame = frames.read()
        if not there:
            return None
        keys.show(frame)
        match keys.pressed():
            case "q":
                return None
            case "v":
                taken = frame[_SQUARE] if square else frame
                _, packed = cv2.imencode(".jpg", taken, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
                probe: bytes = packed.tobytes()
                return probe


class Window:
    """A window of OpenCV's."""

    def __init__(self, cv2: Any) -> None:
        self._cv2 = cv2
        self._text = ""

    def say(self, text: str) -> None:
        self._text = text

    def show(self, frame: Any) -> None:
        shown = frame.copy()
        place, colour = (10, shown.shape[0] - 12), (255, 255, 255)
        self._cv2.putText(shown, self._text, place, self._cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 2)
        self._cv2.imshow(_TITLE, shown)

    def pressed(self) -> str:
        key = self._cv2.waitKey(_WAIT_MS)
        return "" if key < 0 else chr(key & 0xFF)


class Terminal:
    """Keys as lines of the terminal; nothing is shown. Its end is `q`."""

    def __init__(self) -> None:
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        # A thread of its own: reading a line waits, and the camera does not.
        threading.Thread(target=self._read, daemon=True).start()

    def show(self, frame: Any) -> None:
        return

    def say(self, text: str) -> None:
        return

    def pressed(self) -> str:
        try:
            return self._lines.get(timeout=_WAIT_MS / 1000)
        except queue.Empty:
            return ""

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line.strip()[:1])
        self._lines.put("q")


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise OSError('this needs OpenCV: pip install "semblance-client[camera]"') from error
    return cv2
