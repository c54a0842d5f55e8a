"""A store filled with synthetic identities, sealed as the service does it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from rich.progress import track
from sqlalchemy import insert

from bench.identify.people import Distractors
from service.security.vault import AesDataKey
from service.storage.data_keys import about_key, data_keys, new_key_id
from service.storage.sealing import Details, Seal
from service.storage.sql_store import SqlStore
from service.storage.tables import face_references, identities
from tests.integration.vaults import VAULT

_EACH = 4
"""References of an identity."""
_PAGE = 20_000


def fill(store: SqlStore, fingerprint: str, distractors: Distractors, count: int) -> None:
    """Puts so many references into the store as the service seals them, many at a time."""
    now = datetime.now(UTC)
    points = np.zeros((5, 2), np.float32)
    for at in track(range(0, count, _PAGE), "fill the store"):
        people: list[dict[str, Any]] = []
        rows: list[dict[str, Any]] = []
        keys: list[dict[str, Any]] = []
        for number, embedding in enumerate(distractors.drawn(min(_PAGE, count - at)), start=at):
            owner = number // _EACH + 1
            name = f"default/person {owner:08}"
            if number % _EACH == 0:
                key_id = new_key_id()
                key, wrapped = VAULT.make(about_key(data_keys, key_id))
                assert isinstance(key, AesDataKey)
                keys.append({"key_id": key_id, "wrapped": wrapped})
                people.append(
                    {"id": owner, "name": name, "created_at": now, "revision": owner}
                    | {"data_key": key_id}
                )
            reference_id = f"{number:032x}"
            seal = Seal(key, name, reference_id)
            rows.append(
                {
                    "reference_id": reference_id,
                    "identity_id": owner,
                    "content_hash": f"{number:064x}",
                    "embedding": seal.embedding(embedding),
                    "details": seal.details(Details("", points, None)),
                    "fingerprint": fingerprint,
                    "quality": 1.0,
                    "created_at": now,
                }
            )
        with store.databases.keys.begin() as connection:
            connection.execute(insert(data_keys), keys)
        with store.engine.begin() as connection:
            connection.execute(insert(identities), people)
            connection.execute(insert(face_references), rows)
