"""Counting set bits and reading bits as another type, in forms that the compiler vectorises."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["as_float", "as_word", "popcount"]


@intrinsic
def popcount(_context: Any, word: Any) -> Any:
    """Number of set bits of an unsigned integer, in the same type."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return word(word), generate


@intrinsic
def as_float(_context: Any, word: Any) -> Any:
    """The float32 with the bits of a uint32."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.uint32), generate


@intrinsic
def as_word(_context: Any, number: Any) -> Any:
    """The uint32 with the bits of a float32."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.uint32(types.float32), generate
