"""Verification against a gallery in memory is as if it were read from the store each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image as PillowImage

from model.artifact import Artifact
from model.faces import Detector
from model.runtimes.base import Runtime
from service.core.core import Core
from service.core.enrol import Upload
from service.core.enrol import enrol as core_enrol
from service.core.erase import erase_identity, erase_reference
from service.core.errors import UnknownIdentity
from service.core.policy import Policy
from service.core.ports import Reference
from service.core.verify import verify as core_verify
from service.runtime.load import load_runtime
from service.storage.sql_store import SqlStore
from tests.faces import Faces
from tests.integration.api_client import answer, enrol, post, problem
from tests.integration.vaults import open_store
from tests.pictures import encoded, rgb
from tests.running import running_service


class Watched(SqlStore):
    """A store that counts how often the references are read."""

    reads = 0

    def references(self, identity: str) -> list[Reference]:
        self.reads += 1
        return super().references(identity)


@pytest.fixture(scope="module")
def runtime(sface_artifact: Artifact) -> Runtime:
    return load_runtime("openvino", sface_artifact, 1)


@pytest.fixture
def core(tmp_path: Path, sface_artifact: Artifact, runtime: Runtime) -> Iterator[Core]:
    with closing(open_store(tmp_path)) as opened:
        detector = Detector(sface_artifact.detector)
        store = Watched(opened.databases, opened.data_keys)
        yield Core(model=runtime, detector=detector, store=store, policy=Policy(gate="off"))


def reads(core: Core) -> int:
    assert isinstance(core.store, Watched)
    return core.store.reads


def test_the_references_are_read_once_and_again_after_each_change(
    core: Core, faces: Faces, tmp_path: Path
) -> None:
    probe = faces.read("obama3.jpg")
    core_enrol(core, "him", [Upload(faces.read("obama.jpg"))])
    first = core_verify(core, "him", probe)
    begun = reads(core)
    assert core_verify(core, "him", probe).references == first.references
    assert core_verify(core, "him", probe, fusion="centroid").fused_score is not None
    assert reads(core) == begun
    core_enrol(core, "him", [Upload(faces.read("obama2.jpg"))])
    two = core_verify(core, "him", probe).references
    assert two[0].reference_id == first.references[0].reference_id
    assert len(two) == 2
    # Another process, as far as this store can tell.
    with closing(open_store(tmp_path)) as other:
        other.delete_reference("him", first.references[0].reference_id)
        assert core_verify(core, "him", probe).references == two[1:]
        moved = -other.references("him")[0].embedding
        fingerprint = core.model.manifest.fingerprint
        other.update_embedding(two[1].reference_id, moved, fingerprint)
        assert core_verify(core, "him", probe).references[0].score < 0.01
        other.delete_identity("him")
        with pytest.raises(UnknownIdentity):
            core_verify(core, "him", probe)
        assert core.galleries.size_bytes == 0


def test_scores_are_those_of_the_stored_embeddings(core: Core, faces: Faces) -> None:
    names = ("obama.jpg", "obama2.jpg", "biden.jpg")
    core_enrol(core, "three", [Upload(faces.read(name)) for name in names])
    # No larger than what is decoded whole of a probe as well.
    image = PillowImage.fromarray(rgb(faces.read("obama3.jpg")))
    image.thumbnail((1700, 1700))
    data = encoded(np.asarray(image), "JPEG", quality=95)
    core_enrol(core, "probe", [Upload(data)])
    probe = core.store.references("probe")[0].embedding
    stored = core.store.references("three")
    expected = core.model.score(probe, np.stack([one.embedding for one in stored]))
    for _ in range(2):
        found = core_verify(core, "three", data).references
        assert [one.reference_id for one in found] == [one.reference_id for one in stored]
        assert [one.score for one in found] == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_deletion_here_leaves_nothing_in_memory(core: Core, faces: Faces) -> None:
    for erase_all in (True, False):
        core_enrol(core, "him", [Upload(faces.read("obama.jpg"))])
        (reference,) = core_verify(core, "him", faces.read("obama3.jpg")).references
        assert core.galleries.size_bytes > 0
        if erase_all:
            assert erase_identity(core, "him") == 1
        else:
            erase_reference(core, "him", reference.reference_id)
        assert core.galleries.size_bytes == 0


def test_two_services_on_one_database_see_each_other_in_the_very_next_request(
    tmp_path: Path, faces: Faces
) -> None:
    probe = {"image": faces.read("obama3.jpg")}
    settings = {"artifact": "models/sface"}
    with (
        running_service(tmp_path, **settings) as here,
        running_service(tmp_path, **settings) as there,
        httpx.Client(base_url=here, timeout=60) as one,
        httpx.Client(base_url=there, timeout=60) as other,
    ):

        def seen(client: httpx.Client) -> list[str]:
            content = answer(post(client, "/v1/verify", "multipart", probe, identity="him"))
            return [item["reference_id"] for item in content["scores"]]

        for writer, reader in ((one, other), (other, one)):
            first = enrol(writer, "him", faces.read("obama.jpg"))["accepted"][0]["reference_id"]
            assert seen(reader) == seen(writer) == [first]
            second = enrol(writer, "him", faces.read("obama2.jpg"))["accepted"][0]["reference_id"]
            assert seen(reader) == seen(writer) == [first, second]
            assert writer.delete(f"/v1/identities/him/references/{first}").status_code == 204
            assert seen(reader) == seen(writer) == [second]
            answer(writer.delete("/v1/identities/him"))
            again = enrol(writer, "him", faces.read("obama2.jpg"))["accepted"][0]["reference_id"]
            assert seen(reader) == seen(writer) == [again]
            answer(writer.delete("/v1/identities/him"))
            for client in (reader, writer):
                response = post(client, "/v1/verify", "multipart", probe, identity="him")
                problem(response, 404, "unknown_identity")
