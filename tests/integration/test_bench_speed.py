"""The bench of speed at work: pictures, the pipeline in process, the service over HTTP."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.speed.cast import Cast
from bench.speed.page import Setting, page
from bench.speed.pictures import ALONE, GROUP, REFUSED, SIZES, Pictures
from bench.speed.plan import DEEPFACE, FACE_RECOGNITION, FAST, OPENCV, SMALL, USUAL
from bench.speed.process import Worker, WorkerFailed
from bench.speed.results import Results
from bench.speed.rounds import measure_rounds
from bench.speed.samples import Cell
from bench.speed.subjects import InProcess, Service, load_generator
from model.artifact import Artifact
from model.faces import Detector
from model.zoo import SFACE, YUNET
from tests.pictures import rgb
from training.fetch import fetch

STAGES = {"references", "decode", "detect", "align", "embed", "score"}


@pytest.fixture(scope="module")
def detector(sface_artifact: Artifact) -> Detector:
    return Detector(sface_artifact.detector)


@pytest.fixture(scope="module")
def pictures(detector: Detector, tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    return Pictures(tmp_path_factory.mktemp("pictures"), detector)


@pytest.fixture(scope="module")
def client() -> Iterator[Worker]:
    worker = load_generator()
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def service(sface_artifact: Artifact, pictures: Pictures, client: Worker) -> Iterator[Service]:
    started = Service(sface_artifact.folder, pictures, client)
    try:
        started.enrol()
        started.enrol(30)
        yield started
    finally:
        started.close()


def test_the_pictures_show_what_their_names_say(pictures: Pictures, detector: Detector) -> None:
    for name, (width, height) in SIZES.items():
        image = rgb(pictures.read(name))
        assert image.shape == (height, width, 3)
        (face,) = detector.detect(image)
        assert 1 / 3 <= face.height / height <= 1 / 2
    group, alone = rgb(pictures.read(GROUP)), rgb(pictures.read(ALONE))
    assert group.shape == alone.shape
    largest, *others = detector.detect(group)
    (single,) = detector.detect(alone)
    assert len(others) == 4
    assert largest.area > 2 * others[0].area
    assert single.centre == pytest.approx(largest.centre, abs=2)
    assert len(set(pictures.references(30))) == 30


def test_the_pipeline_in_process(sface_artifact: Artifact, pictures: Pictures) -> None:
    reference = str(pictures.path("reference"))
    module = ["-m", "bench.speed.pipeline", str(sface_artifact.folder), reference, "1"]
    worker = Worker([sys.executable, *module])
    try:
        one = InProcess([worker], pictures, loops=2).measure(Cell("", SMALL), 0.1)
        assert len(one.ms) >= 4
        assert set(one.stages) == STAGES
        assert 0 < sum(one.stages.values()) <= max(one.ms)
        assert one.cpu_ms > 1
        assert one.client_cpu_ms is None
    finally:
        worker.close()


def test_the_service_over_http(service: Service) -> None:
    assert service.ready_s > 0
    assert service.ready_mb > 50
    alone = service.measure(Cell(FAST.service, USUAL), 0.1)
    assert set(alone.stages) == STAGES
    assert sum(alone.stages.values()) < max(alone.ms)
    eight = service.measure(Cell(FAST.service, USUAL, 8), 0.1)
    assert len(eight.ms) >= 16
    # Eight wait for each other; one waits for nobody.
    assert min(alone.ms) < max(eight.ms)
    assert eight.cpu_ms > 1
    assert eight.client_cpu_ms is not None
    many = service.measure(Cell(FAST.service, USUAL, references=30), 0.1)
    group = service.measure(Cell(FAST.service, GROUP), 0.1)
    assert min(len(many.ms), len(group.ms)) >= 2


def test_so_many_requests_and_no_more(service: Service) -> None:
    path = str(service.request(Cell(FAST.service, SMALL)))
    done = service.load({"requests": [path], "clients": 3, "count": 10})
    assert len(done.ms) == 10


@pytest.mark.parametrize("picture", REFUSED)
def test_refused_pictures_are_refused(service: Service, picture: str) -> None:
    assert len(service.measure(Cell(FAST.service, picture), 0.05).ms) >= 2


def test_an_answer_that_is_not_a_verification_ends_the_measurement(
    service: Service, tmp_path: Path
) -> None:
    other = load_generator()
    try:
        request = service.request(Cell(FAST.service, USUAL)).read_bytes()
        wrong = tmp_path / "wrong.http"
        wrong.write_bytes(request.replace(b"bench-1", b"bench-2"))
        with pytest.raises(WorkerFailed, match="expected status 200, found 404"):
            other.ask(
                {"requests": [str(wrong)], "clients": 2, "seconds": 0.1, "port": service.port}
            )
    finally:
        other.close()


def test_a_peer_answers_the_same_commands(pictures: Pictures) -> None:
    files = [str(fetch(YUNET)), str(fetch(SFACE)), str(pictures.path("reference")), "1"]
    worker = Worker([sys.executable, "-m", "bench.peers.opencv_sface", *files])
    try:
        assert worker.versions["opencv"]
        one = InProcess([worker], pictures).measure(Cell("", SMALL), 0.05)
        assert set(one.stages) == STAGES - {"references"}
    finally:
        worker.close()


@pytest.mark.parametrize(
    ("python", "reason"),
    [
        (Path("nowhere") / "python", "it is not installed"),
        (Path(sys.executable), "No module named"),
    ],
)
def test_a_peer_that_cannot_run_is_left_out(
    pictures: Pictures, tmp_path: Path, python: Path, reason: str
) -> None:
    results, theirs = Results(), (DEEPFACE, FACE_RECOGNITION)
    cast = Cast(pictures, tmp_path, lambda name: name in (*theirs, OPENCV), results, python)
    try:
        measure_rounds(cast, results, rounds=1, seconds=0.01, say=lambda _: None)
        cast.note_footprints()
    finally:
        cast.close()
    assert set(results.failures) == set(theirs)
    assert all(reason in said for said in results.failures.values())
    assert {cell.subject for cell in results.summaries} == {OPENCV}
    assert results.footprints[OPENCV].resident_mb > 50
    assert f"- {DEEPFACE}: " in page(results, Setting("", "", "", "", 1, 0.01, 0.0))
