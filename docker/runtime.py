"""Makes the root of the service's image: Python and the libraries it needs, no more.

No shell, no package manager, nothing with rights of its own: what is not named here
is not there. Run by the build with the environment's Python.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path("/image")
# Of the standard library: what installs, tests, or needs a screen.
LEFT_OUT = shutil.ignore_patterns(
    "ensurepip", "idlelib", "lib2to3", "test", "tests", "tkinter", "turtledemo", "turtle.py",
    "pydoc_data", "config-*", "site-packages", "dist-packages", "__pycache__", "sitecustomize.py",
)  # fmt: skip
FILES = (Path("/etc/ld.so.cache"), Path("/etc/ssl/certs/ca-certificates.crt"))
WRITTEN = {
    "passwd": "root:x:0:0::/nonexistent:/usr/sbin/nologin\n"
    "semblance:x:10001:10001::/app:/usr/sbin/nologin\n",
    "group": "root:x:0:\nsemblance:x:10001:\n",
    "nsswitch.conf": "hosts: files dns\n",
}


def copy(path: Path) -> None:
    """A file to the same place below the root, and what it is a link to."""
    # Debian's /lib is a link to /usr/lib: links of folders are made by themselves.
    path = path.parent.resolve() / path.name
    there = ROOT / path.relative_to("/")
    if there.is_symlink() or there.exists():
        return
    there.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, there, follow_symlinks=False)
    if path.is_symlink():
        copy(path.parent / path.readlink())


def libraries(*folders: Path) -> set[Path]:
    """What Python and the extension modules in these folders are linked against."""
    modules = [file for folder in folders for file in folder.rglob("*.so*") if file.is_file()]
    # It ends with 1 where one of them is no such file; the others are told all the same.
    said = _said("ldd", sys.executable, *map(str, modules))
    if missing := set(re.findall(r"(\S+) => not found", said)):
        print(f"not on this machine: {', '.join(sorted(missing))}")
    return {Path(name) for name in re.findall(r"(/\S+) \(0x", said)}


def note_packages(paths: set[Path]) -> None:
    """Says where scanners look which versions of Debian's packages these files came with."""
    names = set()
    for path in paths:
        # Debian knows a file by the name that it had before /lib became a link.
        for known in (path.resolve(), Path("/", *path.resolve().parts[2:])):
            owner = _said("dpkg-query", "--search", str(known)).partition(": ")[0]
            names |= set(owner.split(", ")) - {""}
    folder = ROOT / "var" / "lib" / "dpkg" / "status.d"
    folder.mkdir(parents=True)
    for name in sorted(names):
        (folder / name.replace(":", "_")).write_text(_said("dpkg-query", "--status", name))


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def main() -> None:
    """Makes the root."""
    standard, environment = Path(sysconfig.get_path("stdlib")), Path(sys.prefix)
    for name in ("bin", "sbin", "lib", "lib64"):
        folder = Path("/", name)
        if folder.is_symlink():
            (ROOT / folder.readlink()).mkdir(parents=True, exist_ok=True)
            (ROOT / name).symlink_to(folder.readlink())
    shutil.copytree(
        standard, ROOT / standard.relative_to("/"), ignore=LEFT_OUT, symlinks=True,
        ignore_dangling_symlinks=True,
    )  # fmt: skip
    needed = {library for library in libraries(standard, environment) if library.exists()}
    # Opened by name when a thread ends.
    needed |= set(Path("/usr/lib").glob("*-linux-gnu/libgcc_s.so.1"))
    needed = {path for path in needed if not path.resolve().is_relative_to(environment)}
    for path in needed:
        copy(path)
    # From the link in the environment on, along all the names that Python goes by.
    interpreter = environment / "bin" / "python"
    while interpreter.is_symlink():
        interpreter = interpreter.parent / interpreter.readlink()
        if not interpreter.is_relative_to(environment):
            copy(interpreter)
    note_packages(needed | {interpreter})
    for path in FILES:
        copy(path)
    for name, lines in WRITTEN.items():
        (ROOT / "etc" / name).write_text(lines)
    (ROOT / "tmp").mkdir()
    (ROOT / "tmp").chmod(0o1777)
    for file in ROOT.rglob("*"):
        if file.is_file() and not file.is_symlink():
            file.chmod(file.stat().st_mode & 0o755)


if __name__ == "__main__":
    main()
