"""Who is measured: workers in process, and the service over HTTP."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from bench.service import warm_service
from bench.speed.http_bytes import Connection, post_form
from bench.speed.pictures import REFUSED, Pictures, refused_picture
from bench.speed.process import Worker, cpu_s, resident_mb
from bench.speed.samples import Cell, Sample, stage_medians

MOST_REFERENCES = 100
PATIENCE_S = 60
"""Speed is measured, not when the service begins to refuse."""
_AT_ONCE = 20
_REFUSED_STATUS = {"decompression bomb": 413}


class Subject(Protocol):
    """Whoever can measure a cell; used from one thread."""

    def measure(self, cell: Cell, seconds: float) -> Sample: ...


class InProcess:
    """One or several workers, each with so many threads that verify, at once."""

    def __init__(self, workers: Sequence[Worker], pictures: Pictures, loops: int = 1) -> None:
        self._workers, self._pictures, self._loops = workers, pictures, loops

    def measure(self, cell: Cell, seconds: float) -> Sample:
        path = str(self._pictures.path(cell.picture))
        for worker in self._workers:
            worker.send({"picture": path, "seconds": seconds, "loops": self._loops})
        return joined([worker.receive() for worker in self._workers])


class Service:
    """The service as a process, with one identity of 1 and one of 100 references."""

    def __init__(self, artifact: Path, pictures: Pictures, client: Worker) -> None:
        self._client, self._pictures = client, pictures
        self._stack = ExitStack()
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._service = self._stack.enter_context(
            warm_service(self._folder / "data", artifact=artifact, queue_timeout_s=PATIENCE_S)
        )
        self.port = int(self._service.url.rsplit(":", 1)[1])
        self.ready_s, self.ready_mb = self._service.ready_s, self.resident_mb

    @property
    def resident_mb(self) -> float:
        return resident_mb(self._service.pid)

    def enrol(self, references: int = 1) -> None:
        """Enrols the identity that has so many references."""
        connection = Connection(self.port)
        images = (
            [self._pictures.read("reference")]
            if references == 1
            else self._pictures.references(references)
        )
        for begin in range(0, len(images), _AT_ONCE):
            files = [("images", data) for data in images[begin : begin + _AT_ONCE]]
            fields = {"identity": f"bench-{references}"}
            answer = connection.ask(post_form("/v1/enroll", self._service.key, fields, files))
            if answer.status != 201 or b'"rejected":[]' not in answer.body:
                raise RuntimeError(f"enrolment: status {answer.status}")
        connection.close()

    def measure(self, cell: Cell, seconds: float) -> Sample:
        command: dict[str, object] = {"requests": [str(self.request(cell))], "seconds": seconds}
        if cell.picture in REFUSED:
            command["status"] = _REFUSED_STATUS.get(cell.picture, 422)
        return self.load({**command, "clients": cell.clients})

    def load(self, command: dict[str, object]) -> Sample:
        """A command of `bench.speed.client` against this service."""
        before = cpu_s(self._service.pid)
        answer = self._client.ask({**command, "port": self.port})
        spent = cpu_s(self._service.pid) - before
        done = len(answer["ms"])
        return Sample(
            ms=tuple(answer["ms"]),
            requests_per_s=done / answer["wall_s"],
            cpu_ms=1000 * spent / (done + answer["warm_up"]),
            client_cpu_ms=1000 * answer["client_cpu_s"] / done,
            stages=stage_medians(answer["stages"]),
        )

    def request(self, cell: Cell) -> Path:
        """The file of the whole request that a cell sends; made the first time."""
        path = self._folder / f"{cell.picture}-{cell.references}.http"
        if not path.is_file():
            refused = cell.picture in REFUSED
            picture = (
                refused_picture(cell.picture) if refused else self._pictures.read(cell.picture)
            )
            fields = {"identity": f"bench-{cell.references}", "faces": "largest"}
            path.write_bytes(
                post_form("/v1/verify", self._service.key, fields, [("image", picture)])
            )
        return path

    def close(self) -> None:
        self._stack.close()


def joined(answers: Sequence[dict[str, Any]]) -> Sample:
    """What several workers measured at once, as one: their rates add up."""
    ms = [ms for answer in answers for ms in answer["ms"]]
    return Sample(
        ms=tuple(ms),
        requests_per_s=sum(len(answer["ms"]) / answer["wall_s"] for answer in answers),
        cpu_ms=1000 * sum(answer["cpu_s"] for answer in answers) / len(ms),
        stages=stage_medians([one for answer in answers for one in answer["stages"]]),
    )


def load_generator() -> Worker:
    return Worker([sys.executable, "-m", "bench.speed.client"])
