"""A damaged row is the trouble of one identity; all others notice nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial

import httpx
import pytest

from service.security.master_keys import KEY_BYTES, MasterKeys, new_master_key
from tests.faults.client import client_of, enrol, is_verified, reference_ids, verify
from tests.faults.places import DATABASE, Place
from tests.faults.waiting import wait_until
from tests.integration.api_client import problem
from tests.running import Service


def key_id_of(place: Place, identity: str) -> str:
    statement = "SELECT data_key FROM identities WHERE name = ?"
    ((key_id,),) = place.asked(statement, f"default/{identity}")
    return str(key_id)


def flip_a_byte_of_an_embedding(place: Place, identity: str) -> None:
    statement = """SELECT r.id, r.embedding FROM face_references r JOIN identities i
                   ON i.id = r.identity_id WHERE i.name = ? ORDER BY r.id"""
    row, sealed = place.asked(statement, f"default/{identity}")[0]
    assert isinstance(sealed, bytes)
    changed = bytearray(sealed)
    changed[len(sealed) // 2] ^= 1
    place.asked("UPDATE face_references SET embedding = ? WHERE id = ?", bytes(changed), row)


def replace_the_wrapped_key(place: Place, identity: str) -> None:
    """By that of somebody else: it opens, but not for this identity."""
    statement = "SELECT wrapped FROM data_keys WHERE key_id = ?"
    ((wrapped,),) = place.asked_of_keys(statement, key_id_of(place, "bob"))
    put_wrapped_key(place, identity, wrapped)


def wrap_under_an_unknown_master_key(place: Place, identity: str) -> None:
    unknown = MasterKeys(lambda: (b"?" * KEY_BYTES,))
    about = f"data_keys {key_id_of(place, identity)}".encode()
    put_wrapped_key(place, identity, unknown.wrap(b"k" * KEY_BYTES, about))


def put_wrapped_key(place: Place, identity: str, wrapped: object) -> None:
    statement = "UPDATE data_keys SET wrapped = ? WHERE key_id = ?"
    place.asked_of_keys(statement, wrapped, key_id_of(place, identity))


DAMAGES = {
    "flipped": flip_a_byte_of_an_embedding,
    "replaced": replace_the_wrapped_key,
    "unknown": wrap_under_an_unknown_master_key,
}


def test_damaged_identities_fail_clearly_and_all_others_work(place: Place) -> None:
    with place.service() as service, client_of(service) as client:
        for name in DAMAGES:
            enrol(client, name, "obama", 0, 1).raise_for_status()
        enrol(client, "bob", "biden").raise_for_status()
    for name, damage in DAMAGES.items():
        damage(place, name)
    # Nothing is held in memory of the time before.
    with place.service() as service, client_of(service) as client:
        for name in DAMAGES:
            for answer in (
                verify(client, name, "obama"),
                client.get(f"/v1/identities/{name}"),
                enrol(client, name, "obama", 2),
            ):
                said = problem(answer, 500, "damaged_data")["instance"]
                wait_until(partial(is_logged, service, said), limit_s=10)
        assert is_verified(client, "bob", "biden", 3)
        assert len(client.get("/v1/identities").json()["identities"]) == 1 + len(DAMAGES)
        assert client.get("/readyz").status_code == 200
        others_enrol(client)
        assert_said_once(service)
        # They can be erased, and enrolled again.
        for name in DAMAGES:
            assert client.delete(f"/v1/identities/{name}").json()["references"] == 2
            assert enrol(client, name, "obama").status_code == 201
            assert is_verified(client, name, "obama")
    place.assert_whole()
    assert "as it was written" in place.command("audit", "verify")


def is_logged(service: Service, request_id: str) -> bool:
    """Its lines come by way of another thread than its answers."""
    return any(f"request {request_id}: " in line for line in service.output)


def others_enrol(client: httpx.Client) -> None:
    """The search for conflicts goes on, over all that can be read."""
    assert enrol(client, "eve", "astronaut").json()["conflicts"] == []
    answer = enrol(client, "mallory", "biden", 2)
    assert answer.status_code == 201
    (conflict,) = answer.json()["conflicts"]
    assert conflict["kind"] == "like_another_identity"
    assert len(reference_ids(client, "bob") or ()) == 1


def assert_said_once(service: Service) -> None:
    said = "cannot be read, and no new picture"
    wait_until(lambda: any(said in line for line in service.output), limit_s=10)
    (line,) = (line for line in service.output if said in line)
    # One of two whose byte was flipped, both of those whose key is damaged.
    assert "5 stored references" in line
    assert "rows 1, 3, 4, 5, 6 of face_references" in line
    assert not any(name in line for name in DAMAGES)


def test_another_master_key_is_refused_in_one_line(place: Place) -> None:
    with place.service() as service, client_of(service) as client:
        enrol(client, "ada", "obama").raise_for_status()
    other = new_master_key()
    said = refusal(replace(place, settings={**place.settings, "master_key": other}))
    assert said == "error: the data were encrypted under another master key"
    assert other not in said
    with place.service() as service, client_of(service) as client:
        assert is_verified(client, "ada", "obama")


def test_a_file_that_is_no_database_is_refused_in_one_line(files: Place) -> None:
    with files.service() as service, client_of(service) as client:
        enrol(client, "ada", "obama").raise_for_status()
    database = files.data_dir / DATABASE
    good = database.with_name("good")
    shutil.move(database, good)
    damaged = b"no database" * 1000
    database.write_bytes(damaged)
    assert refusal(files) == "error: The storage cannot be used at the moment."
    assert database.read_bytes() == damaged
    shutil.move(good, database)
    with files.service() as service, client_of(service) as client:
        assert is_verified(client, "ada", "obama")


def refusal(place: Place) -> str:
    with pytest.raises(RuntimeError) as refused, place.service():
        pass
    _, line = str(refused.value).splitlines()
    return line
