"""The Python client's identification, embeddings and batches, against a real service."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from semblance_client import AsyncClient, Client
from tests.faces import Faces
from tests.integration.test_client import semblance
from tests.running import Service, service_process


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service_process(tmp_path_factory.mktemp("data"), insecure=False) as running:
        yield running


@pytest.fixture(scope="module")
def client(service: Service, faces: Faces) -> Iterator[Client]:
    with Client(service.url, service.key) as connected:
        connected.enroll("ada", [faces.read("obama.jpg"), faces.read("obama2.jpg")])
        connected.enroll("bo", [faces.read("biden.jpg")])
        yield connected


def test_identification(client: Client, faces: Faces) -> None:
    found = client.identify(faces.read("obama3.jpg"), candidates=2, max_fpir=0.01)
    assert (found.identified, found.identity) == (True, "ada")
    assert [one.identity for one in found.candidates] == ["ada", "bo"]
    assert found.gallery.references == 3
    nobody = client.identify(faces.folder / "astronaut.png")
    assert (nobody.identified, nobody.identity) == (False, None)


def test_the_command_names_who_it_is(service: Service, client: Client, faces: Faces) -> None:
    done = semblance(service, "identify", faces.folder / "obama3.jpg")
    assert (done.returncode, done.stdout.split(",")[0]) == (0, "ada")
    done = semblance(service, "identify", faces.folder / "astronaut.png")
    assert (done.returncode, done.stdout) == (1, "nobody of 2 identities\n")


def test_embeddings(client: Client, faces: Faces) -> None:
    (made,) = client.embeddings(faces.read("obama3.jpg")).embeddings
    assert len(made.embedding) == made.dimension == client.get_model().embedding_size


def test_a_batch_goes_in_parts_and_one_bad_item_spoils_nothing(
    client: Client, faces: Faces
) -> None:
    own: Any = {"identity": "ada", "image": faces.folder / "obama3.jpg"}
    other: Any = {"identity": "ada", "image": faces.read("biden.jpg"), "fusion": "max"}
    noise: Any = {"identity": "ada", "image": b"noise", "id": "third"}
    found = list(client.verify_batch(iter([own, other, noise, own]), size=2))
    assert [item.index for item in found] == [0, 1, 2, 3]
    assert [item.result.verified if item.result else None for item in found] == [
        *(True, False, None, True),
    ]
    assert (found[2].id, found[2].status) == ("third", 422)
    assert found[2].problem
    assert found[2].problem.code == "undecodable_image"


def test_a_batch_of_enrolments(service: Service, client: Client, faces: Faces) -> None:
    async def enrol() -> list[int]:
        items: Any = [
            {"identity": "cy", "images": [faces.read("astronaut.png")], "metadata": {"desk": "1"}},
            {"identity": "dee", "images": [b"noise"]},
        ]
        async with AsyncClient(service.url, service.key) as asked:
            return [item.status async for item in asked.enroll_batch(items)]

    assert asyncio.run(enrol()) == [201, 422]
    assert client.get_identity("cy").metadata == {"desk": "1"}
    client.delete_identity("cy")
