"""How long backup, restore and migrate-store take: `python -m bench.storage`.

Fills a store with references of real size: embeddings as long as the default model's,
and crops as they are kept of webcam pictures, each with noise of its own. Then the
commands run as an operator runs them, in processes of their own, with a real PostgreSQL
beside them whose commits wait for the disk.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from bench.speed.pictures import Pictures
from model.artifact import Artifact, read_artifact
from model.faces import Detector
from model.image import Limits, decode
from model.types import AnyArray, Image
from service.core.keep import kept_image
from service.core.ports import NewReference
from service.opening import opened
from service.settings import Settings
from tests.postgres import running_server

_OF_ONE = 5
_NOISE = 2.0
_SHIFTS = 128
_SIZE = "640 x 480"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--references", type=int, default=10_000, help=f"at most {_SHIFTS**2}")
    parser.add_argument("--artifact", type=Path, default=Path("models/fused"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running_server() as server:
        folder = Path(name)
        source, file = folder / "source", folder / "file"
        begun = time.perf_counter()
        picture_bytes = fill(source, read_artifact(options.artifact), options.references)
        print(
            f"{options.references:,} references of {options.references // _OF_ONE:,} identities, "
            f"pictures of {picture_bytes / 1000:.1f} kB in the mean, enrolled in "
            f"{time.perf_counter() - begun:.0f} s"
        )
        database, second = server.new_database(), server.new_database()
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "master.key").write_bytes((source / "master.key").read_bytes())
        print("| command | seconds |\n|---|---|")
        for what, data_dir, address, arguments in (
            ("backup of SQLite", source, None, ["backup", f"{file}-1"]),
            ("`restore --check`", source, None, ["restore", "--check", f"{file}-1"]),
            ("restore into SQLite", elsewhere, None, ["restore", f"{file}-1"]),
            ("restore into PostgreSQL", source, second, ["restore", f"{file}-1"]),
            ("migrate-store to PostgreSQL", source, None, ["migrate-store", "--to", database]),
            ("backup of PostgreSQL", source, database, ["backup", f"{file}-2"]),
            (
                "migrate-store to SQLite",
                source,
                database,
                ["migrate-store", "--to", f"sqlite:{folder / 'back'}"],
            ),
        ):
            print(f"| {what} | {timed(data_dir, address, arguments):.1f} |", flush=True)
        print(f"the file has {Path(f'{file}-1').stat().st_size / 1e6:,.0f} MB")


def fill(data_dir: Path, artifact: Artifact, references: int) -> float:
    """Enrols them; answers the mean size of a stored picture, in bytes."""
    crop = _crop(artifact)
    random = np.random.default_rng(20260131)
    height, width, _ = crop.shape
    noise = random.normal(0, _NOISE, (height + _SHIFTS, width + _SHIFTS, 3))
    sizes = []
    with closing(opened(Settings.model_validate({"data_dir": data_dir}))) as found:
        for number in range(references // _OF_ONE):
            new = [
                _reference(
                    # No two of the same place: no two pictures alike.
                    crop + noise[at // _SHIFTS :, at % _SHIFTS :][:height, :width],
                    artifact.manifest.embedding_size,
                    random,
                )
                for at in range(number * _OF_ONE, (number + 1) * _OF_ONE)
            ]
            found.store.enrol(f"person {number}", new, limit=_OF_ONE)
            sizes += [len(one.image or b"") for one in new]
    return float(np.mean(sizes))


def timed(data_dir: Path, address: str | None, arguments: list[str]) -> float:
    """Seconds that a command took, from its start to its end."""
    environment = os.environ | {"SEMBLANCE_DATA_DIR": str(data_dir)}
    if address is not None:
        environment["SEMBLANCE_DATABASE"] = address
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{arguments[0]} failed: {done.stderr}")
    return time.perf_counter() - begun


def _crop(artifact: Artifact) -> Image:
    """What is kept of a portrait in a webcam's frame; RGB, uint8."""
    detector = Detector(artifact.detector)
    with tempfile.TemporaryDirectory() as name:
        data = Pictures(Path(name), detector).read(_SIZE)
    image = decode(data, Limits())
    (face,) = detector.detect(image)
    kept = kept_image("crop", data, image, face).data
    assert kept is not None
    return decode(kept, Limits())


def _reference(crop: AnyArray, length: int, random: np.random.Generator) -> NewReference:
    noisy = np.clip(crop, 0, 255).astype(np.uint8)
    # As `service.core.keep` encodes it.
    _, encoded = cv2.imencode(
        ".jpg",
        cv2.cvtColor(noisy, cv2.COLOR_RGB2BGR),
        [
            cv2.IMWRITE_JPEG_QUALITY,
            95,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        ],
    )
    embedding = random.normal(size=length).astype(np.float32)
    data = encoded.tobytes()
    return NewReference(
        content_hash=hashlib.sha256(data).hexdigest(),
        embedding=embedding / np.linalg.norm(embedding),
        fingerprint="bench",
        image=data,
        image_type="image/jpeg",
        landmarks=random.uniform(0, 300, (5, 2)).astype(np.float32),
        quality=0.9,
        filename="picture.jpg",
    )


if __name__ == "__main__":
    main()
