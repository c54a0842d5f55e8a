"""What an identity takes on the disk, in SQLite and in PostgreSQL, and what reading it costs.

    python -m bench.footprint [--identities N] [--references M]

Pictures are as large as the crop that is kept of a webcam's frame, embeddings as long as
the default model's; both are sealed, so that what is in them makes no difference.
"""

from __future__ import annotations

import argparse
import hashlib
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from bench.speed.pictures import Pictures
from model.artifact import read_artifact
from model.contract import Manifest
from model.faces import Detector
from model.image import Limits, decode
from service.core.keep import kept_image
from service.core.ports import NewReference
from service.security.master_keys import KEY_BYTES, MasterKeys
from service.security.vault import AesVault
from service.storage.databases import Place
from service.storage.open_store import open_store
from service.storage.sql_store import SqlStore
from tests.postgres import running_server

_ASKED = 2000
_NO_LIMITS = Limits(2**31, 2**31, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artifact", type=Path, default=Path("models/fused"))
    parser.add_argument("--identities", type=int, default=5000)
    parser.add_argument("--references", type=int, default=3)
    chosen = parser.parse_args()
    artifact = read_artifact(chosen.artifact)
    master_key = secrets.token_bytes(KEY_BYTES)
    vault = AesVault(MasterKeys(lambda: (master_key,)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        picture_bytes = _crop_bytes(folder, Detector(artifact.detector))
        print(
            f"{chosen.identities} identities of {chosen.references} references; pictures of "
            f"{picture_bytes} bytes, embeddings of {artifact.manifest.embedding_size} numbers\n"
        )
        print("| store | enrolled a second | bytes an identity | revision and standing, us |")
        print("| --- | --- | --- | --- |")
        with closing(open_store(Place(folder / "sqlite"), vault)) as store:
            rate = _fill(store, artifact.manifest, chosen, picture_bytes)
            asked_us = _asked_us(store)
        files = sum(path.stat().st_size for path in (folder / "sqlite").iterdir())
        _say("SQLite", rate, files / chosen.identities, asked_us)
        with running_server() as server:
            address = server.new_database()
            with closing(open_store(Place(folder, address), vault)) as store:
                rate = _fill(store, artifact.manifest, chosen, picture_bytes)
                asked_us = _asked_us(store)
            database = address.rpartition("/")[2]
            server.execute("VACUUM", database)
            ((size,),) = server.execute(f"SELECT pg_database_size('{database}')")
            ((empty,),) = server.execute("SELECT pg_database_size('template1')")
            assert isinstance(size, int)
            assert isinstance(empty, int)
            _say("PostgreSQL", rate, (size - empty) / chosen.identities, asked_us)


def _say(name: str, rate: float, each: float, asked_us: float) -> None:
    print(f"| {name} | {rate:.0f} | {each:,.0f} | {asked_us:.0f} |", flush=True)


def _crop_bytes(folder: Path, detector: Detector) -> int:
    """Of the crop that is kept of a frame of 640 x 480."""
    data = Pictures(folder, detector).read("640 x 480")
    image = decode(data, _NO_LIMITS)
    (face,) = detector.detect(image)
    kept = kept_image("crop", data, image, face).data
    assert kept is not None
    return len(kept)


def _fill(
    store: SqlStore, manifest: Manifest, chosen: argparse.Namespace, picture_bytes: int
) -> float:
    """Identities enrolled a second, by one caller."""
    noise = np.random.default_rng(0)
    begun = time.perf_counter()
    for number in range(chosen.identities):
        new = [
            NewReference(
                content_hash=hashlib.sha256(f"{number} {which}".encode()).hexdigest(),
                embedding=noise.random(manifest.embedding_size, np.float32),
                fingerprint=manifest.fingerprint,
                image=noise.bytes(picture_bytes),
                image_type="image/jpeg",
                landmarks=np.zeros((5, 2), np.float32),
                quality=0.9,
                filename="frame.jpg",
            )
            for which in range(chosen.references)
        ]
        store.enrol(f"person {number}", new, limit=100)
    took_s = time.perf_counter() - begun
    return float(chosen.identities / took_s)


def _asked_us(store: SqlStore) -> float:
    """Median of what each verification asks, whose references are in memory already."""

    def ask(number: int) -> None:
        store.revision(f"person {number}")
        store.standing(f"person {number}")

    return statistics.median(_timed(ask, number % 500) for number in range(_ASKED)) * 1e6


def _timed(ask: Callable[[int], None], number: int) -> float:
    begun = time.perf_counter()
    ask(number)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
