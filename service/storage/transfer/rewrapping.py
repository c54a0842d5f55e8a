"""A stream whose keys are all wrapped by the newest master key: one opens all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from service.core.secrecy import MasterKeyError, Vault
from service.storage.data_keys import about_key, data_keys, service_keys
from service.storage.transfer.batches import Batch


def rewrapped(stream: Iterable[Batch], vault: Vault) -> Iterator[Batch]:
    """The same stream; a key that does not unwrap stays as it is."""
    for batch in stream:
        if batch.table in (data_keys, service_keys):
            yield Batch(batch.table, [_row(batch, vault, *row) for row in batch.rows])
        else:
            yield batch


def _row(batch: Batch, vault: Vault, key_id: str, wrapped: bytes) -> tuple[str, bytes]:
    try:
        return key_id, vault.rewrapped(wrapped, about_key(batch.table, key_id)) or wrapped
    except MasterKeyError:
        return key_id, wrapped
