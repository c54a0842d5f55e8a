"""Write and read an artifact: a folder with a SavedModel, a detector, a manifest.

The manifest is written last and the folder takes its name in one step, so a
folder under its final name is whole. Reading checks every byte against the
manifest and says what was expected and what was found.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from model.contract import MANIFEST_VERSION, Manifest
from model.errors import SemblanceError
from model.signatures import read_shapes, shape_fault

MANIFEST_NAME = "manifest.json"
SAVED_MODEL_NAME = "saved_model.pb"

AnyManifest = TypeVar("AnyManifest", bound=BaseModel)


class ArtifactError(SemblanceError):
    """An artifact cannot be used; the text says what was expected and found."""


@dataclass(frozen=True)
class Artifact:
    """A checked artifact on disk."""

    folder: Path
    manifest: Manifest

    @property
    def saved_model(self) -> Path:
        return self.folder / self.manifest.saved_model

    @property
    def detector(self) -> Path:
        return self.folder / self.manifest.detector

    def check_files(self) -> None:
        """Raises ArtifactError unless every file is there and as the manifest says."""
        for name, expected in self.manifest.files.items():
            check_file(self.folder / name, name, expected)


def write_artifact(
    folder: Path, fill: Callable[[Path], None], promise: Mapping[str, Any]
) -> Artifact:
    """Makes an artifact, replacing one that is there; all or nothing.

    Args:
        folder: Its final place.
        fill: Writes the files into the (temporary) folder it is given.
        promise: The manifest's fields without `manifest_version` and `files`.

    Raises:
        ArtifactError: If the written files and the promise disagree.
    """

    def manifest_of(files: Mapping[str, str]) -> Manifest:
        return _parse({"manifest_version": MANIFEST_VERSION, **promise, "files": files})

    return Artifact(folder, write_folder(folder, fill, manifest_of, read_artifact))


def read_artifact(folder: Path) -> Artifact:
    """The artifact in `folder`, every byte checked.

    Raises:
        ArtifactError: If the folder or a file is missing, a byte was changed, the
            manifest is of another version, or a shape is wrong.
    """
    content = read_manifest(
        folder, "expected an artifact", "make one with: python -m training build"
    )
    manifest = _parse(content)
    for name in (manifest.detector, f"{manifest.saved_model}/{SAVED_MODEL_NAME}"):
        if name not in manifest.files:
            raise ArtifactError(f"expected '{name}' among the manifest's files, found it missing")
    artifact = Artifact(folder, manifest)
    artifact.check_files()
    _check_shapes(artifact)
    return artifact


def _check_shapes(artifact: Artifact) -> None:
    try:
        shapes = read_shapes(artifact.saved_model / SAVED_MODEL_NAME)
    except ValueError as error:
        raise ArtifactError(
            f"expected a SavedModel in '{SAVED_MODEL_NAME}', found something else: {error}"
        ) from error
    fault = shape_fault(artifact.manifest, shapes)
    if fault is not None:
        raise ArtifactError(fault)


def write_folder(
    folder: Path,
    fill: Callable[[Path], None],
    manifest_of: Callable[[Mapping[str, str]], AnyManifest],
    read: Callable[[Path], object],
) -> AnyManifest:
    """Makes a folder with a manifest, replacing one that is there; all or nothing.

    Args:
        fill: Writes the files into the (temporary) folder it is given.
        manifest_of: The manifest, given the SHA-256 of each file by its path.
        read: Raises if what was written is no good.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        fill(staging)
        manifest = manifest_of({name: sha256_of(staging / name) for name in _files_below(staging)})
        text = manifest.model_dump_json(indent=2) + "\n"
        (staging / MANIFEST_NAME).write_text(text, encoding="utf-8")
        read(staging)
        staging.chmod(0o755)
        _put_in_place(staging, folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return manifest


def read_manifest(folder: Path, expected: str, advice: str) -> object:
    """What a folder's manifest holds, as JSON.

    Args:
        expected: What the text begins with if there is none, such as "expected an artifact".
        advice: What it ends with.

    Raises:
        ArtifactError: If there is none, or it is no JSON.
    """
    path = folder / MANIFEST_NAME
    if not path.is_file():
        raise ArtifactError(
            f"{expected} with {MANIFEST_NAME}, found none in '{folder.name}'; {advice}"
        )
    try:
        content: object = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtifactError(f"expected JSON in {MANIFEST_NAME}, found: {error}") from error
    return content


def check_file(path: Path, name: str, expected: str) -> None:
    """Raises ArtifactError unless the file is there and has this SHA-256.

    Args:
        name: What the text calls it.
    """
    if not path.is_file():
        raise ArtifactError(f"expected the file '{name}', found nothing there")
    found = sha256_of(path)
    if found != expected:
        raise ArtifactError(f"'{name}' was changed: expected SHA-256 {expected}, found {found}")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parse(content: object) -> Manifest:
    version = content.get("manifest_version") if isinstance(content, dict) else None
    if version != MANIFEST_VERSION:
        raise ArtifactError(
            f"expected manifest version {MANIFEST_VERSION}, found {version!r}; "
            "build the artifact again with this version of the project"
        )
    try:
        return Manifest.model_validate_json(json.dumps(content))
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}, "
            f"found {_short(item['input'])}"
            for item in error.errors()
        ]
        raise ArtifactError(f"the manifest is not valid: {'; '.join(lines)}") from error


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _files_below(folder: Path) -> list[str]:
    """Paths of all files below a folder, in order."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def _put_in_place(staging: Path, folder: Path) -> None:
    """Gives `staging` the name `folder`; what had it is removed afterwards."""
    old = None
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
        os.replace(folder, old / folder.name)
    os.replace(staging, folder)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
