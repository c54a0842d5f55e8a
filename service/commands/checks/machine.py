"""Is the machine fit: CPU, memory, disk, open files, user."""

from __future__ import annotations

import os
import platform
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from service.commands.checks.finding import Finding, fail, ok, warn
from service.settings import Settings

_MIB: Final = 2**20
_IDLE_MIB: Final = 600
"""Of the accurate model under load, without pictures; bench.footprint."""
_BYTES_A_PIXEL: Final = 10
"""Of a picture in work: 500 MB for 50 megapixels (docker-compose.yml)."""
_LEAST_DISK_MIB: Final = 256
_FEW_DISK_MIB: Final = 2048
_LEAST_FILES: Final = 256
_FEW_FILES: Final = 4096

_FAST_X86: Final = ("avx512_vnni", "avx_vnni", "amx_int8", "amx_bf16", "avx512_bf16")
_FAST_ARM: Final = ("asimddp", "i8mm", "bf16")
_EIGHT_BITS: Final = frozenset({"avx512_vnni", "avx_vnni"})


def check_cpu(_settings: Settings, described: Path = Path("/proc/cpuinfo")) -> Iterator[Finding]:
    """Args: described: The kernel's description of the CPUs."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"{platform.machine()}, {cores} cores"
    try:
        lines = described.read_text(encoding="utf-8").splitlines()
    except OSError:
        yield warn("cpu", f"{machine}; the system does not say what it can", "nothing, if fast")
        return
    found = next(
        (set(x.partition(":")[2].split()) for x in lines if x.startswith(("flags", "Features"))),
        set(),
    )
    fast = [name for name in (*_FAST_X86, *_FAST_ARM) if name in found]
    said = f"{machine}; has {', '.join(fast) or 'none of ' + ', '.join(_FAST_X86)}"
    if "avx2" not in found and not {"asimd", "neon"} & found:
        yield warn("cpu", f"{said}; no AVX2", "expect it to be several times slower than measured")
    elif platform.machine() in ("x86_64", "AMD64") and not _EIGHT_BITS & found:
        todo = "expect float32: two to three times slower than measured; or set SEMBLANCE_ARTIFACT"
        yield warn("cpu", f"{said}; no VNNI, so not 8 bits", f"{todo} to the fast model")
    else:
        yield ok("cpu", said)


def check_memory(settings: Settings) -> Iterator[Finding]:
    there = _memory_mib()
    workers = settings.workers or 2 * (os.cpu_count() or 1) + 2
    pictures = workers * settings.max_image_pixels * _BYTES_A_PIXEL // _MIB
    most = _IDLE_MIB + pictures
    said = f"{there} MiB; {_IDLE_MIB} for the model, up to {pictures} for {workers} large pictures"
    if there < _IDLE_MIB:
        yield fail("memory", said, f"give it {_IDLE_MIB} MiB at the least")
    elif there < most:
        todo = "give it more, or lower SEMBLANCE_MAX_IMAGE_PIXELS or SEMBLANCE_WORKERS"
        yield warn("memory", said, todo)
    else:
        yield ok("memory", said)


def check_disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free // _MIB
    nodes = os.statvfs(folder)
    said = f"{free} MiB free for the data folder"
    if free < _LEAST_DISK_MIB:
        yield fail("disk", said, "make room: when it is full, nothing is answered")
    elif nodes.f_files and not nodes.f_favail:
        yield fail("disk", f"{said}, but no file can be made", "delete files: there are too many")
    elif free < _FEW_DISK_MIB:
        yield warn("disk", said, "make room soon: when it is full, nothing is answered")
    else:
        yield ok("disk", said)


def check_open_files(_settings: Settings) -> Iterator[Finding]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    shown = "without limit" if hard == resource.RLIM_INFINITY else f"{hard} at most"
    if hard == resource.RLIM_INFINITY or hard >= _FEW_FILES:
        yield ok("open files", shown)
    elif hard < _LEAST_FILES:
        yield fail("open files", shown, "raise the hard limit (LimitNOFILE= of systemd) to 65536")
    else:
        todo = "raise the hard limit (LimitNOFILE= of systemd): each connection is a file"
        yield warn("open files", shown, todo)


def check_user(_settings: Settings) -> Iterator[Finding]:
    if os.geteuid() == 0:
        yield warn("user", "root", "run it as a user of its own: a fault could do anything")
    else:
        yield ok("user", f"number {os.geteuid()}, not root")


def _memory_mib() -> int:
    """What this process may have: of the machine, or of its control group."""
    there = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    limits = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
    for name in limits:
        try:
            text = Path(name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            there.append(int(text))
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        there.append(soft)
    return min(there) // _MIB
