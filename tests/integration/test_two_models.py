"""While the model is changed: each identity is verified by the one its references are of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from model.artifact import Artifact
from model.runtimes.compiled import CompiledNetworks
from service.core.core import Core
from service.core.enrol import Upload
from service.core.enrol import enrol as core_enrol
from service.core.policy import Policy
from service.core.ports import Reference
from service.core.verify import verify as core_verify
from service.runtime.load import load_two
from service.storage.sql_store import SqlStore
from tests.faces import Faces
from tests.integration.api_client import answer, enrol, post, problem
from tests.integration.commands import service_command
from tests.integration.model_change_samples import HIM, NEW, OLD, PROBE, WAY
from tests.integration.vaults import open_store
from tests.kept_networks import lend
from tests.pictures import encoded, rgb
from tests.running import service_process

BOTH = {"artifact": OLD, "next_artifact": NEW, "quality": "off"}


@pytest.fixture(scope="module")
def olds(sface_artifact: Artifact) -> str:
    return sface_artifact.manifest.fingerprint


@pytest.fixture(scope="module")
def news(artifact: Artifact) -> str:
    return artifact.manifest.fingerprint


@pytest.fixture(scope="module")
def probes(faces: Faces) -> list[bytes]:
    """Him, another, and him made so broad that the models doubt."""
    broad = cv2.resize(rgb(faces.read(PROBE)), None, fx=0.66, fy=0.3)
    return [faces.read(PROBE), faces.read("biden.jpg"), encoded(np.asarray(broad, np.uint8))]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    lend(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, faces: Faces
) -> Iterator[dict[str, httpx.Client]]:
    """One with the old model, one with the new, and one in the middle of the change.

    On the first two "him" is enrolled, on the third "old" and "new", all with the same
    pictures.
    """
    folders = {name: tmp_path_factory.mktemp(name) for name in ("old", "new", "both")}
    pictures = [faces.read(name) for name in HIM]
    with ExitStack() as stack:

        def started(name: str, **settings: Any) -> httpx.Client:
            service = stack.enter_context(service_process(folders[name], **settings))
            return stack.enter_context(httpx.Client(base_url=service.url, timeout=60))

        with (
            service_process(folders["both"], artifact=OLD, quality="off") as before,
            httpx.Client(base_url=before.url, timeout=60) as client,
        ):
            for name in ("old", "old deleted"):
                enrol(client, name, *pictures)
            enrol(client, "old joe", faces.read("biden.jpg"))
        clients = {
            "old": started("old", artifact=OLD, quality="off"),
            "new": started("new", artifact=NEW, quality="off"),
            "both": started("both", **BOTH),
        }
        enrol(clients["old"], "him", *pictures)
        enrol(clients["new"], "him", *pictures)
        enrol(clients["both"], "new", *pictures)
        yield clients


def verified(client: httpx.Client, identity: str, probe: bytes, **more: object) -> dict[str, Any]:
    found = answer(
        post(client, "/v1/verify", "multipart", {"image": probe}, identity=identity, **more)
    )
    for one in found["scores"]:
        del one["reference_id"]
    del found["timings_ms"], found["identity"]
    return found


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"fusion": "max", "fmr": 1e-3},
        pytest.param({"fusion": "centroid"}, marks=pytest.mark.long),
        pytest.param({"fmr": 1e-5}, marks=pytest.mark.long),
    ],
)
def test_each_is_verified_as_by_a_service_with_its_model_alone(
    services: dict[str, httpx.Client], probes: list[bytes], asked: dict[str, object]
) -> None:
    for probe in probes:
        by_both = {}
        for kind in ("old", "new"):
            alone = verified(services[kind], "him", probe, **asked)
            by_both[kind] = verified(services["both"], kind, probe, **asked)
            # Scores, thresholds and their sources, rates, the model: all of it.
            assert by_both[kind] == alone
        assert by_both["old"]["model"]["name"] == "sface"
        assert by_both["new"]["model"]["name"] == "fused"
        assert by_both["old"]["detection_threshold"] != by_both["new"]["detection_threshold"]
        assert by_both["old"]["scores"] != by_both["new"]["scores"]


def test_new_pictures_are_embedded_by_the_model_that_the_identity_has(
    services: dict[str, httpx.Client], faces: Faces, olds: str, news: str
) -> None:
    client = services["both"]
    for identity, fingerprint in (("old", olds), ("new", news), ("somebody", news)):
        content = enrol(client, identity, faces.read("obama3.jpg"))
        assert content["model"]["fingerprint"] == fingerprint
        detail = answer(client.get(f"/v1/identities/{identity}"))
        assert {item["fingerprint"] for item in detail["items"]} == {fingerprint}
        if identity != "somebody":
            assert len(detail["items"]) == 3
            # Agreement is measured by that model, and he agrees with himself.
            assert all(item["agreement"]["lowest"] > 0.9 for item in detail["items"])
            last = detail["items"][-1]["reference_id"]
            assert client.delete(f"/v1/identities/{identity}/references/{last}").status_code == 204


def test_what_is_of_both_is_made_again_by_the_new_one(
    faces: Faces, data_dir: Path, news: str
) -> None:
    with (
        service_process(data_dir, artifact=OLD) as service,
        httpx.Client(base_url=service.url, timeout=60) as client,
    ):
        enrol(client, "him", *(faces.read(name) for name in HIM))
    with (
        service_process(data_dir, artifact=NEW, conflicts="off") as service,
        httpx.Client(base_url=service.url, timeout=60) as client,
    ):
        # It does not look at what is stored, and so mixes.
        enrol(client, "him", faces.read("obama3.jpg"))
    with (
        service_process(data_dir, **BOTH) as service,
        httpx.Client(base_url=service.url, timeout=60) as client,
    ):
        items = answer(client.get("/v1/identities"))["identities"]
        assert [(item["identity"], item["references"]) for item in items] == [("him", 3)]
        found = verified(client, "him", faces.read(PROBE))
        assert found["model"]["fingerprint"] == news
        items = answer(client.get("/v1/identities/him"))["items"]
        assert [item["fingerprint"] for item in items] == [news] * 3


def test_conflicts_are_found_across_the_models(
    services: dict[str, httpx.Client], faces: Faces
) -> None:
    client = services["both"]
    # Of the old model, met by somebody who comes in by the new one.
    found = enrol(client, "not joe", faces.read("biden.jpg"))
    (conflict,) = found["conflicts"]
    assert (conflict["kind"], conflict["other_identity"]) == ("like_another_identity", "old joe")
    answer(client.delete("/v1/identities/not joe"))
    # Of the new one, met by pictures for an identity that is of the old one.
    enrol(client, "new astronaut", faces.read("astronaut.png"))
    found = enrol(client, "old joe", faces.read("astronaut.png"))
    (conflict,) = found["conflicts"]
    assert conflict["other_identity"] == "new astronaut"
    assert found["others_searched"] is True
    # And nobody is refused who is in no conflict.
    reference = found["accepted"][0]["reference_id"]
    assert client.delete(f"/v1/identities/old joe/references/{reference}").status_code == 204
    strict = post(
        client,
        "/v1/enroll",
        "multipart",
        {"images": [faces.read("biden.jpg")]},
        identity="not joe",
        conflicts="strict",
    )
    problem(strict, 409, "identity_conflict")


def test_the_service_says_which_models_it_has(
    services: dict[str, httpx.Client], faces: Faces, olds: str, news: str
) -> None:
    model = answer(services["both"].get("/v1/model"))
    assert (model["fingerprint"], model["next"]["fingerprint"]) == (olds, news)
    assert answer(services["old"].get("/v1/model"))["next"] is None
    assert answer(services["both"].get("/readyz"))["status"] == "ok"
    pictures = {"image_a": faces.read(PROBE), "image_b": faces.read("obama.jpg")}
    compared = [answer(post(services[k], "/v1/compare", "json", pictures)) for k in ("old", "both")]
    for one in compared:
        del one["timings_ms"]
    # Comparing goes on by the model that is to go.
    assert compared[0] == compared[1]


def test_an_identity_can_be_deleted(services: dict[str, httpx.Client]) -> None:
    client = services["both"]
    assert answer(client.delete("/v1/identities/old deleted"))["references"] == 2
    assert client.get("/v1/identities/old deleted").status_code == 404


def test_the_same_model_twice_is_one(data_dir: Path) -> None:
    with (
        service_process(data_dir, artifact=OLD, next_artifact=OLD) as service,
        httpx.Client(base_url=service.url) as client,
    ):
        assert answer(client.get("/v1/model"))["next"] is None


def test_a_next_model_that_is_none_stops_the_start(data_dir: Path) -> None:
    service = service_process(data_dir, artifact=OLD, next_artifact=data_dir)
    with pytest.raises(RuntimeError, match="expected an artifact with"), service:
        pass


def test_who_keeps_no_picture_is_verified_by_the_old_model(
    data_dir: Path, faces: Faces, olds: str, news: str
) -> None:
    with (
        service_process(data_dir, artifact=OLD, keep="none") as service,
        httpx.Client(base_url=service.url, timeout=60) as client,
    ):
        enrol(client, "him", faces.read("obama.jpg"))
    with (
        service_process(data_dir, **BOTH) as service,
        httpx.Client(base_url=service.url, timeout=60) as client,
    ):
        assert verified(client, "him", faces.read(PROBE))["model"]["fingerprint"] == olds
        done = service_command(
            data_dir, "reembed", "--artifact", str(NEW), artifact=OLD, next_artifact=NEW
        )
        assert "1 identities have a reference without a picture" in done.stdout
        assert verified(client, "him", faces.read(PROBE))["verified"] is True
        assert answer(client.get("/v1/model"))["next"]["fingerprint"] == news


# In one process, where the moment can be chosen.


@pytest.fixture
def core(data_dir: Path, sface_artifact: Artifact, artifact: Artifact) -> Iterator[Core]:
    way = replace(WAY, networks=CompiledNetworks(data_dir / "compiled"))
    current, newest = load_two(sface_artifact, artifact, way)
    with closing(open_store(data_dir)) as opened:
        store = Flipping(opened.databases, opened.data_keys)
        yield Core(current.model, current.detector, store, Policy(gate="off"), next=newest)


class Flipping(SqlStore):
    """Somebody gives an identity to the new model just before an enrolment is stored."""

    before: Any = None

    def enrol(self, identity: str, *arguments: Any, **more: Any) -> Any:
        act, self.before = self.before, None
        if act is not None:
            act()
        return super().enrol(identity, *arguments, **more)


def stored(core: Core, identity: str) -> list[Reference]:
    return core.store.references(identity)


def test_an_enrolment_that_meets_the_change_is_done_again_by_the_new_model(
    core: Core, faces: Faces, olds: str, news: str
) -> None:
    old = replace(core, next=None)
    core_enrol(old, "him", [Upload(faces.read("obama.jpg"))])
    assert [one.fingerprint for one in stored(core, "him")] == [olds]

    def change() -> None:
        # As `reembed` does, for all references of an identity.
        core_verify(core.newest, "him", faces.read(PROBE))

    assert isinstance(core.store, Flipping)
    core.store.before = change
    # Without a picture it could not be made again afterwards.
    kept = replace(core, policy=replace(core.policy, keep="none"))
    result = core_enrol(kept, "him", [Upload(faces.read("obama2.jpg"))])
    assert result.manifest.fingerprint == news
    assert [one.fingerprint for one in stored(core, "him")] == [news, news]
    assert core_verify(core, "him", faces.read(PROBE)).matched == 2


def test_a_gallery_in_memory_is_never_used_by_another_model(
    core: Core, faces: Faces, olds: str, news: str
) -> None:
    core_enrol(replace(core, next=None), "him", [Upload(faces.read("obama.jpg"))])
    probe = faces.read(PROBE)
    for _ in range(2):
        assert core_verify(core, "him", probe).manifest.fingerprint == olds
    # The old model is gone, with the gallery still in memory.
    found = core_verify(core.newest, "him", probe)
    assert found.manifest.fingerprint == news
    assert found.verified
    assert core_verify(core, "him", probe).manifest.fingerprint == news
