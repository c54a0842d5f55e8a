"""CompreFace's own published Python client, run against the adapter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faces import Faces
from tests.running import ROOT, Service, service_process

pytestmark = pytest.mark.long

PROGRAM = """
import json, sys
from compreface import CompreFace

address, key, folder = sys.argv[1:]
domain, _, port = address.rpartition(":")
compre_face = CompreFace(domain, port, {"limit": 0, "det_prob_threshold": 0.7, "status": True})
recognition = compre_face.init_face_recognition(key)
verification = compre_face.init_face_verification(key)
detection = compre_face.init_face_detection(key)
faces, subjects = recognition.get_face_collection(), recognition.get_subjects()

def picture(name):
    return f"{folder}/{name}"

said = {}
said["subject"] = subjects.add("ada")
said["added"] = faces.add(image_path=picture("obama.jpg"), subject="ada")
said["bytes"] = faces.add(image_path=open(picture("obama2.jpg"), "rb").read(), subject="ada")
said["other"] = faces.add(image_path=picture("biden.jpg"), subject="bo")
said["list"] = faces.list()
said["subjects"] = subjects.list()
options = {"prediction_count": 2, "face_plugins": "calculator,age,landmarks", "limit": 1}
said["recognized"] = recognition.recognize(picture("obama3.jpg"), options)
said["plain"] = recognition.recognize(picture("biden.jpg"))
said["verified"] = faces.verify(picture("obama3.jpg"), said["added"]["image_id"])
said["not verified"] = faces.verify(picture("biden.jpg"), said["added"]["image_id"])
said["compared"] = verification.verify(picture("obama.jpg"), picture("obama3.jpg"))
said["detected"] = detection.detect(picture("astronaut.png"), {"face_plugins": "landmarks"})
said["renamed"] = subjects.update("bo", "cy")
said["merged"] = subjects.update("cy", "ada")
said["one gone"] = faces.delete(said["added"]["image_id"])
said["no such"] = faces.delete(said["added"]["image_id"])
said["gone"] = faces.delete_all("ada")
said["again"] = faces.add(image_path=picture("biden.jpg"), subject="dee")
said["subject gone"] = subjects.delete("dee")
faces.add(image_path=picture("biden.jpg"), subject="eve")
said["all gone"] = subjects.delete_all()
said["nobody"] = subjects.list()
wrong = CompreFace(domain, port).init_face_recognition("smb_wrong")
said["wrong key"] = wrong.get_subjects().list()
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own: the client takes an urllib3 that nobody else does."""
    folder = tmp_path_factory.mktemp("sdk") / "venv"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    found = folder / "bin" / "python"
    lock = str(ROOT / "tests" / "compreface.lock")
    install = [*uv, "pip", "install", "--quiet", "--python", str(found), "--require-hashes"]
    subprocess.run([*install, "-r", lock], check=True)
    return found


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data_dir = tmp_path_factory.mktemp("data")
    with service_process(data_dir, insecure=False, compreface=True) as running:
        yield running


@pytest.fixture(scope="module")
def said(python: Path, service: Service, faces: Faces) -> dict[str, Any]:
    arguments = [service.url, service.key, str(faces.folder)]
    done = subprocess.run(
        [str(python), "-c", PROGRAM, *arguments],
        env={k: v for k, v in os.environ.items() if not k.startswith("SEMBLANCE_")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def test_its_calls_about_subjects(said: dict[str, Any]) -> None:
    assert said["subject"] == {"subject": "ada"}
    assert said["subjects"] == {"subjects": ["ada", "bo"]}
    assert said["renamed"] == said["merged"] == {"updated": True}
    assert said["subject gone"] == {"subject": "dee"}
    assert said["all gone"] == {"deleted": 1}
    assert said["nobody"] == {"subjects": []}


def test_its_calls_about_faces(said: dict[str, Any]) -> None:
    added = said["added"]
    assert added["subject"] == "ada"
    assert len(added["image_id"]) == 36
    assert [face["subject"] for face in said["list"]["faces"]] == ["ada", "ada", "bo"]
    assert said["list"]["faces"][0] == added
    counts = {key: said["list"][key] for key in ("page_number", "total_pages", "total_elements")}
    assert counts == {"page_number": 0, "total_pages": 1, "total_elements": 3}
    assert said["one gone"] == added
    assert said["no such"]["code"] == 11
    # One was deleted by itself, and the one of the merged subject came.
    assert said["gone"] == {"deleted": 2}


def test_its_verdicts(said: dict[str, Any]) -> None:
    (face,) = said["recognized"]["result"]
    assert [one["subject"] for one in face["subjects"]] == ["ada", "bo"]
    assert face["subjects"][0]["similarity"] > 0.96 > face["subjects"][1]["similarity"]
    assert len(face["landmarks"]) == 5
    assert len(face["embedding"]) > 100
    assert "age" not in face
    (face,) = said["plain"]["result"]
    assert [one["subject"] for one in face["subjects"]] == ["bo"]
    assert set(face) == {"box", "subjects", "execution_time"}
    assert "detector" in said["plain"]["plugins_versions"]
    assert said["verified"]["result"][0]["similarity"] > 0.96
    assert said["not verified"]["result"][0]["similarity"] < 0.5
    (compared,) = said["compared"]["result"]
    assert compared["face_matches"][0]["similarity"] > 0.96
    assert set(compared["source_image_face"]["box"]) == {
        *("probability", "x_min", "y_min", "x_max", "y_max"),
    }
    assert len(said["detected"]["result"]) == 1


def test_its_errors(said: dict[str, Any]) -> None:
    assert said["wrong key"]["code"] == 10
