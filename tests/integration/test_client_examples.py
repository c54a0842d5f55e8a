"""The examples of docs/examples, run against a real service wherever their tool is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faces import Faces
from tests.running import ROOT, Service, service_process

EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service_process(tmp_path_factory.mktemp("data"), insecure=False) as running:
        yield running


def tool(*names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.skip(f"there is no {' or '.join(names)} here")


def python(_: Path) -> list[str]:
    return [sys.executable, str(EXAMPLES / "example.py")]


def curl(_: Path) -> list[str]:
    tool("curl")
    return ["sh", str(EXAMPLES / "curl.sh")]


def javascript(_: Path) -> list[str]:
    return [tool("node"), str(EXAMPLES / "example.mjs")]


def go(_: Path) -> list[str]:
    return [tool("go"), "run", str(EXAMPLES / "example.go")]


def java(_: Path) -> list[str]:
    # With its compiler: `java` alone runs a source only where that is installed.
    tool("javac")
    return [tool("java"), str(EXAMPLES / "Example.java")]


def php(_: Path) -> list[str]:
    found = tool("php")
    loaded = subprocess.run([found, "-m"], capture_output=True, text=True, check=True).stdout
    if "curl" not in loaded.split():
        pytest.skip("PHP has no extension curl here")
    return [found, str(EXAMPLES / "example.php")]


def csharp(folder: Path) -> list[str]:
    compiler, program = tool("mcs"), folder / "Example.exe"
    source = EXAMPLES / "Example.cs"
    options = ["-r:System.Net.Http.dll", f"-out:{program}"]
    subprocess.run([compiler, *options, str(source)], check=True)
    return [tool("mono"), str(program)]


LANGUAGES = (python, curl, javascript, go, java, php, csharp)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.__name__)
def test_the_example_verifies(
    language: object, service: Service, faces: Faces, tmp_path: Path
) -> None:
    assert callable(language)
    command = language(tmp_path)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SEMBLANCE_")}
    environment = {
        **inherited,
        "PYTHONPATH": str(ROOT / "client"),
        **{"SEMBLANCE_URL": service.url, "SEMBLANCE_KEY": service.key},
        **{"URL": service.url, "KEY": service.key},
        # Go keeps what it has compiled.
        "GOCACHE": str(tmp_path / "go"),
    }
    pictures = [str(faces.folder / name) for name in ("obama.jpg", "obama2.jpg")]
    done = subprocess.run(
        [*command, *pictures],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert (answer["identity"], answer["verified"]) == ("ada", True)


def test_each_example_is_run_and_in_the_docs() -> None:
    text = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
    files = {path.name for path in EXAMPLES.iterdir()}
    assert len(files) == len(LANGUAGES)
    for name in files:
        assert f"(examples/{name})" in text, name
