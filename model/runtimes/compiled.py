"""Compiled networks, kept on disk from one start to the next.

Reading a SavedModel and compiling it takes seconds and, for that while, hundreds of
megabytes; what came of it is read back in a fraction of both
(docs/decisions/0016-compiled-networks.md). A kept network is used only by the same
OpenVINO on the same kind of CPU, for the same file and options, and only if none of
its bytes has changed; else it is compiled again.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import openvino as ov

MOST_KEPT = 40
_ENDING = ".network"
_DIGEST_BYTES = 32

# One more whenever code that reads a network makes another of the same file.
_READ_AS = 1

# What is kept is the same network however many cores it will be run on.
_HOW_RUN = ("NUM_STREAMS", "INFERENCE_NUM_THREADS")

Config = Mapping[str, str]


class CompiledNetworks:
    """Compiles networks, or reads those it compiled before.

    Args:
        folder: Where they are kept; made if absent. None keeps nothing.
        most: Kept networks; of more, those go that were used longest ago.
    """

    def __init__(self, folder: Path | None = None, most: int = MOST_KEPT) -> None:
        self._folder, self._most = folder, most
        self._core = ov.Core()

    def compiled(
        self, about: tuple[str, ...], config: Config, read: Callable[[ov.Core], ov.Model]
    ) -> ov.CompiledModel:
        """A network for the CPU.

        Args:
            about: All that tells it from others, such as the digest of its file.
            read: Makes the network, if it must be compiled.
        """
        kept = None if self._folder is None else self._folder / self._name(about, config)
        if kept is not None:
            found = self._read(kept, config)
            if found is not None:
                return found
        network = self._core.compile_model(read(self._core), "CPU", dict(config))
        if kept is not None:
            # Without a place to write to, the next start is slower, and that is all.
            with contextlib.suppress(OSError, RuntimeError):
                _write(kept, network, self._most)
        return network

    def _name(self, about: tuple[str, ...], config: Config) -> str:
        device = self._core.get_property("CPU", "FULL_DEVICE_NAME")
        able = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        made_for = sorted(item for item in config.items() if item[0] not in _HOW_RUN)
        facts = [_READ_AS, about, made_for, ov.__version__, device, sorted(able)]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32] + _ENDING

    def _read(self, path: Path, config: Config) -> ov.CompiledModel | None:
        """None if it is not there, was changed, or is none that this OpenVINO can read."""
        try:
            content = path.read_bytes()
        except OSError:
            return None
        digest, exported = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(exported).digest() != digest:
            return None
        try:
            network = self._core.import_model(io.BytesIO(exported), "CPU", dict(config))
        except RuntimeError:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return network


_otherwise: CompiledNetworks | None = None


def keep_compiled(folder: Path, most: int = MOST_KEPT) -> None:
    """Has `networks_otherwise` keep them here from now on: for a program's start to call."""
    global _otherwise  # noqa: PLW0603  # one a process
    _otherwise = CompiledNetworks(folder, most)


def networks_otherwise() -> CompiledNetworks:
    """For who was given none: those of the process, or new ones, which keep nothing."""
    return _otherwise or CompiledNetworks()


def _write(path: Path, network: ov.CompiledModel, most: int) -> None:
    """Under its name only when whole; of the networks that are there, the oldest go."""
    stream = io.BytesIO()
    network.export_model(stream)
    exported = stream.getvalue()
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(exported).digest() + exported)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    kept = sorted(path.parent.glob(f"*{_ENDING}"), key=lambda one: one.stat().st_mtime)
    for old in kept[:-most]:
        old.unlink(missing_ok=True)
