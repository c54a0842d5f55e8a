"""GET /metrics: what Prometheus would read, and who may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.faces import Faces
from tests.integration.api_client import enrol, problem
from tests.integration.commands import new_key, service_command
from tests.integration.model_change_samples import NEW, OLD
from tests.running import Service, service_process


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def service(data_dir: Path, faces: Faces) -> Iterator[Service]:
    settings = {"artifact": OLD, "next_artifact": NEW, "insecure": False, "quality": "off"}
    new_key(data_dir, "admin")
    with (
        service_process(data_dir, artifact=OLD, quality="off") as before,
        httpx.Client(base_url=before.url, timeout=60) as client,
    ):
        enrol(client, "him", faces.read("obama.jpg"), faces.read("obama2.jpg"))
    with service_process(data_dir, **settings) as running:
        running.key = new_key(data_dir, "admin")
        yield running


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Values by name and label values, in the order of the labels' names."""
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_it_counts_references_by_model(service: Service, data_dir: Path, faces: Faces) -> None:
    headers = {"X-API-Key": service.key}
    with httpx.Client(base_url=service.url, headers=headers, timeout=60) as client:
        enrol(client, "new", faces.read("biden.jpg"))
        elsewhere = new_key(data_dir, "enroll", "--collection", "shop")
        response = client.post(
            "/v1/enroll",
            headers={"X-API-Key": elsewhere},
            data={"identity": "new"},
            files={"images": faces.read("astronaut.png")},
        )
        assert response.status_code == 201
        response = client.get("/metrics")
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        found = samples(response.text)
        assert found["semblance_references", "current"] == 2
        # Of all collections.
        assert found["semblance_references", "next"] == 2
        assert found["semblance_references", "other"] == 0
        info = {name for name in found if name[0] == "semblance_model_info"}
        # Labels: fingerprint, name, role, version.
        assert {(name[2], name[3]) for name in info} == {("sface", "current"), ("fused", "next")}
        assert all(found[name] == 1 for name in info)
        assert len(found) == 5

        service_command(
            data_dir, "reembed", "--artifact", str(NEW), artifact=OLD, next_artifact=NEW
        )
        after = samples(client.get("/metrics").text)
        counts = {name[1]: n for name, n in after.items() if name[0] == "semblance_references"}
        # Either before or after the old model went; by the new one all four.
        assert counts in ({"current": 0, "next": 4, "other": 0}, {"current": 4, "other": 0})


def test_only_an_administrator_reads_it(service: Service, data_dir: Path) -> None:
    with httpx.Client(base_url=service.url) as client:
        problem(client.get("/metrics"), 401, "missing_key")
        for scope in ("verify", "enroll"):
            headers = {"X-API-Key": new_key(data_dir, scope)}
            problem(client.get("/metrics", headers=headers), 403, "missing_scope")
        headers = {"Authorization": f"Bearer {service.key}"}
        assert client.get("/metrics", headers=headers).status_code == 200
