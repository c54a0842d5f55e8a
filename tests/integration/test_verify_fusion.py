"""Verification by the other rules: their scores, their thresholds, what they say of themselves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from model.artifact import Artifact
from model.contract import Fusion, Manifest
from model.faces import Detector
from model.runtimes.base import Runtime
from model.types import Array, Image
from service.core.core import Core
from service.core.enrol import Upload
from service.core.enrol import enrol as core_enrol
from service.core.policy import Policy
from service.core.verify import verify as core_verify
from service.runtime.load import load_runtime
from service.storage.memory_store import MemoryStore
from tests.faces import Faces
from tests.integration.api_client import STYLES, Style, answer, enrol, post, problem
from tests.integration.verdict_samples import Table, with_verdicts
from tests.running import running_service

TABLE: Table = {
    ("share", 1): {1e-3: 0.90, 1e-4: 0.95},
    ("share", 3): {1e-3: 0.60, 1e-4: 0.70, 1e-5: 0.80},
    ("max", 1): {1e-3: 0.90, 1e-4: 0.965},
    ("max", 3): {1e-3: 0.96, 1e-4: 0.98},
    ("mean", 2): {1e-3: 0.50},
}
OTHERS: tuple[Fusion, ...] = ("max", "mean", "centroid")


def people(client: httpx.Client, faces: Faces) -> None:
    portraits = [faces.read(name) for name in ("obama.jpg", "obama2.jpg", "biden.jpg")]
    enrol(client, "one", portraits[0])
    enrol(client, "two", *portraits[:2])
    enrol(client, "three", *portraits)


@pytest.fixture(scope="module")
def plain(
    artifact: Artifact, faces: Faces, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A service whose manifest has no verdict table."""
    folder = tmp_path_factory.mktemp("plain")
    copied = with_verdicts(artifact, folder / "model", {})
    with (
        running_service(folder / "data", artifact=copied) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        people(client, faces)
        yield client


@pytest.fixture(scope="module")
def tabled(
    artifact: Artifact, faces: Faces, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A service with `TABLE`, and with `max` as its operator's rule."""
    folder = tmp_path_factory.mktemp("tabled")
    copied = with_verdicts(artifact, folder / "model", TABLE)
    with (
        running_service(folder / "data", artifact=copied, fusion="max") as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        people(client, faces)
        yield client


def verify(
    client: httpx.Client,
    identity: str,
    probe: bytes,
    style: Style = "multipart",
    **fields: object,
) -> dict[str, Any]:
    return answer(post(client, "/v1/verify", style, {"image": probe}, identity=identity, **fields))


def by_hand(rule: str, scores: list[float]) -> float:
    if rule == "max":
        return max(scores)
    middle = sum(math.log(score / (1 - score)) for score in scores) / len(scores)
    return 1 / (1 + math.exp(-middle))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("rule", ["max", "mean"])
def test_the_fused_score_is_of_the_scores_shown(
    plain: httpx.Client, faces: Faces, style: Style, rule: str
) -> None:
    for identity in ("one", "two", "three"):
        for name in ("obama3.jpg", "astronaut.png"):
            content = verify(plain, identity, faces.read(name), style, fusion=rule)
            assert content["fusion"] == rule
            scores = [item["score"] for item in content["scores"]]
            assert content["fused_score"] == pytest.approx(by_hand(rule, scores), abs=1e-5)
            above = content["detection_threshold"]["value"]
            assert content["verified"] is (content["fused_score"] > above)
            assert [item["matched"] for item in content["scores"]] == [s > above for s in scores]


@pytest.mark.parametrize("path", ["/v1/verify", "/verify"])
@pytest.mark.parametrize("rule", OTHERS)
def test_the_right_person_and_another(
    plain: httpx.Client, faces: Faces, rule: str, path: str
) -> None:
    for name, right in (("obama3.jpg", True), ("biden.jpg", False), ("astronaut.png", False)):
        pictures = {"image": faces.read(name)}
        content = answer(post(plain, path, "json", pictures, identity="two", fusion=rule))
        assert content["verified"] is right


def test_a_rule_decides_otherwise_than_the_share(plain: httpx.Client, faces: Faces) -> None:
    """A third picture, of somebody else: one of three is enough for the best reference."""
    probe = faces.read("biden.jpg")
    share = verify(plain, "three", probe)
    assert (share["fusion"], share["fused_score"]) == ("share", None)
    assert (share["matched"], share["references"], share["verified"]) == (1, 3, False)
    best = verify(plain, "three", probe, fusion="max")
    assert (best["matched"], best["verified"]) == (1, True)
    assert best["share"] == share["share"]
    assert best["scores"] == share["scores"]


def test_a_fused_score_exactly_at_the_threshold_does_not_verify(
    plain: httpx.Client, faces: Faces
) -> None:
    probe = faces.read("obama3.jpg")
    for rule in OTHERS:
        fused = verify(plain, "two", probe, "json", fusion=rule)["fused_score"]
        # The verification threshold is of the share alone.
        at = verify(
            plain,
            "two",
            probe,
            "json",
            fusion=rule,
            detection_threshold=fused,
            verification_threshold=1,
        )
        assert at["verified"] is False
        assert at["detection_threshold"] == {"value": fused, "source": "request"}
        below = float(np.nextafter(fused, 0))
        just = verify(
            plain,
            "two",
            probe,
            "json",
            fusion=rule,
            detection_threshold=below,
            verification_threshold=1,
        )
        assert just["verified"] is True


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("rule", ["", "median", "MAX", "share,max"])
def test_a_rule_that_is_none(plain: httpx.Client, faces: Faces, style: Style, rule: str) -> None:
    pictures = {"image": faces.read("obama3.jpg")}
    response = post(plain, "/v1/verify", style, pictures, identity="two", fusion=rule)
    (error,) = problem(response, 422, "invalid_request")["errors"]
    assert error["field"] == "fusion"
    for choice in ("share", *OTHERS):
        assert f"'{choice}'" in error["message"]


def threshold_at(client: httpx.Client, fmr: float) -> float:
    points = answer(client.get("/v1/model"))["calibration"]["points"]
    (found,) = [point["threshold"] for point in points if point["fmr"] == fmr]
    return float(found)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    ("fmr", "stands_for"), [(0.01, 0.01), (1e-6, 1e-6), (2e-5, 1e-5), (1, 0.01)]
)
def test_without_a_table_a_rate_is_of_one_comparison(
    plain: httpx.Client, faces: Faces, style: Style, fmr: float, stands_for: float
) -> None:
    expected = {"value": threshold_at(plain, stands_for), "source": "fmr"}
    for rule in ("share", "mean", "centroid"):
        content = verify(plain, "two", faces.read("obama3.jpg"), style, fmr=fmr, fusion=rule)
        assert content["fmr"] == stands_for
        assert content["detection_threshold"] == expected


def test_without_a_table_max_takes_the_union_bound(plain: httpx.Client, faces: Faces) -> None:
    probe = faces.read("obama3.jpg")
    for identity, fmr, row in (("one", 1e-4, 1e-4), ("two", 1e-4, 1e-5), ("two", 2e-4, 1e-4)):
        content = verify(plain, identity, probe, fmr=fmr, fusion="max")
        assert content["detection_threshold"]["value"] == threshold_at(plain, row)
        assert content["fmr"] == row
    two = verify(plain, "two", probe, fusion="max")
    assert two["detection_threshold"] == {"value": threshold_at(plain, 1e-5), "source": "default"}
    assert two["verdict_fmr"] == pytest.approx(2e-5)
    assert verify(plain, "one", probe, fusion="centroid")["verdict_fmr"] == 1e-4
    assert verify(plain, "two", probe, fusion="centroid")["verdict_fmr"] is None
    pictures = {"image": probe}
    response = post(plain, "/v1/verify", "json", pictures, identity="two", fusion="max", fmr=1.5e-6)
    detail = problem(response, 422, "invalid_request")["detail"]
    assert "at least 2e-06, the strictest rate" in detail
    assert "2 references by the rule max" in detail


def test_a_rate_is_of_the_whole_verdict(tabled: httpx.Client, faces: Faces) -> None:
    probe = faces.read("obama3.jpg")
    for rule, identity, fmr, expected in (
        ("share", "three", 1e-4, 0.70),
        ("share", "two", 1e-4, 0.95),  # between one and three: the stricter
        ("share", "one", 1e-3, 0.90),
        ("max", "three", 1e-3, 0.96),
        ("max", "two", 1e-4, 0.98),
        ("mean", "two", 1e-3, 0.50),
    ):
        content = verify(tabled, identity, probe, fusion=rule, fmr=fmr)
        assert content["detection_threshold"] == {"value": expected, "source": "fmr"}
        assert content["verdict_fmr"] == fmr
    # More than half: of another share the table says nothing.
    other = verify(tabled, "three", probe, fusion="share", fmr=1e-4, verification_threshold=0.7)
    assert other["detection_threshold"]["value"] == threshold_at(tabled, 1e-4)
    assert other["verdict_fmr"] == 1e-5


def test_the_default_threshold_of_each_rule(
    tabled: httpx.Client, faces: Faces, artifact: Artifact
) -> None:
    probe = faces.read("obama3.jpg")
    three = verify(tabled, "three", probe)
    assert three["fusion"] == "max"
    assert three["detection_threshold"] == {"value": 0.98, "source": "default"}
    assert three["verdict_fmr"] == 1e-4
    share = verify(tabled, "three", probe, fusion="share")
    own = artifact.manifest.detection_threshold
    assert share["detection_threshold"] == {"value": own, "source": "default"}
    assert (share["fmr"], share["verdict_fmr"]) == (1e-4, 1e-5)
    # The table of `mean` ends at 1e-3; from there on two single pairs speak for it.
    mean = verify(tabled, "two", probe, fusion="mean")
    union = threshold_at(tabled, 1e-5)
    assert mean["detection_threshold"] == {"value": union, "source": "default"}
    assert mean["verdict_fmr"] == pytest.approx(2e-5)
    # Five references are parts of two and three; half of 1e-4 is in no column.
    names = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")
    portraits = [faces.read(name) for name in names]
    enrol(tabled, "crowd", *portraits)
    crowd = verify(tabled, "crowd", probe)
    assert crowd["detection_threshold"] == {"value": 0.98, "source": "default"}
    assert crowd["verdict_fmr"] == pytest.approx(2e-4)
    response = post(tabled, "/v1/verify", "json", {"image": probe}, identity="crowd", fmr=1e-4)
    assert "at least 0.0002" in problem(response, 422, "invalid_request")["detail"]


def test_the_operators_threshold_goes_before_the_tables(
    artifact: Artifact, faces: Faces, runtime: Runtime
) -> None:
    policy = Policy(detection_threshold=0.3, fusion="mean")
    core = core_of(runtime, artifact, policy)
    core_enrol(core, "him", [Upload(faces.read("obama.jpg"))])
    result = core_verify(core, "him", faces.read("obama3.jpg"))
    assert (result.fusion, result.detection_threshold.value) == ("mean", 0.3)
    assert result.detection_threshold.source == "settings"
    asked = core_verify(core, "him", faces.read("obama3.jpg"), fmr=1e-3)
    assert asked.detection_threshold.source == "fmr"


def test_the_model_shows_its_verdict_table(tabled: httpx.Client, plain: httpx.Client) -> None:
    content = answer(tabled.get("/v1/model"))
    assert content["thresholds"]["fusion"] == "max"
    shown = {
        (row["fusion"], row["references"], row["fmr"]): row["threshold"]
        for row in content["calibration"]["verdicts"]
    }
    assert shown == {
        (fusion, k, fmr): threshold
        for (fusion, k), column in TABLE.items()
        for fmr, threshold in column.items()
    }
    assert answer(plain.get("/v1/model"))["calibration"]["verdicts"] == []
    assert answer(plain.get("/v1/model"))["thresholds"]["fusion"] == "share"


class Counting:
    """The model itself, counting how often it is asked for scores."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.calls: list[int] = []

    @property
    def manifest(self) -> Manifest:
        return self.runtime.manifest

    def embed(self, chips: Image) -> Array:
        return self.runtime.embed(chips)

    def score(self, probe: Array, references: Array) -> Array:
        self.calls.append(len(references))
        return self.runtime.score(probe, references)


@pytest.fixture(scope="module")
def runtime(artifact: Artifact) -> Runtime:
    return load_runtime("openvino", artifact, 1)


def core_of(model: Runtime | Counting, artifact: Artifact, policy: Policy) -> Core:
    return Core(
        model=model,
        detector=Detector(artifact.detector),
        store=MemoryStore(),
        policy=policy,
    )


def test_the_centroid_weighs_by_quality_and_is_one_more_row(
    artifact: Artifact, faces: Faces, runtime: Runtime
) -> None:
    model = Counting(runtime)
    core = core_of(model, artifact, Policy(gate="off"))
    names = ("obama.jpg", "obama2.jpg", "astronaut.png")
    core_enrol(core, "him", [Upload(faces.read(name)) for name in names])
    references = core.store.references("him")
    assert len({reference.quality for reference in references}) == 3
    mean = np.zeros(artifact.manifest.embedding_size)
    for reference in references:
        mean += reference.quality * reference.embedding.astype(np.float64)
    template = (mean / np.linalg.norm(mean)).astype(np.float32)

    core_enrol(core, "probe", [Upload(faces.read("obama3.jpg"))])
    probe = core.store.references("probe")[0].embedding
    expected = float(runtime.score(probe, template[None])[0])

    model.calls.clear()
    result = core_verify(core, "him", faces.read("obama3.jpg"), fusion="centroid")
    assert model.calls == [4]
    assert result.fused_score == pytest.approx(expected, abs=1e-5)
    plain = core_verify(core, "him", faces.read("obama3.jpg"))
    assert model.calls == [4, 3]
    assert [r.score for r in result.references] == pytest.approx(
        [r.score for r in plain.references], abs=1e-6
    )
    # One template of all is no more than one reference where there is one.
    alone = core_verify(core, "probe", faces.read("obama2.jpg"), fusion="centroid")
    assert alone.fused_score == pytest.approx(alone.references[0].score, abs=1e-5)
