"""GET /metrics: what Prometheus would read, who may, and that it names nobody."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests import prometheus
from tests.expressions import faults
from tests.faces import Faces
from tests.faults.places import Place
from tests.integration.api_client import enrol, post, problem
from tests.integration.commands import new_key, service_command
from tests.integration.model_change_samples import NEW, OLD
from tests.running import ROOT, Service, service_process

COUNTED_ANEW_S = 2.2
ASKED = "semblance_requests_total"
METHODS = ("PROPFIND", "TRACE", "LOCK")
"""That nobody needs; words of a caller's own do not get as far."""
NAMES = ("Ada Lovelace", "nobody-here")


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


def exposed(text: str) -> dict[str, set[str]]:
    """Names of labels by name of sample."""
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.long
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
        assert found["semblance_identities",] == 3
        info = {name for name in found if name[0] == "semblance_model_info"}
        # Labels: fingerprint, name, role, version.
        assert {(name[2], name[3]) for name in info} == {("sface", "current"), ("fused", "next")}
        assert all(found[name] == 1 for name in info)

        service_command(
            data_dir, "reembed", "--artifact", str(NEW), artifact=OLD, next_artifact=NEW
        )
        time.sleep(COUNTED_ANEW_S)
        after = samples(client.get("/metrics").text)
        counts = {name[1]: n for name, n in after.items() if name[0] == "semblance_references"}
        # Either before or after the old model went; by the new one all four.
        assert counts in ({"current": 0, "next": 4, "other": 0}, {"current": 4, "other": 0})


def test_only_who_may_reads_it(service: Service, data_dir: Path) -> None:
    with httpx.Client(base_url=service.url) as client:
        problem(client.get("/metrics"), 401, "missing_key")
        for scope in ("verify", "enroll"):
            headers = {"X-API-Key": new_key(data_dir, scope)}
            problem(client.get("/metrics", headers=headers), 403, "missing_scope")
        for key in (service.key, new_key(data_dir, "metrics")):
            headers = {"Authorization": f"Bearer {key}"}
            assert client.get("/metrics", headers=headers).status_code == 200
        # A key that lies in Prometheus' settings opens nothing else.
        problem(client.get("/v1/identities", headers=headers), 403, "missing_scope")
        problem(client.get("/v1/model", headers=headers), 403, "missing_scope")


class Watched:
    """A service at rest, and what its numbers have grown by since they were last read."""

    def __init__(self, client: httpx.Client, data_dir: Path) -> None:
        self.client, self.data_dir = client, data_dir
        self.text = client.get("/metrics").text
        self._before = samples(self.text)

    def grown(self) -> dict[tuple[str, ...], float]:
        self.text = self.client.get("/metrics").text
        now = samples(self.text)
        grown = {
            name: value - self._before.get(name, 0.0)
            for name, value in now.items()
            if value != self._before.get(name, 0.0)
        }
        self._before = now
        return grown


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    with (
        service_process(folder) as running,
        httpx.Client(base_url=running.url, timeout=60) as client,
    ):
        enrol(client, NAMES[0], faces.read("obama.jpg"))
        yield Watched(client, folder)


def test_a_verification_is_counted_with_its_stages_and_score(
    watched: Watched, faces: Faces, artifact: Any
) -> None:
    watched.grown()
    model = artifact.manifest.fingerprint
    answer = post(
        watched.client, "/v1/verify", "json", {"image": faces.read("obama2.jpg")}, identity=NAMES[0]
    ).json()
    post(watched.client, "/verify", "json", {"image": faces.read("biden.jpg")}, identity=NAMES[0])
    grown = watched.grown()
    # Labels in the order of their names: method, route, status.
    assert grown["semblance_requests_total", "POST", "/v1/verify", "200"] == 1
    assert grown["semblance_requests_total", "POST", "/verify", "200"] == 1
    assert grown["semblance_request_seconds_count", "POST", "/v1/verify"] == 1
    for stage in ("references", "decode", "detect", "align", "embed", "score"):
        assert grown["semblance_stage_seconds_count", stage] == 2
        assert 0 < grown["semblance_stage_seconds_sum", stage] < 10
    assert grown["semblance_verification_score_count", model, "accepted"] == 1
    assert grown["semblance_verification_score_count", model, "rejected"] == 1
    (score,) = [one["score"] for one in answer["scores"]]
    assert grown["semblance_verification_score_sum", model, "accepted"] == pytest.approx(score)
    assert grown["semblance_gallery_cache_total", "hit"] >= 1
    # Two verifications; each of them, and nothing else since, is on record: a moment later.
    entries = ("semblance_audit_entries_total",)
    written = grown.get(entries, 0)
    give_up_at = time.monotonic() + 10
    while written < 2 and time.monotonic() < give_up_at:
        time.sleep(0.05)
        written += watched.grown().get(entries, 0)
    assert written == 2


def test_refusals_are_counted_by_their_reasons(watched: Watched, faces: Faces) -> None:
    watched.grown()
    dark = post(
        watched.client,
        "/v1/enroll",
        "multipart",
        {"images": [b"no picture", faces.read("obama_partial_face2.jpg")]},
        identity="someone",
    )
    assert dark.status_code == 422
    reasons = {code for one in dark.json()["rejected"] for code in one.get("reasons", ())}
    codes = [one["code"] for one in dark.json()["rejected"]]
    grown = watched.grown()
    for code in set(codes):
        assert grown["semblance_enrolled_images_total", code] == codes.count(code)
    for reason in reasons:
        assert grown["semblance_quality_objections_total", reason] == 1
    assert grown["semblance_problems_total", "none_accepted"] == 1


def test_nothing_a_caller_chooses_makes_it_grow_or_is_shown(watched: Watched, faces: Faces) -> None:
    client = watched.client
    for number in range(30):
        client.get(f"/v1/nothing-{number}")
        client.request(METHODS[number % 3], "/healthz")
        client.get(f"/v1/identities/{NAMES[1]}-{number}")
    client.get("/healthz", headers={"X-Request-Id": "secret-request"})
    watched.grown()
    lines = len(watched.text.splitlines())
    for number in range(30, 90):
        client.get(f"/v1/nothing-{number}")
        client.request(METHODS[number % 3], "/healthz")
        client.get(f"/v1/identities/{NAMES[1]}-{number}")
    grown = watched.grown()
    assert len(watched.text.splitlines()) == lines
    assert lines < 1000
    assert grown["semblance_requests_total", "GET", "/v1/identities/{identity}", "404"] == 60
    assert grown["semblance_requests_total", "GET", "-", "404"] == 60
    assert sum(n for name, n in grown.items() if name[:2] == (ASKED, "OTHER")) == 60, grown
    for name in (*NAMES, "secret-request", "nothing-", "Ada", "default"):
        assert name not in watched.text


def test_when_the_store_is_away_the_rest_is_still_told(watched: Watched) -> None:
    assert samples(watched.client.get("/metrics").text)["semblance_store_up",] == 1
    with Place(watched.data_dir).gone():
        assert watched.client.get("/readyz").status_code == 503
        found = samples(watched.client.get("/metrics").text)
        assert found["semblance_store_up",] == 0
        assert found["semblance_problems_total", "not_ready"] >= 1
        assert found["semblance_store_errors_total", "unusable"] >= 1
        assert found["process_resident_memory_bytes",] > 0
    assert samples(watched.client.get("/metrics").text)["semblance_store_up",] == 1


def expressions() -> Iterator[tuple[str, str]]:
    """Where each expression of ours is, and what it says."""
    alerts = yaml.safe_load((ROOT / "docker" / "prometheus" / "alerts.yml").read_text())
    for group in alerts["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    dashboard = json.loads((ROOT / "docker" / "grafana" / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def test_alerts_and_dashboard_name_what_there_is(watched: Watched, faces: Faces) -> None:
    # What counts by model is there from the first verification on.
    image = {"image": faces.read("obama2.jpg")}
    post(watched.client, "/v1/verify", "json", image, identity=NAMES[0])
    there = exposed(watched.client.get("/metrics").text)
    # What a histogram has before its first value, which no batch has had here.
    there |= {f"semblance_batch_size_{part}": set() for part in ("sum", "count")}
    found = list(expressions())
    assert len(found) >= 50
    wrong = {title: said for title, text in found if (said := faults(text, there))}
    assert wrong == {}
    # And it would see a wrong one.
    assert faults('sum by (who) (rate(semblance_requests{route="x"}[5m]))', there)
    assert faults('semblance_requests_total{key="x"}', there)


def test_every_metric_is_documented(watched: Watched) -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    families = {
        family.name
        for family in text_string_to_metric_families(watched.client.get("/metrics").text)
        if family.name.startswith("semblance")
    }
    assert len(families) > 25
    missing = sorted(name for name in families if f"`{name}" not in text)
    assert missing == []


def test_promtool_finds_nothing_wrong() -> None:
    found = prometheus.programs()
    if isinstance(found, str):
        pytest.skip(found)
    folder = ROOT / "docker" / "prometheus"
    for command in (
        ("check", "rules", "--lint-fatal", "alerts.yml"),
        ("test", "rules", "alerts.test.yml"),
        ("check", "config", "--syntax-only", "prometheus.yml"),
    ):
        done = subprocess.run(
            [found.tool, *command], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
