"""The Kubernetes manifests against Kubernetes' own schemas, and against what we promise."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from service.settings import Settings, read_settings
from tests.running import ROOT

FOLDER = ROOT / "docker" / "kubernetes"
VERSIONS = ("1.30", "1.33", kubernetes_validate.latest_version())
FILES = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")


def manifest(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return found


@pytest.fixture
def pod() -> dict[str, Any]:
    spec: dict[str, Any] = manifest("deployment.yaml")["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("name", FILES)
def test_each_is_as_the_schema_wants_it(name: str) -> None:
    for version in VERSIONS:
        kubernetes_validate.validate(manifest(name), version, strict=True)


def test_the_schema_would_find_a_fault() -> None:
    spoilt = manifest("deployment.yaml")
    spoilt["spec"]["template"]["spec"]["containers"][0]["readOnlyFilesystem"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spoilt, VERSIONS[-1], strict=True)
    spoilt = manifest("autoscaling.yaml")
    spoilt["spec"]["maxReplicas"] = "many"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spoilt, VERSIONS[-1], strict=True)


def test_kustomize_takes_them_all_together() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    assert sorted(listed["resources"]) == FILES
    if shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl here")
    done = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = list(yaml.safe_load_all(done.stdout))
    assert len(made) == len(FILES)
    for one in made:
        kubernetes_validate.validate(one, VERSIONS[-1], strict=True)
        assert one["kind"] == "Namespace" or one["metadata"]["namespace"] == "semblance"


def test_a_break_in_gains_nothing(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001  # docker/service.Dockerfile
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    inside = container["securityContext"]
    assert inside["readOnlyRootFilesystem"] is True
    assert inside["allowPrivilegeEscalation"] is False
    assert inside["capabilities"] == {"drop": ["ALL"]}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    labels = manifest("namespace.yaml")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_service_would_start_with_these_settings(pod: dict[str, Any]) -> None:
    data = manifest("settings.yaml")["data"]
    settings = read_settings(data)
    assert isinstance(settings, Settings)
    (container,) = pod["containers"]
    ports = [port["containerPort"] for port in container["ports"]]
    assert ports == [int(data["SEMBLANCE_PORT"])]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert mounts.keys() >= {data["SEMBLANCE_DATA_DIR"], "/tmp"}
    assert str(data["SEMBLANCE_MASTER_KEY_FILE"]).rpartition("/")[0] in mounts
    assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}
    # Else Kubernetes itself would set SEMBLANCE_PORT, to an address.
    assert pod["enableServiceLinks"] is False


def test_no_secret_is_in_them(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    secret_settings = {"SEMBLANCE_DATABASE", "SEMBLANCE_KEYS_DATABASE", "SEMBLANCE_MASTER_KEY"}
    assert not secret_settings & manifest("settings.yaml")["data"].keys()
    for variable in container["env"]:
        assert "value" not in variable
        assert "secretKeyRef" in variable["valueFrom"]
    assert "Secret" not in {manifest(name)["kind"] for name in FILES}


def test_probes_ask_what_they_should(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    asked = {
        name: container[f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }
    # A database that is away must not have every replica started again.
    assert asked == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    startup = container["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 60
    # Answering what is in flight takes up to 14 s, after the pause before the stop.
    assert pod["terminationGracePeriodSeconds"] >= 14 + 5
    assert container["resources"]["limits"].keys() >= {"cpu", "memory"}


def test_all_speak_of_the_same_pods() -> None:
    template = manifest("deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    wanted = (
        manifest("deployment.yaml")["spec"]["selector"]["matchLabels"],
        manifest("service.yaml")["spec"]["selector"],
        manifest("disruption.yaml")["spec"]["selector"]["matchLabels"],
        manifest("network.yaml")["spec"]["podSelector"]["matchLabels"],
    )
    for labels in wanted:
        assert labels.items() <= template.items()
    target = manifest("autoscaling.yaml")["spec"]["scaleTargetRef"]
    assert target["name"] == manifest("deployment.yaml")["metadata"]["name"]


def test_it_scales_by_the_line_and_by_cpu() -> None:
    pods, resource = manifest("autoscaling.yaml")["spec"]["metrics"]
    name = pods["pods"]["metric"]["name"]
    assert f'"{name}"' in (ROOT / "service" / "api" / "metrics.py").read_text()
    assert name in (ROOT / "docs" / "kubernetes.md").read_text()
    assert resource["resource"]["name"] == "cpu"
    # One replica may always go.
    assert manifest("autoscaling.yaml")["spec"]["minReplicas"] >= 2


def test_the_network_is_closed_but_for_what_is_needed() -> None:
    policy = manifest("network.yaml")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    for rule in (*policy["ingress"], *policy["egress"]):
        assert rule["ports"]
        assert rule.get("from") or rule.get("to")
    ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    assert ports == {53, 5432}
