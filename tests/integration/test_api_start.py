"""Starting: what an operator got wrong is one line and exit status 1."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from model.artifact import Artifact
from tests.integration.api_client import answer
from tests.running import ROOT, environment_of, service_process


def start(folder: Path, **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service"],
        cwd=ROOT,
        env=environment_of({"port": 0, "data_dir": folder / "data"} | settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def refusal(folder: Path, **settings: object) -> str:
    """The one line that a failed start said."""
    done = start(folder, **settings)
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("prot", "1", "SEMBLANCE_PROT is not a setting; did you mean SEMBLANCE_PORT?"),
        ("port", "eighty", "SEMBLANCE_PORT: Input should be a valid integer"),
        ("quality", "high", "SEMBLANCE_QUALITY: Input should be 'off', 'standard' or 'strict'"),
        ("host", "no.such.host.invalid", "cannot listen on no.such.host.invalid"),
        ("settings_file", "absent.env", "'absent.env', which is not a file"),
        ("artifact", "absent", "found none in 'absent'; make one with: python -m training build"),
    ],
)
def test_a_setting_that_cannot_be_used(tmp_path: Path, setting: str, value: str, said: str) -> None:
    assert said in refusal(tmp_path, **{setting: value})


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refusal(tmp_path, port=port)
    assert f"cannot listen on 127.0.0.1 port {port}" in line
    assert "SEMBLANCE_PORT" in line
    assert not (tmp_path / "data").exists()


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    refusal(tmp_path)
    assert (tmp_path / "data").read_text() == "in the way"


def test_a_changed_artifact(tmp_path: Path, artifact: Artifact) -> None:
    folder = Path(shutil.copytree(artifact.folder, tmp_path / "model"))
    with (folder / "detector.pb").open("ab") as file:
        file.write(b"\x00")
    line = refusal(tmp_path, artifact=folder)
    assert "'detector.pb' was changed: expected SHA-256 " in line
    assert ", found " in line


def test_an_artifact_of_another_shape(tmp_path: Path, artifact: Artifact) -> None:
    folder = Path(shutil.copytree(artifact.folder, tmp_path / "model"))
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"embedding_size": 512}))
    assert "expected (-1, 512), found (-1, 256)" in refusal(tmp_path, artifact=folder)


def test_ready_means_that_requests_are_answered(tmp_path: Path) -> None:
    with service_process(tmp_path) as service:
        assert answer(httpx.get(f"{service.url}/readyz")) == {"status": "ok"}
        assert service.output == [f"Semblance is ready: {service.url}/"]
    assert service.process.returncode in {0, -15}


def test_listening_for_everybody_is_warned_of(tmp_path: Path) -> None:
    with service_process(tmp_path, host="0.0.0.0") as service:
        assert service.url.startswith("http://localhost:")
        assert any("let only a proxy" in line for line in service.output)


def test_the_quick_parts_of_the_server_are_in_use(tmp_path: Path) -> None:
    with service_process(tmp_path) as service:
        loaded = {part.path for part in psutil.Process(service.process.pid).memory_maps()}
    for name in ("uvloop", "httptools"):
        assert any(f"/{name}/" in path for path in loaded)
