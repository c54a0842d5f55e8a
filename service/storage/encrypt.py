"""Encrypts what an older version stored in clear; done once, at a start."""

from __future__ import annotations

import logging

import numpy as np
from sqlalchemy import Connection, Engine, select, update

from service.storage.data_keys import DataKeys, new_key_id
from service.storage.engines import WRITES, run_bare
from service.storage.erasure import empty_log
from service.storage.sealing import Details, Seal, image_digest
from service.storage.tables import face_references, identities, reference_images

_log = logging.getLogger(__name__)


def encrypt_plain(engine: Engine, keys: DataKeys) -> int:
    """Seals all identities that have no key yet; answers how many.

    One identity, one transaction: a start that was stopped in the middle goes on where
    it was. Two processes may do it at once.
    """
    count = 0
    while _encrypt_next(engine, keys):
        count += 1
    if count:
        _log.info("encrypted what %d identities have stored", count)
        if engine.dialect.name == "sqlite":
            # What was in clear is still in free pages, and in the log.
            run_bare(engine, "VACUUM")
            empty_log(engine)
    return count


def _encrypt_next(engine: Engine, keys: DataKeys) -> bool:
    with engine.execution_options(**WRITES).begin() as connection:
        row = connection.execute(
            select(identities.c.id, identities.c.name)
            .where(identities.c.data_key.is_(None))
            .limit(1)
        ).one_or_none()
        if row is None:
            return False
        key_id = new_key_id()
        key = keys.make(key_id)
        references = connection.execute(
            select(
                face_references.c.id,
                face_references.c.reference_id,
                face_references.c.content_hash,
                face_references.c.embedding,
                face_references.c.details,
                face_references.c.filename,
            ).where(face_references.c.identity_id == row.id)
        ).all()
        for found in references:
            seal = Seal(key, row.name, found.reference_id)
            details = Details(found.content_hash, _array(found.details, (5, 2)), found.filename)
            connection.execute(
                update(face_references)
                .where(face_references.c.id == found.id)
                .values(
                    content_hash=image_digest(key, found.content_hash),
                    embedding=seal.embedding(_array(found.embedding, (-1,))),
                    details=seal.details(details),
                    filename=None,
                )
            )
            _encrypt_image(connection, found.id, seal)
        connection.execute(
            update(identities).where(identities.c.id == row.id).values(data_key=key_id)
        )
        return True


def _encrypt_image(connection: Connection, number: int, seal: Seal) -> None:
    named = reference_images.c.id == number
    data = connection.scalar(select(reference_images.c.data).where(named))
    if data is not None:
        connection.execute(update(reference_images).where(named).values(data=seal.image(data)))


def _array(data: bytes, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(data, dtype="<f4").astype(np.float32).reshape(shape)
