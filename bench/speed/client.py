"""The load generator, as a worker: so many clients ask again and again.

    {"port": 8000, "requests": [PATH, ...], "clients": 8, "seconds": 2.0, "status": 200}

Each file is a whole request; a client takes them in turn. `count` instead of
`seconds` ends after so many requests in all. Each answer must have the status,
and if that is 200, say that the face is verified.

    python -m bench.speed.client
"""

from __future__ import annotations

import json
import threading
import time
from itertools import count as counted
from pathlib import Path

from bench.speed.http_bytes import Answer, Connection
from bench.speed.worker import LEAST, Channel

_OK = 200


def main() -> None:
    Channel().serve(load)


def load(command: dict[str, object]) -> dict[str, object]:
    """What one command asks for: milliseconds of each request, and what it cost here.

    Raises:
        RuntimeError: If an answer is not the one expected.
    """
    paths = command["requests"]
    assert isinstance(paths, list)
    run = _Run(
        requests=[Path(path).read_bytes() for path in paths],
        port=int(str(command["port"])),
        clients=int(str(command["clients"])),
        status=int(str(command.get("status", _OK))),
    )
    if "count" in command:
        return run.measured(count=int(str(command["count"])))
    return run.measured(seconds=float(str(command["seconds"])))


class _Run:
    def __init__(self, requests: list[bytes], port: int, clients: int, status: int) -> None:
        self._requests, self._port, self._status = requests, port, status
        self._clients = clients
        self._ms: list[float] = []
        self._answers: list[Answer] = []
        self._failures: list[Exception] = []
        self._began: list[tuple[float, float]] = []
        self._together = threading.Barrier(
            clients, action=lambda: self._began.append((time.perf_counter(), time.process_time()))
        )
        self._ticket = counted()

    def measured(self, seconds: float | None = None, count: int = 0) -> dict[str, object]:
        threads = [
            threading.Thread(target=self._guarded, args=(place, seconds, count))
            for place in range(self._clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]
        begun, cpu = self._began[0]
        return {
            "ms": self._ms,
            "wall_s": time.perf_counter() - begun,
            "client_cpu_s": time.process_time() - cpu,
            "stages": [_stages(answer) for answer in self._answers],
            "warm_up": self._clients,
        }

    def _guarded(self, place: int, seconds: float | None, count: int) -> None:
        try:
            self._client(place, seconds, count)
        except Exception as error:
            self._failures.append(error)
            self._together.abort()

    def _client(self, place: int, seconds: float | None, count: int) -> None:
        connection = Connection(self._port)
        try:
            self._ask(connection, place)
            self._together.wait()
            until = self._began[0][0] + (seconds or 0)
            done = 0
            while self._goes_on(done, until) if seconds else next(self._ticket) < count:
                begun = time.perf_counter()
                answer = self._ask(connection, place + done)
                self._ms.append((time.perf_counter() - begun) * 1000)
                # Read afterwards: parsing JSON costs more than asking.
                if self._clients == 1 and self._status == _OK:
                    self._answers.append(answer)
                done += 1
        finally:
            connection.close()

    def _goes_on(self, done: int, until: float) -> bool:
        return done < LEAST or time.perf_counter() < until

    def _ask(self, connection: Connection, turn: int) -> Answer:
        answer = connection.ask(self._requests[turn % len(self._requests)])
        if answer.status != self._status:
            raise RuntimeError(f"expected status {self._status}, found {answer.status}")
        if self._status == _OK and b'"verified":true' not in answer.body:
            raise RuntimeError("the probe was not verified")
        return answer


def _stages(answer: Answer) -> dict[str, float]:
    timings = json.loads(answer.body)["timings_ms"]
    return {str(stage): float(ms) for stage, ms in timings.items() if stage != "total"}


if __name__ == "__main__":
    main()
