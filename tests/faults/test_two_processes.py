"""Two services on one database: what one did, the other knows at once."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.faults.client import client_of, enrol, is_verified, reference_ids, verify
from tests.faults.load import Load, check_all
from tests.faults.places import Place
from tests.integration.api_client import problem

REMEMBERED_S = 1.0
"""For so long a process may take a key for good that another has revoked."""


@pytest.mark.long
def test_what_one_process_did_the_other_knows_at_once(files: Place) -> None:
    with (
        files.service() as first,
        files.service() as second,
        client_of(first) as one,
        client_of(second) as other,
    ):
        assert first.key == second.key
        enrol(one, "ada", "obama", 0, 2).raise_for_status()
        # Twice, so that both hold what they compare with in memory.
        for client in (one, other, one, other):
            assert is_verified(client, "ada", "obama")
        gone = (reference_ids(one, "ada") or [""])[0]
        assert other.delete(f"/v1/identities/ada/references/{gone}").status_code == 204
        assert verify(one, "ada", "obama").json()["matched"] == 1
        assert one.delete("/v1/identities/ada").status_code == 200
        problem(verify(other, "ada", "obama"), 404, "unknown_identity")
        enrol(other, "ada", "biden").raise_for_status()
        assert not is_verified(one, "ada", "obama")
        assert is_verified(one, "ada", "biden", 2)
        a_revoked_key_opens_neither(files, one, other)
        loads = [Load(service, seed=n, name=f"to-{n}") for n, service in enumerate((first, second))]
        for load in loads:
            load.start()
        time.sleep(4)
        people = [person for load in loads for person in load.end().people]
        # Each asks for what the other was told.
        check_all(one, people, faces=False)
        check_all(other, people)
    files.assert_whole()
    assert "as it was written" in files.command("audit", "verify")


def a_revoked_key_opens_neither(files: Place, one: httpx.Client, other: httpx.Client) -> None:
    text = files.command("keys", "create", "--scope", "verify").strip()
    headers = {"X-API-Key": text}
    for client in (one, other):
        assert client.get("/v1/model", headers=headers).status_code == 200
    files.command("keys", "revoke", text.split("_")[1])
    time.sleep(REMEMBERED_S)
    for client in (one, other):
        problem(client.get("/v1/model", headers=headers), 401, "wrong_key")
