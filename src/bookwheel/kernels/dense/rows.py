"""Float16 rows: dot products in float32, the same to the last bit on every processor, and prefetching.

They are written in portable LLVM vector code: the compiler may not reorder the sum of a plain loop, and if it might, scores would
depend on the processor. Float16 bits are widened by shifts, which needs no conversion instruction and turns no damaged bits into
infinity or NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from ..popcount import as_float, as_word

__all__ = ["dot", "half", "prefetch", "prefetch_bytes"]

_LANES, _SUMS = 8, 4
_I16, _I32, _I64, _F32 = ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.FloatType()
_RESCALE = 2.0**112
"""Moves the exponent of a float16, put in the place of a float32's, to where it belongs: 127 - 15."""
_SCALE = np.float32(_RESCALE)


@njit(inline="always")
def half(bits):  # type: ignore[no-untyped-def]
    """The float32 of a float16 given by its bits (uint16). Finite for every input: no infinity, no NaN."""
    word = np.uint32(bits)
    magnitude = as_float((word & np.uint32(0x7FFF)) << np.uint32(13)) * _SCALE
    return as_float(as_word(magnitude) | ((word & np.uint32(0x8000)) << np.uint32(16)))


def _data(target: Any, builder: Any, kind: Any, array: Any) -> Any:
    return cgutils.create_struct_proxy(kind)(target, builder, array).data


def _constant(kind: Any, value: float) -> Any:
    return ir.Constant(ir.VectorType(kind, _LANES), [value] * _LANES)


def _widened(builder: Any, pointer: Any) -> Any:
    """Eight float16 at ``pointer`` as float32."""
    narrow, wide = ir.VectorType(_I16, _LANES), ir.VectorType(_I32, _LANES)
    floats = ir.VectorType(_F32, _LANES)
    words = builder.zext(builder.load(builder.bitcast(pointer, narrow.as_pointer()), align=2), wide)
    magnitude = builder.shl(builder.and_(words, _constant(_I32, 0x7FFF)), _constant(_I32, 13))
    magnitude = builder.fmul(builder.bitcast(magnitude, floats), _constant(_F32, _RESCALE))
    sign = builder.shl(builder.and_(words, _constant(_I32, 0x8000)), _constant(_I32, 16))
    return builder.bitcast(builder.or_(builder.bitcast(magnitude, wide), sign), floats)


@intrinsic
def dot(_context: Any, vectors: Any, row: Any, query: Any) -> Any:
    """Dot product of row ``row`` (int64) of ``vectors``, bits of float16 (n, d), with the float32 ``query``; 8 divides d."""
    signature = types.float32(vectors, types.int64, query)

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        floats = ir.VectorType(_F32, _LANES)
        matrix = cgutils.create_struct_proxy(signature.args[0])(target, builder, arguments[0])
        dimension = builder.extract_value(matrix.shape, 1)
        left = builder.gep(matrix.data, [builder.mul(arguments[1], dimension)])
        right = _data(target, builder, signature.args[2], arguments[2])
        sums = [cgutils.alloca_once_value(builder, _constant(_F32, 0.0)) for _ in range(_SUMS)]

        def add(at: Any, total: Any) -> None:
            x = _widened(builder, builder.gep(left, [at]))
            y = builder.load(builder.bitcast(builder.gep(right, [at]), floats.as_pointer()), align=4)
            builder.store(builder.fadd(builder.load(total), builder.fmul(x, y)), total)

        step = ir.Constant(_I64, _LANES * _SUMS)
        blocks = builder.udiv(dimension, step)
        with cgutils.for_range(builder, blocks) as loop:
            start = builder.mul(loop.index, step)
            for place, total in enumerate(sums):
                add(builder.add(start, ir.Constant(_I64, place * _LANES)), total)
        done = builder.mul(blocks, step)
        rest = builder.udiv(builder.sub(dimension, done), ir.Constant(_I64, _LANES))
        with cgutils.for_range(builder, rest) as loop:
            add(builder.add(done, builder.mul(loop.index, ir.Constant(_I64, _LANES))), sums[0])
        parts = [builder.load(total) for total in sums]
        lanes = builder.fadd(builder.fadd(parts[0], parts[1]), builder.fadd(parts[2], parts[3]))
        numbers = [builder.extract_element(lanes, ir.Constant(_I32, lane)) for lane in range(_LANES)]
        while len(numbers) > 1:
            numbers = [builder.fadd(a, b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
        return numbers[0]

    return signature, generate


def _prefetch(builder: Any, start: Any, length: Any) -> None:
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, _I32, _I32, _I32])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    lines = builder.udiv(builder.add(length, ir.Constant(_I64, 63)), ir.Constant(_I64, 64))
    with cgutils.for_range(builder, lines) as loop:
        place = builder.inttoptr(builder.add(start, builder.mul(loop.index, ir.Constant(_I64, 64))), byte)
        builder.call(function, [place, *(ir.Constant(_I32, value) for value in (0, 3, 1))])


@intrinsic
def prefetch(_context: Any, vectors: Any, row: Any) -> Any:
    """Prefetch row ``row`` of a two-dimensional array into the processor's caches. Any row number is safe: nothing is read."""
    signature = types.void(vectors, types.int64)

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        matrix = cgutils.create_struct_proxy(signature.args[0])(target, builder, arguments[0])
        length = builder.mul(builder.extract_value(matrix.shape, 1), matrix.itemsize)
        start = builder.ptrtoint(matrix.data, _I64)
        _prefetch(builder, builder.add(start, builder.mul(arguments[1], length)), length)
        return target.get_dummy_value()

    return signature, generate


@intrinsic
def prefetch_bytes(_context: Any, array: Any, first: Any, length: Any) -> Any:
    """Prefetch ``length`` bytes of an array from byte ``first``."""
    signature = types.void(array, types.int64, types.int64)

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        start = builder.ptrtoint(cgutils.create_struct_proxy(signature.args[0])(target, builder, arguments[0]).data, _I64)
        _prefetch(builder, builder.add(start, arguments[1]), arguments[2])
        return target.get_dummy_value()

    return signature, generate
