"""The memory that the sketches of a dense index will take, computed before any of it is written."""

from __future__ import annotations

__all__ = ["BITS", "GROUP", "fitting_bits", "memory_bytes", "sketch_columns"]

BITS = (1, 2, 4)
"""The possible numbers of bits per dimension."""
GROUP = 64
"""Passages per group; the number of passages is rounded up to whole groups."""
_COLUMNS = 4
"""A bit plane is rounded up to a multiple of this many bytes (`kernels.dense.table.COLUMNS`)."""
_FACTOR = 2
"""Bytes of the float16 factor that corrects a passage's estimates."""


def sketch_columns(dimension: int) -> int:
    """Bytes of one bit plane of a passage."""
    return -(-dimension // (8 * _COLUMNS)) * _COLUMNS


def memory_bytes(passages: int, dimension: int, bits: int) -> int:
    """Bytes that a scan of one segment reads and a budget must hold: sketches, their factors, and the rotation.

    The same as `DenseIndex.hot_bytes`. Raises `ValueError` for bits other than 1, 2 or 4.
    """
    if bits not in BITS:
        raise ValueError(f"bits per dimension must be 1, 2 or 4, not {bits}")
    return -(-passages // GROUP) * GROUP * (bits * sketch_columns(dimension) + _FACTOR) + 4 * dimension * dimension


def fitting_bits(passages: int, dimension: int, size: int) -> int:
    """The most bits per dimension (1, 2 or 4) whose sketches of one segment fit into ``size`` bytes; 0 if none do."""
    return max((bits for bits in BITS if memory_bytes(passages, dimension, bits) <= size), default=0)
