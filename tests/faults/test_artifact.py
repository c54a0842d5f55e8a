"""The model's files are changed or deleted under a running service: it goes on as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from model.artifact import Artifact
from model.runtimes.network import cores
from tests.faults.client import PEOPLE, client_of, enrol, verify
from tests.faults.places import Place
from tests.faults.waiting import wait_until

SAID = "the model's files are no more those that were loaded at the start"
CLIENTS = 6


def change_weights(folder: Path) -> None:
    """In place: it can still be read as a network of the same shapes, and is another."""
    path = folder / "saved_model" / "saved_model.pb"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(bytes(1 << 16))


def delete_all(folder: Path) -> None:
    shutil.rmtree(folder)


def put_another_in_its_place(folder: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(folder.parent / "other", folder)


@pytest.mark.skipif(cores() == 1, reason="one core has one form of each network, loaded at start")
@pytest.mark.parametrize(
    ("change", "at_restart"),
    [
        (change_weights, "'saved_model/saved_model.pb' was changed: expected SHA-256"),
        pytest.param(delete_all, "found none in 'model'", marks=pytest.mark.long),
        pytest.param(put_another_in_its_place, None, marks=pytest.mark.long),
    ],
)
def test_what_was_loaded_goes_on(
    files: Place,
    artifact: Artifact,
    sface_artifact: Artifact,
    tmp_path: Path,
    *,
    change: Callable[[Path], None],
    at_restart: str | None,
) -> None:
    folder = Path(shutil.copytree(artifact.folder, tmp_path / "model"))
    (tmp_path / "other").symlink_to(sface_artifact.folder)
    with files.service(artifact=folder) as service, client_of(service) as client:
        for person in PEOPLE:
            enrol(client, person, person).raise_for_status()
        before = answers(client)
        # So that the second form of each network, which a load asks for, must be made anew.
        shutil.rmtree(files.data_dir / "compiled")
        change(folder)
        with ThreadPoolExecutor(CLIENTS) as pool:
            found = list(pool.map(answers, [client] * CLIENTS))
            wait_until(lambda: any(SAID in line for line in service.output), 30)
            found += pool.map(answers, [client] * CLIENTS)
        assert found == [before] * (2 * CLIENTS)
        assert answers(client) == before
    assert sum(SAID in line for line in service.output) == 1
    assert not any("Traceback" in line for line in service.output)
    if at_restart is not None:
        with pytest.raises(RuntimeError, match=at_restart), files.service(artifact=folder):
            pass
        return
    # Nor is another network kept as if it were this one.
    with files.service(artifact=artifact.folder) as service, client_of(service) as client:
        assert answers(client) == before


def answers(client: httpx.Client) -> dict[str, tuple[bool, list[float]]]:
    """Verdict and scores of everybody with a picture of each."""
    found = {}
    for identity in PEOPLE:
        for person in PEOPLE:
            content = verify(client, identity, person, 2).raise_for_status().json()
            scores = [round(one["score"], 6) for one in content["scores"]]
            found[f"{identity} {person}"] = content["verified"], scores
    return found
