"""Whether what a stream brings can be used: every key unwraps, every sealed piece opens.

Keeps the keys of some identities at a time only; `reading` sends them in such an order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from service.core.errors import DamagedData
from service.core.secrecy import DataKey, MasterKeyError, Vault
from service.storage.audit_chain import KEY_NAME
from service.storage.audit_tables import audit_head, audit_log
from service.storage.data_keys import KEY_GONE, about_key, data_keys, service_keys
from service.storage.people import sealed_as
from service.storage.sealing import Seal, image_digest
from service.storage.tables import face_references, identities, reference_images
from service.storage.transfer.batches import Batch
from service.storage.transfer.chain import Chain

_MOST_TOLD: Final = 10

Look = Callable[[dict[str, Any]], None]


class Checker:
    """Looks at each batch of a stream.

    Attributes:
        faults: What is wrong, in words: of whom and what. Of many, the first ones.
        count: How many faults there are.
        audit_key: The key of the audit log, once the stream has brought it.
    """

    def __init__(self, vault: Vault) -> None:
        self.faults: list[str] = []
        self.count = 0
        self.audit_key: DataKey | None = None
        self._vault = vault
        self._chain: Chain | None = None
        self._keys: dict[str, DataKey] = {}
        self._owners: dict[int, tuple[str, DataKey]] = {}
        self._seals: dict[int, Seal] = {}
        self._looks: dict[str, Look] = {
            service_keys.name: self._service_key,
            data_keys.name: self._data_key,
            identities.name: self._identity,
            face_references.name: self._reference,
            reference_images.name: self._picture,
            audit_head.name: self._audit_head,
            audit_log.name: self._audit_row,
        }

    def see(self, batch: Batch) -> None:
        look = self._looks.get(batch.table.name)
        if look is None:
            return
        if batch.table is data_keys:
            # The pieces of the identities before have all been seen.
            for held in (self._keys, self._owners, self._seals):
                held.clear()
        columns = [column.name for column in batch.table.columns]
        for values in batch.rows:
            look(dict(zip(columns, values, strict=True)))

    def end(self) -> None:
        """To be called when the stream is over."""
        if self.audit_key is None:
            self.tell("the key of the audit log is missing")
        elif self._chain is not None and (fault := self._chain.end()):
            self.tell(fault)

    def tell(self, fault: str) -> None:
        self.count += 1
        if len(self.faults) < _MOST_TOLD:
            self.faults.append(fault)

    def _service_key(self, row: dict[str, Any]) -> None:
        try:
            key = self._vault.unwrap(row["wrapped"], about_key(service_keys, row["key_id"]))
        except MasterKeyError as error:
            self.tell(f"the service's key '{row['key_id']}': {error}")
            return
        if row["key_id"] == KEY_NAME:
            self.audit_key, self._chain = key, Chain(key)

    def _data_key(self, row: dict[str, Any]) -> None:
        try:
            self._keys[row["key_id"]] = self._vault.unwrap(
                row["wrapped"], about_key(data_keys, row["key_id"])
            )
        except MasterKeyError as error:
            self.tell(f"data key {row['key_id']}: {error}")

    def _identity(self, row: dict[str, Any]) -> None:
        name, key = row["name"], self._keys.get(row["data_key"])
        if key is None:
            self.tell(f"identity '{name}': {KEY_GONE}")
            return
        self._owners[row["id"]] = name, key
        if row["details"] is not None:
            self._opens(f"identity '{name}'", lambda: key.open(row["details"], sealed_as(name)))

    def _reference(self, row: dict[str, Any]) -> None:
        if row["identity_id"] not in self._owners:  # which was told
            return
        name, key = self._owners[row["identity_id"]]
        seal = self._seals[row["id"]] = Seal(key, name, row["reference_id"])
        whose = f"identity '{name}', reference {row['reference_id']}"
        self._opens(f"{whose}, embedding", lambda: seal.opened_embedding(row["embedding"]))
        details = self._opens(f"{whose}, details", lambda: seal.opened_details(row["details"]))
        if details and image_digest(key, details.content_hash) != row["content_hash"]:
            self.tell(f"{whose}: the hash of its picture was changed")

    def _picture(self, row: dict[str, Any]) -> None:
        seal = self._seals.get(row["id"])
        if seal is not None:
            whose = f"identity '{seal.identity}', reference {seal.reference_id}, picture"
            self._opens(whose, lambda: seal.opened_image(row["data"]))

    def _audit_head(self, row: dict[str, Any]) -> None:
        if self._chain is not None:
            self._chain.head(row)

    def _audit_row(self, row: dict[str, Any]) -> None:
        if self._chain is not None:
            self._chain.row(tuple(row.values()))

    def _opens(self, whose: str, opening: Callable[[], Any]) -> Any:
        """What it opens to; None if it does not, which is told."""
        try:
            return opening()
        except DamagedData as error:
            self.tell(f"{whose}: {error}")
            return None
