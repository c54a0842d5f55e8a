"""Whether what a network rounds to 8 bits is computed in integers; the CPU decides."""

from __future__ import annotations

from pathlib import Path

import openvino as ov

_FLAGS = Path("/proc/cpuinfo")
_DOT_PRODUCTS = frozenset({"avx512_vnni", "avx_vnni"})


def sums_integers(described: Path = _FLAGS) -> bool:
    """Whether 8-bit integers are multiplied and summed up without overflow, and fast.

    Older x86 CPUs add two products in 16 bits, where large ones are cut off; on others
    nothing was measured. False where the system does not say.

    Args:
        described: The kernel's description of the CPUs.
    """
    try:
        text = described.read_text(encoding="utf-8")
    except OSError:
        return False
    flags = (line.partition(":")[2].split() for line in text.splitlines() if line[:5] == "flags")
    return not _DOT_PRODUCTS.isdisjoint(next(flags, ()))


def leave_unrounded(network: ov.Model) -> None:
    """Takes every rounding to a few steps out of the graph; what is left is float32."""
    for node in network.get_ops():
        if node.get_type_name() == "FakeQuantize":
            node.output(0).replace(node.input_value(0))
