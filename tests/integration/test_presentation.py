"""Passive liveness: trained on rendered frames, installed, flagged, and never in the way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect

from model.artifact import Artifact, ArtifactError
from model.faces import Detector, Face
from model.presentation import PresentationManifest, read_presentation
from model.runtimes.presentation_runtime import OpenVinoPresentation
from model.types import Image
from service.core.presentation import judged
from tests.faces import Faces
from tests.integration.api_client import answer, enrol
from tests.presentation_samples import write_people
from tests.running import running_service
from training.data.errors import DataError
from training.presentation.fit import fit_presentation
from training.presentation.simulate import simulate

PEOPLE, PICTURES = 15, 3


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Path:
    folder = tmp_path_factory.mktemp("frames")
    source = write_people(folder / "people", faces, PEOPLE, PICTURES)
    counts = simulate(source, folder / "frames", people=99, pictures=99, seed=1, quiet=True)
    assert counts == dict.fromkeys(("live", "print", "replay"), PEOPLE * PICTURES)
    return folder / "frames"


@pytest.fixture(scope="module")
def installed(frames: Path, sface_artifact: Artifact) -> Path:
    out = frames.parent / "presentation"
    fit_presentation(
        frames,
        out,
        Detector(sface_artifact.detector),
        about="simulated attacks of a test",
        simulated=True,
        ridge=0.05,
        bpcer=0.1,
        quiet=True,
    )
    return out


def test_what_was_made_says_what_it_was_measured_on(installed: Path) -> None:
    manifest = read_presentation(installed).manifest
    assert manifest.simulated is True
    assert "simulated attacks of a test" in manifest.measured_on
    assert "none of them trained on" in manifest.measured_on
    assert sum(manifest.people) == PEOPLE
    assert set(manifest.apcer) == {"print", "replay"}
    # The same few portraits for all: so easy that chance would stand out.
    assert manifest.eer < 0.3
    assert manifest.bpcer.frames == manifest.people[2] * PICTURES


@pytest.mark.parametrize("change", ["byte", "threshold", "missing", "more", "none", "kind"])
def test_what_was_changed_is_refused(installed: Path, tmp_path: Path, change: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(installed, folder)
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    match change:
        case "byte":
            graph = folder / "saved_model" / "saved_model.pb"
            data = bytearray(graph.read_bytes())
            data[len(data) // 2] ^= 1
            graph.write_bytes(bytes(data))
        case "threshold":
            content["threshold"] = 1.5
        case "missing":
            content["files"].pop("saved_model/saved_model.pb")
        case "more":
            content["files"]["../../x"] = "0" * 64
        case "kind":
            content["kind"] = "siamese"
    path.write_text(json.dumps(content))
    if change == "none":
        path.unlink()
    with pytest.raises(ArtifactError):
        read_presentation(folder)


def test_a_service_that_was_given_a_wrong_one_does_not_start(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="passive liveness"),
        running_service(tmp_path / "data", passive_liveness=tmp_path),
    ):
        pass


def test_by_default_nothing_is_flagged(tmp_path: Path, faces: Faces) -> None:
    with (
        running_service(tmp_path, artifact="models/sface") as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        enrol(client, "ada", faces.read("obama.jpg"))
        form = {"identity": "ada"}
        picture = {"image": faces.read("obama2.jpg")}
        found = answer(client.post("/v1/verify", data=form, files=picture))
        assert found["face"]["presentation"] is None
        assert "presentation" not in found["timings_ms"]


def test_flags_are_in_answers_and_change_no_verdict(
    tmp_path: Path, installed: Path, frames: Path, faces: Faces
) -> None:
    settings = {"artifact": "models/sface", "passive_liveness": installed}
    about = read_presentation(installed).manifest
    with (
        running_service(tmp_path, **settings) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        enrol(client, "ada", faces.read("obama.jpg"))
        flags: dict[str, list[float]] = {}
        for group in ("live", "attack"):
            flags[group] = []
            for path in sorted((frames / group / "person 0").iterdir()):
                picture = {"image": path.read_bytes()}
                found = answer(client.post("/v1/verify", data={"identity": "ada"}, files=picture))
                flag = found["face"]["presentation"]
                assert flag["measured_on"] == about.measured_on
                assert flag["attack"] == (flag["score"] > about.threshold)
                assert found["timings_ms"]["presentation"] > 0
                flags[group].append(flag["score"])
                # Whatever the flag says: it is the person's picture.
                assert found["verified"] is True
                (seen,) = answer(client.post("/v1/detect", files=picture))["faces"]
                assert seen["presentation"] == flag
        assert np.mean(flags["attack"]) > np.mean(flags["live"])
        with connect(url.replace("http", "ws") + "/v1/verify/stream", proxy=None) as socket:
            socket.send(json.dumps({"identity": "ada"}))
            assert json.loads(socket.recv())["type"] == "ready"
            socket.send(faces.read("obama3.jpg"))
            frame = json.loads(socket.recv())
            assert frame["face"]["presentation"]["measured_on"] == about.measured_on


def test_odd_faces_and_a_judge_that_fails_are_no_error(
    installed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    judge = OpenVinoPresentation(read_presentation(installed))
    image = np.zeros((3, 200, 3), np.uint8)
    landmarks = np.zeros((5, 2), np.float32)
    for box in ((-50.0, -50.0, 20.0, 20.0), (0.0, 0.0, 0.0, 0.0), (150.0, 0.0, 900.0, 3.0)):
        found = judged(judge, image, Face(*box, landmarks, 1.0))
        assert found is not None
        assert 0 <= found.score <= 1
    odd = Face(float("nan"), 0.0, 1.0, 1.0, landmarks, 1.0)
    assert judged(judge, image, odd) is None
    assert "passive liveness failed" in caplog.text
    assert judged(None, image, odd) is None

    class Broken:
        manifest: PresentationManifest = judge.manifest

        def score(self, image: Image, face: Face) -> float:
            raise MemoryError

    assert judged(Broken(), image, odd) is None


def test_folders_of_another_form(tmp_path: Path, sface_artifact: Artifact) -> None:
    detector = Detector(sface_artifact.detector)
    more = {
        "about": "x",
        "simulated": False,
        "ridge": 0.1,
        "bpcer": 0.1,
        "quiet": True,
    }
    for make, said in ((("live/a",), "expected 'live' and 'attack'"), (("live", "attack"), "both")):
        folder = tmp_path / said[:9]
        for name in make:
            (folder / name).mkdir(parents=True)
        with pytest.raises(DataError, match=said):
            fit_presentation(folder, tmp_path / "out", detector, **more)  # type: ignore[arg-type]
    (tmp_path / "nobody").mkdir()
    with pytest.raises(DataError, match="each person"):
        simulate(tmp_path / "nobody", tmp_path / "o", people=1, pictures=1, seed=1, quiet=True)
