"""API keys in an SQL database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, select, update

from service.core.access import ApiKey, check_scopes
from service.storage.engines import WRITES
from service.storage.faults import translated
from service.storage.insertion import insertion
from service.storage.tables import api_keys, key_usage


class SqlKeys:
    """`service.core.access.KeyStore` over a migrated database; raises as `SqlStore` does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing_engine = engine.execution_options(**WRITES)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translated(), self._writing_engine.begin() as connection:
            yield connection

    def add_key(self, key: ApiKey) -> None:
        values = {
            name: getattr(key, name)
            for name in (column.name for column in api_keys.columns)
            if name not in ("id", "scopes")
        }
        with self._writing() as connection:
            scopes = " ".join(sorted(key.scopes))
            connection.execute(insert(api_keys).values(**values, scopes=scopes))

    def key(self, key_id: str) -> ApiKey | None:
        with translated(), self._engine.begin() as connection:
            row = connection.execute(
                select(api_keys).where(api_keys.c.key_id == key_id)
            ).one_or_none()
        return None if row is None else _to_key(row)

    def all_keys(self) -> list[ApiKey]:
        with translated(), self._engine.begin() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.id))
            return [_to_key(row) for row in rows]

    def revoke_key(self, key_id: str, at: datetime) -> bool:
        with self._writing() as connection:
            changed = connection.execute(
                update(api_keys)
                .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=at)
            )
            return changed.rowcount == 1

    def count_requests(self, key_id: str, day: str, requests: int) -> int:
        if not requests:
            named = (key_usage.c.key_id == key_id, key_usage.c.day == day)
            with translated(), self._engine.begin() as connection:
                return connection.scalar(select(key_usage.c.requests).where(*named)) or 0
        with self._writing() as connection:
            added = insertion(connection, key_usage).values(
                key_id=key_id, day=day, requests=requests
            )
            total: int = connection.execute(
                added.on_conflict_do_update(
                    index_elements=["key_id", "day"],
                    set_={"requests": key_usage.c.requests + added.excluded.requests},
                ).returning(key_usage.c.requests)
            ).scalar_one()
            return total


def _to_key(row: Row[Any]) -> ApiKey:
    values = dict(row._mapping)
    del values["id"]
    return ApiKey(**values | {"scopes": check_scopes(values["scopes"].split())})
