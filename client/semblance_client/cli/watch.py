"""semblance watch: judges each picture that comes into a folder.

A picture is looked at when it has the same size at two looks, one after the other:
one that is still being written is not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from semblance_client.cli.say import Said, Say, failure, identification, verification
from semblance_client.client import Client
from semblance_client.errors import Problem

SUFFIXES: Final = {
    *(".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", ".gif", ".bmp"),
}


def add_arguments(commands: Any) -> None:
    parser = commands.add_parser("watch", help="judge each picture that comes into a folder")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--identity", help="verify this one; without it: identify")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two looks")
    parser.add_argument("--once", action="store_true", help="end when all that is there was judged")


def watch(client: Client, asked: argparse.Namespace, say: Say) -> None:
    """Until it is interrupted; with --once until every picture was judged."""
    if not asked.folder.is_dir():
        raise NotADirectoryError(f"{asked.folder} is not a folder")
    for picture in _pictures(asked.folder, asked.every, once=asked.once):
        say(_judged(client, picture, asked.identity), picture.name)


def _judged(client: Client, picture: Path, identity: str | None) -> Said:
    try:
        data = picture.read_bytes()
    except FileNotFoundError:
        return failure("gone", "it was taken away before it was looked at")
    try:
        if identity is None:
            return identification(client.identify(data))
        return verification(client.verify(identity, data))
    except Problem as problem:
        return failure(problem.code, problem.detail)


def _pictures(folder: Path, every_s: float, *, once: bool) -> Iterator[Path]:
    """Each picture when it is whole; again if it changes."""
    before: dict[Path, tuple[int, int]] = {}
    judged: dict[Path, tuple[int, int]] = {}
    while True:
        now = {path: state for path in sorted(folder.iterdir()) if (state := _state(path))}
        for path, state in now.items():
            if before.get(path) == state and judged.get(path) != state:
                judged[path] = state
                yield path
        # What is gone is forgotten: a folder that is emptied now and then goes on for years.
        judged = {path: state for path, state in judged.items() if path in now}
        before = now
        if once and judged == now:
            return
        time.sleep(every_s)


def _state(path: Path) -> tuple[int, int] | None:
    """Size and time of a picture; None for anything else."""
    if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
        return None
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return (found.st_size, found.st_mtime_ns) if path.is_file() else None
