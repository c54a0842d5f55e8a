"""One person's data: given out, erased, shown to be gone; and what is old goes by itself."""

from __future__ import annotations

import base64
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from sqlalchemy import update

from model.image import Limits, decode
from service.core.policy import Policy
from service.core.ports import About, Store
from service.core.retention import erase_expired
from service.storage.sql_store import SqlStore
from service.storage.tables import face_references
from tests.faces import Faces
from tests.integration.api_client import answer, enrol, problem
from tests.integration.commands import service_command
from tests.integration.store_samples import new_reference
from tests.running import running_service

SAID = {"department": "accounts", "badge": "4711-ZX"}


def enrolled(client: httpx.Client, faces: Faces) -> None:
    images = [faces.read("obama.jpg"), faces.read("obama2.jpg")]
    enrol(client, "ada", *images, consent="paper 12/2030", metadata=json.dumps(SAID))
    enrol(client, "bob", faces.read("biden.jpg"))


def test_a_person_gets_all_that_is_held_and_is_erased_with_proof(
    tmp_path: Path, faces: Faces
) -> None:
    data_dir = tmp_path / "data"
    with (
        running_service(data_dir) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        enrolled(client, faces)
        found = answer(client.get("/v1/identities/ada"))
        assert found["consent"] == "paper 12/2030"
        assert found["metadata"] == SAID
        assert found["last_used_at"] is None
        out = tmp_path / "ada.json"
        service_command(data_dir, "export", "ada", "--out", str(out))
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
        held = json.loads(out.read_text())
        assert held["consent"] == "paper 12/2030"
        assert held["metadata"] == SAID
        assert len(held["references"]) == 2
        for reference in held["references"]:
            assert abs(np.linalg.norm(reference["embedding"]) - 1) < 1e-5
            picture = base64.b64decode(reference["image"]["base64"])
            assert decode(picture, Limits()).shape[2] == 3
            assert reference["filename"].endswith(".jpg")
        # While the service runs, and it knows at once.
        report = json.loads(service_command(data_dir, "erase", "ada", "--prove").stdout)
        assert report["references_erased"] == 2
        assert report["left_over"] == {}
        assert report["pieces_looked_for"] > 500
        assert {"picture", "embedding", "sealed", "wrapped key", "name"} <= set(report["of"])
        assert {"semblance.sqlite3", "keys.sqlite3"} <= set(report["files_searched"])
        problem(client.get("/v1/identities/ada"), 404, "unknown_identity")
        assert answer(client.get("/v1/identities/bob"))["references"] == 1
    done = service_command(data_dir, "erase", "ada", "--prove", status=2)
    assert "No such identity" in done.stderr
    service_command(data_dir, "export", "bob", "--collection", "other", status=2)


@pytest.mark.long
def test_proof_finds_what_is_left(tmp_path: Path, faces: Faces) -> None:
    data_dir = tmp_path / "data"
    with running_service(data_dir) as url, httpx.Client(base_url=url, timeout=60) as client:
        enrolled(client, faces)
    # Somebody made a copy beside the database.
    (data_dir / "old").mkdir()
    (data_dir / "old" / "copy").write_bytes((data_dir / "semblance.sqlite3").read_bytes())
    done = service_command(data_dir, "erase", "ada", "--prove", status=1)
    left = json.loads(done.stdout)["left_over"]
    assert left["sealed"] == left["name"] == ["old/copy"]
    assert "picture" not in left  # in clear, it lies nowhere
    assert "wrapped key" not in left


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": "[1]"},
        {"metadata": "{"},
        {"metadata": json.dumps({"a": 1})},
        {"metadata": json.dumps({"": "x"})},
        {"metadata": json.dumps({str(n): "x" for n in range(17)})},
        {"metadata": json.dumps({"a": "x" * 513})},
        {"consent": "x" * 257},
    ],
)
def test_what_cannot_be_said_about_a_person(
    service_url: str, faces: Faces, fields: dict[str, str]
) -> None:
    with httpx.Client(base_url=service_url, timeout=60) as client:
        files = {"images": faces.read("obama.jpg")}
        response = client.post("/v1/enroll", data={"identity": "x", **fields}, files=files)
        problem(response, 422, "invalid_request")
        problem(client.get("/v1/identities/x"), 404, "unknown_identity")


# Retention, asked of the store in memory and of the real one


def erased(store: Store, now: datetime, **policy: int) -> list[tuple[str, str]]:
    def erase(collection: str, identity: str) -> int:
        return store.within(collection).delete_identity(identity)

    return list(erase_expired(store, Policy(**policy), erase, now))  # type: ignore[arg-type]


def test_who_is_enrolled_for_too_long_or_not_used_any_more_goes(any_store: Store) -> None:
    shop = any_store.within("shop")
    for store in (any_store, shop):
        store.enrol("ann", [new_reference("1")], limit=5)
        store.enrol("bob", [new_reference("2")], limit=5, about=About("x", {"a": "b"}))
    shop.note_use("ann")
    now = datetime.now(UTC)
    assert any_store.collections() == ["default", "shop"]
    for days in (0, 1, 400):
        assert erased(any_store, now, retention_days=days, retention_unused_days=days) == []
    assert erased(any_store, now + timedelta(days=9)) == []
    if isinstance(any_store, SqlStore):
        # As if all had been enrolled ten days ago; only one was used since.
        with any_store.engine.begin() as connection:
            then = now - timedelta(days=10)
            connection.execute(update(face_references).values(created_at=then))
        gone = erased(any_store, now, retention_unused_days=7)
        assert gone == [("default", "ann"), ("default", "bob"), ("shop", "bob")]
        assert erased(any_store, now, retention_unused_days=7) == []
        assert any_store.collections() == ["shop"]
        assert erased(any_store, now, retention_days=7) == [("shop", "ann")]
    else:
        later = now + timedelta(days=8)
        assert len(erased(any_store, later, retention_unused_days=7)) == 4
    assert any_store.collections() == []


def test_what_is_said_about_a_person_is_replaced_and_kept(any_store: Store) -> None:
    any_store.enrol("ann", [new_reference("1")], limit=5)
    assert any_store.about("ann") == About(None, {})
    any_store.enrol("ann", [new_reference("2")], limit=5, about=About("c", {"a": "é"}))
    any_store.enrol("ann", [new_reference("3")], limit=5)
    assert any_store.about("ann") == About("c", {"a": "é"})
    any_store.enrol("ann", [new_reference("3")], limit=5, about=About(None, {"b": ""}))
    assert any_store.about("ann") == About(None, {"b": ""})
