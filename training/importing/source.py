"""The file that a user gives: what it is, its SHA-256, the network in it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from model.artifact import sha256_of
from training.importing.network import ImportedNetworkError, Network

_KINDS = "an .onnx file, a .keras file or a SavedModel folder"


def read_network(path: Path, size: tuple[int, int] | None, output: str | None) -> Network:
    """The network in a file or folder.

    Args:
        size: (height, width) of the pictures, where the file leaves it open.
        output: Name of the output that is the embedding, where there are several.

    Raises:
        ImportedNetworkError: If it is none, or none that can be used.
    """
    if path.is_dir():
        from training.importing.saved_model_folder import read_saved_model

        return read_saved_model(path, size, output)
    if not path.is_file():
        raise ImportedNetworkError(f"expected {_KINDS}, found nothing at '{path.name}'")
    if path.suffix == ".onnx":
        from training.importing.onnx_file import read_onnx

        return read_onnx(path, size, output)
    if path.suffix == ".keras":
        from training.importing.keras_file import read_keras

        return read_keras(path, size, output)
    raise ImportedNetworkError(f"expected {_KINDS}, found '{path.name}'")


def sha256_of_network(path: Path) -> str:
    """SHA-256, hex: of a file's bytes; of a folder's files, each by name and sum."""
    if path.is_file():
        return sha256_of(path)
    digest = hashlib.sha256()
    for item in sorted(path.rglob("*")):
        if item.is_file():
            line = f"{item.relative_to(path).as_posix()} {sha256_of(item)}\n"
            digest.update(line.encode())
    return digest.hexdigest()
