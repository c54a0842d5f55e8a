"""Frames a second that live verification sustains, with one camera and with several.

    python -m bench.live                   one camera, then four, 20 seconds each

Each camera is a WebSocket that sends 30 pictures a second, 640 x 480, of a real face that
glides and comes nearer, and begins anew when it has its verdict: of the enrolled person (who
is verified after some frames) or of another (who is looked at for two seconds and more).
Printed: frames that were looked at, what an answer takes from the frame's sending, how long a
verdict takes, and the CPU time of the service for a frame, which says what other cores would
give. Frames that are passed over for newer ones are counted, too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import cv2
import httpx
from websockets.asyncio.client import ClientConnection, connect

from bench.speed.machine import cpu_name, others_at_work
from bench.speed.process import cpu_s
from tests.browser.fake_camera import Shot, frames_of
from tests.faces import faces
from tests.head_motion import jpeg
from tests.running import service_process

_FPS = 30
_IDENTITY = "ada"
_PERSON = Shot(faces().folder / "obama.jpg", (490, 255), 330)
_OTHER = Shot(faces().folder / "biden.jpg", (570, 375), 400)


@dataclass
class Heard:
    """What all cameras were told.

    Attributes:
        answer_s: From the sending of a frame to its answer.
        verdict_s: From the first message to the result.
    """

    frames: int = 0
    skipped: int = 0
    busy: int = 0
    answer_s: list[float] = field(default_factory=list)
    verdict_s: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--seconds", type=float, default=20)
    chosen = parser.parse_args()
    print(f"{cpu_name()}; others at work: {others_at_work():.1f} cores")
    print("| cameras | before them | frames/s each | all | answer p50, p95 | verdict | CPU/frame |")
    print("|---|---|---|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as folder,
        service_process(Path(folder)) as service,
    ):
        _enrol(service.url)
        for cameras in chosen.cameras:
            for name, shot in (("the person", _PERSON), ("another", _OTHER)):
                film = [jpeg(frame) for frame in frames_of(shot)]
                asyncio.run(_all(service.url, film, 1, 3))  # warm
                before = cpu_s(service.process.pid)
                heard = asyncio.run(_all(service.url, film, cameras, chosen.seconds))
                spent = cpu_s(service.process.pid) - before
                print(_row(cameras, name, heard, chosen.seconds, spent), flush=True)


def _enrol(url: str) -> None:
    with httpx.Client(base_url=url) as client:
        for name in ("obama.jpg", "obama2.jpg", "obama3.jpg"):
            files = {"images": (name, faces().read(name), "image/jpeg")}
            client.post("/v1/enroll", data={"identity": _IDENTITY}, files=files).raise_for_status()


async def _all(url: str, film: list[bytes], cameras: int, seconds: float) -> Heard:
    heard = Heard()
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(cameras):
            group.create_task(_camera(url, film, until, heard))
    return heard


async def _camera(url: str, film: list[bytes], until: float, heard: Heard) -> None:
    address = url.replace("http", "ws", 1) + "/v1/verify/stream"
    while time.monotonic() < until:
        async with connect(address, proxy=None) as socket:
            begun = time.monotonic()
            await socket.send(json.dumps({"identity": _IDENTITY}))
            sent: list[float] = []
            sending = asyncio.create_task(_send(socket, film, sent))
            try:
                await _listen(socket, until, sent, heard, begun)
            finally:
                sending.cancel()


async def _send(socket: ClientConnection, film: list[bytes], sent: list[float]) -> None:
    due = time.monotonic()
    for picture in cycle(film):
        await asyncio.sleep(due - time.monotonic())
        due += 1 / _FPS
        sent.append(time.monotonic())
        await socket.send(picture)


async def _listen(
    socket: ClientConnection, until: float, sent: list[float], heard: Heard, begun: float
) -> None:
    last = -1
    async for text in socket:
        message = json.loads(text)
        now = time.monotonic()
        match message["type"]:
            case "frame":
                last += 1 + message["skipped"]
                heard.frames += 1
                heard.skipped += message["skipped"]
                heard.answer_s.append(now - sent[last])
            case "busy":
                heard.busy += 1
            case "result":
                heard.verdict_s.append(now - begun)
                return
            case "problem":
                raise RuntimeError(message["detail"])
        if now > until:
            return


def _row(cameras: int, name: str, heard: Heard, seconds: float, spent: float) -> str:
    rate = heard.frames / seconds
    answers = sorted(heard.answer_s)
    p95 = answers[int(0.95 * (len(answers) - 1))]
    verdict = f"{statistics.median(heard.verdict_s):.1f} s" if heard.verdict_s else "none"
    cells = (
        f"{cameras}",
        name,
        f"{rate / cameras:.1f}",
        f"{rate:.1f}",
        f"{1e3 * statistics.median(answers):.0f}, {1e3 * p95:.0f} ms",
        verdict,
        f"{1e3 * spent / heard.frames:.0f} ms",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main()
