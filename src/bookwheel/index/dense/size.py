"""What the sketches of a dense index take of memory, known before any of it is written."""

from __future__ import annotations

__all__ = ["BITS", "GROUP", "fitting_bits", "memory_bytes", "sketch_columns"]

BITS = (1, 2, 4)
"""Bits a dimension that a sketch can have."""
GROUP = 64
"""Passages of a group: their number is rounded up to it."""
_COLUMNS = 4
"""Bytes that the dimensions of a bit plane are rounded up to (`kernels.dense_table.COLUMNS`)."""
_FACTOR = 2
"""Bytes of the float16 that corrects a passage's estimates."""


def sketch_columns(dimension: int) -> int:
    """Bytes of one bit plane of a passage."""
    return -(-dimension // (8 * _COLUMNS)) * _COLUMNS


def memory_bytes(passages: int, dimension: int, bits: int) -> int:
    """Bytes that a scan of one segment reads, and a budget must hold: sketches, their factors, and the rotation.

    Exactly `DenseIndex.hot_bytes`. Raises `ValueError` for bits other than 1, 2 or 4.
    """
    if bits not in BITS:
        raise ValueError(f"{bits} bits a dimension; a dense index takes 1, 2 or 4")
    return -(-passages // GROUP) * GROUP * (bits * sketch_columns(dimension) + _FACTOR) + 4 * dimension * dimension


def fitting_bits(passages: int, dimension: int, size: int) -> int:
    """The most bits a dimension, of 1, 2 and 4, whose sketches of one segment fit into ``size`` bytes; 0 where none do."""
    return max((bits for bits in BITS if memory_bytes(passages, dimension, bits) <= size), default=0)
