"""Everybody who is measured, started by name; a peer that cannot run is left out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench.speed.pictures import Pictures
from bench.speed.plan import (
    DEEPFACE,
    FACE_RECOGNITION,
    OPENCV,
    OPENCV_TWICE,
    PROFILES,
    Profile,
)
from bench.speed.process import Worker, WorkerFailed
from bench.speed.results import Results, Start
from bench.speed.subjects import MOST_REFERENCES, InProcess, Service, Subject, load_generator
from model.zoo import SFACE, YUNET
from tests.running import ROOT
from training.fetch import fetch

PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
_PEERS = "bench.peers"


class Cast:
    """The subjects of one run, alive until it is closed.

    Args:
        folder: An empty one, for the weights that a peer looks for.
        wanted: Whether the subject of a name is measured.
        results: Where failures, versions and footprints are written down.
        peers: The interpreter that has the peers' packages.
    """

    def __init__(
        self,
        pictures: Pictures,
        folder: Path,
        wanted: Callable[[str], bool],
        results: Results,
        peers: Path = PEERS_PYTHON,
    ) -> None:
        self.subjects: dict[str, Subject] = {}
        self._pictures, self._folder = pictures, folder
        self._wanted, self._results, self._python = wanted, results, peers
        self._reference = str(pictures.path("reference"))
        self._stack = ExitStack()
        self._workers: dict[str, list[Worker]] = {}
        self._services: dict[str, Service] = {}
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def note_footprints(self) -> None:
        """Writes down how long each took to be ready, and its memory now."""
        for name, workers in self._workers.items():
            resident = sum(worker.resident_mb for worker in workers)
            ready = max(worker.ready_s for worker in workers)
            self._results.footprints[name] = Start(ready, resident)
        for name, service in self._services.items():
            self._results.footprints[name] = Start(service.ready_s, service.resident_mb)

    def close(self) -> None:
        self._stack.close()

    def _start(self) -> None:
        client = load_generator()
        self._stack.callback(client.close)
        for profile in PROFILES:
            self._pipelines(profile)
            if self._wanted(profile.service):
                service = Service(profile.artifact, self._pictures, client)
                self._stack.callback(service.close)
                service.enrol()
                service.enrol(MOST_REFERENCES)
                self._services[profile.service] = service
                self.subjects[profile.service] = service
            command = _pipeline(profile, self._reference, 2, "tensorflow")
            self._peer(profile.tensorflow, command, {"TF_CPP_MIN_LOG_LEVEL": "2"})
        self._opencv()
        weights = self._folder / ".deepface" / "weights"
        weights.mkdir(parents=True)
        for one in (YUNET, SFACE):
            (weights / one.file).symlink_to(fetch(one))
        home = {"DEEPFACE_HOME": str(self._folder), "DEEPFACE_BACKEND_ENGINE": "onnx"}
        self._elsewhere(DEEPFACE, "deepface_sface", home)
        self._elsewhere(FACE_RECOGNITION, "face_recognition_dlib", {})

    def _pipelines(self, profile: Profile) -> None:
        """In process; those with one thread each are the same process where possible."""
        single, double = (_pipeline(profile, self._reference, threads) for threads in (1, 2))
        ones = (profile.one_thread, profile.two_loops, profile.two_processes)
        if any(map(self._wanted, ones)):
            first, second = self._worker(single), self._worker(single)
            self._add(profile.one_thread, [first])
            self._add(profile.two_loops, [first], loops=2)
            self._add(profile.two_processes, [first, second])
        if self._wanted(profile.two_threads):
            self._add(profile.two_threads, [self._worker(double)])

    def _opencv(self) -> None:
        files = [str(fetch(YUNET)), str(fetch(SFACE)), self._reference]
        command = [sys.executable, "-m", f"{_PEERS}.opencv_sface", *files]
        self._peer(OPENCV, [*command, "2"])
        self._peer(OPENCV_TWICE, [*command, "1"], times=2)

    def _elsewhere(self, name: str, module: str, environment: dict[str, str]) -> None:
        """A peer in the environment of its own."""
        if self._wanted(name) and not self._python.is_file():
            self._results.failures[name] = "it is not installed: make bench-peers"
            return
        command = [str(self._python), "-m", f"{_PEERS}.{module}", self._reference]
        self._peer(name, command, environment)

    def _peer(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str] | None = None,
        times: int = 1,
    ) -> None:
        if not self._wanted(name):
            return
        try:
            workers = [self._worker(command, environment) for _ in range(times)]
        except (WorkerFailed, OSError) as error:
            self._results.failures[name] = str(error)
            return
        self._add(name, workers)

    def _worker(self, command: list[str], environment: dict[str, str] | None = None) -> Worker:
        worker = Worker(command, environment)
        self._stack.callback(worker.close)
        self._results.versions |= worker.versions
        return worker

    def _add(self, name: str, workers: list[Worker], loops: int = 1) -> None:
        if self._wanted(name):
            self._workers[name] = workers
            self.subjects[name] = InProcess(workers, self._pictures, loops)


def _pipeline(
    profile: Profile, reference: str, threads: int, runtime: str = "openvino"
) -> list[str]:
    command = [sys.executable, "-m", "bench.speed.pipeline", str(profile.artifact), reference]
    return [*command, str(threads), runtime]
