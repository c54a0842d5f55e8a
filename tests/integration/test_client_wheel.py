"""The client's wheel, installed where nothing else is."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.running import ROOT, service_process

pytestmark = pytest.mark.long


def run(*command: str | Path) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_installs_by_itself_and_works(tmp_path: Path) -> None:
    uv = [sys.executable, "-m", "uv"]
    # Of a copy: building leaves folders behind.
    source = shutil.copytree(ROOT / "client", tmp_path / "client")
    run(*uv, "build", "--wheel", "--out-dir", tmp_path, source)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
    assert "semblance_client/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    # No tests, nothing of the service.
    assert {name.split("/")[0].split("-")[0] for name in names} == {"semblance_client"}

    environment = tmp_path / "venv"
    run(*uv, "venv", "--python", sys.executable, environment)
    python = environment / "bin" / "python"
    run(*uv, "pip", "install", "--python", python, wheel)
    installed = run(*uv, "pip", "freeze", "--python", python)
    packages = {line.split("==")[0].split(" @")[0] for line in installed.splitlines()}
    assert {"httpx", "pydantic", "semblance-client"} <= packages
    assert not packages & {"numpy", "fastapi", "opencv-python", "typer"}
    assert "verify" in run(environment / "bin" / "semblance", "--help")
    with service_process(tmp_path / "data") as service:
        code = (
            f"from semblance_client import Client; print(Client('{service.url}').readyz().status)"
        )
        assert run(python, "-W", "error", "-c", code).strip() == "ok"


def test_without_opencv_the_camera_says_what_is_missing(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['cv2'] = None; sys.path.insert(0, sys.argv.pop(1));"
        "from semblance_client.cli.main import main; sys.exit(main(['camera', 'ada']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "client")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "semblance-client[camera]" in done.stderr
