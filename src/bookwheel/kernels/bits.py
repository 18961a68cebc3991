"""Bit counting and vector operations that the compiler does not derive from plain loops: small LLVM intrinsics.

They are written in portable LLVM vector code, which the compiler translates to the processor's instructions (AVX-512, AVX2,
NEON).
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["BLOCK", "LANES", "at_least64", "find128", "hold", "trailing_zeros64", "unowned", "unpack128"]

BLOCK = 128
LANES = 8
_ROWS = BLOCK // LANES
_I16, _I32, _I64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)


def _index(value: int) -> Any:
    return ir.Constant(_I64, value)


def _splat(builder: Any, scalar: Any, lanes: int) -> Any:
    vector = ir.VectorType(scalar.type, lanes)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(_I32, 0))
    return builder.shuffle_vector(
        first, ir.Constant(vector, ir.Undefined), ir.Constant(ir.VectorType(_I32, lanes), [0] * lanes)
    )


@intrinsic
def trailing_zeros64(_context: Any, word: Any) -> Any:
    """Position of the lowest set bit of a uint64 other than 0."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


@intrinsic
def unpack128(_context: Any, packed: Any, offset: Any, width: Any, base: Any, out: Any, at: Any) -> Any:
    """Unpack 128 gaps of ``width`` ≤ 16 bits and add them up to ascending numbers above ``base``.

    ``packed`` (uint16) holds, from ``offset``, rows of 8 lanes; lane ``l`` is the bit stream of gaps ``16 l … 16 l + 15``.
    Number ``16 l + j`` is written to ``out[at + 8 j + l]`` (uint32). Reads ``8 (width + 1)`` units of ``packed``.
    Gaps are stored minus 1. The layout is vertical bit packing (Lemire & Boytsov 2015), but a lane holds neighbours, so that
    the sums need no shuffles.
    """
    signature = types.void(packed, types.uint64, types.uint64, types.uint32, out, types.uint64)

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        narrow, wide = ir.VectorType(_I16, LANES), ir.VectorType(_I32, LANES)
        source = cgutils.create_struct_proxy(signature.args[0])(target, builder, arguments[0]).data
        goal = cgutils.create_struct_proxy(signature.args[4])(target, builder, arguments[4]).data
        source = builder.gep(source, [arguments[1]])
        goal = builder.gep(goal, [arguments[5]])
        width, base = arguments[2], arguments[3]
        mask = _splat(builder, builder.trunc(builder.sub(builder.shl(_index(1), width), _index(1)), _I32), LANES)
        ones, sixteen = ir.Constant(wide, [1] * LANES), ir.Constant(wide, [16] * LANES)
        sums = cgutils.alloca_once_value(builder, ir.Constant(wide, [0] * LANES))
        with cgutils.for_range(builder, _index(_ROWS)) as loop:
            bit = builder.mul(loop.index, width)
            row = builder.mul(builder.lshr(bit, _index(4)), _index(LANES))
            shift = _splat(builder, builder.trunc(builder.and_(bit, _index(15)), _I32), LANES)
            low = builder.load(builder.bitcast(builder.gep(source, [row]), narrow.as_pointer()), align=2)
            following = builder.gep(source, [builder.add(row, _index(LANES))])
            high = builder.load(builder.bitcast(following, narrow.as_pointer()), align=2)
            both = builder.or_(builder.zext(low, wide), builder.shl(builder.zext(high, wide), sixteen))
            gaps = builder.add(builder.and_(builder.lshr(both, shift), mask), ones)
            total = builder.add(builder.load(sums), gaps)
            builder.store(total, sums)
            place = builder.gep(goal, [builder.mul(loop.index, _index(LANES))])
            builder.store(total, builder.bitcast(place, wide.as_pointer()), align=4)
        totals, starts, start = builder.load(sums), ir.Constant(wide, ir.Undefined), base
        for lane in range(LANES):
            starts = builder.insert_element(starts, start, ir.Constant(_I32, lane))
            start = builder.add(start, builder.extract_element(totals, ir.Constant(_I32, lane)))
        with cgutils.for_range(builder, _index(_ROWS)) as loop:
            place = builder.bitcast(builder.gep(goal, [builder.mul(loop.index, _index(LANES))]), wide.as_pointer())
            builder.store(builder.add(builder.load(place, align=4), starts), place, align=4)
        return target.get_dummy_value()

    return signature, generate


@intrinsic
def find128(_context: Any, numbers: Any, at: Any, wanted: Any) -> Any:
    """Position of ``wanted`` among the 128 numbers of a uint32 array from ``at``, in any order; -1 if absent."""
    lanes = 16
    signature = types.int64(numbers, types.uint64, types.uint32)

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(_I32, lanes)
        source = cgutils.create_struct_proxy(signature.args[0])(target, builder, arguments[0]).data
        source = builder.gep(source, [arguments[1]])
        wanted = _splat(builder, arguments[2], lanes)
        halves = []
        for half in range(2):
            word: Any = _index(0)
            for part in range(4):
                start = builder.gep(source, [_index(half * 64 + part * lanes)])
                found = builder.load(builder.bitcast(start, vector.as_pointer()), align=4)
                bits = builder.zext(builder.bitcast(builder.icmp_unsigned("==", found, wanted), _I16), _I64)
                word = builder.or_(word, builder.shl(bits, _index(part * lanes)))
            halves.append(word)
        first = builder.cttz(halves[0], ir.Constant(ir.IntType(1), 0))
        second = builder.add(builder.cttz(halves[1], ir.Constant(ir.IntType(1), 0)), _index(64))
        place = builder.select(builder.icmp_unsigned("!=", halves[0], _index(0)), first, second)
        return builder.select(builder.icmp_unsigned("<", place, _index(128)), place, _index(-1))

    return signature, generate


@intrinsic
def at_least64(_context: Any, numbers: Any, at: Any, least: Any) -> Any:
    """Bit i of the uint64 is set where number ``at + i`` of a uint32 array is at least ``least``, for 64 numbers."""
    lanes = 16
    signature = types.uint64(numbers, types.uint64, types.uint32)

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = ir.VectorType(_I32, lanes)
        source = cgutils.create_struct_proxy(signature.args[0])(target, builder, arguments[0]).data
        source = builder.gep(source, [arguments[1]])
        least = _splat(builder, arguments[2], lanes)
        word: Any = _index(0)
        for part in range(4):
            start = builder.gep(source, [_index(part * lanes)])
            found = builder.load(builder.bitcast(start, vector.as_pointer()), align=4)
            bits = builder.zext(builder.bitcast(builder.icmp_unsigned(">=", found, least), _I16), _I64)
            word = builder.or_(word, builder.shl(bits, _index(part * lanes)))
        return word

    return signature, generate


@intrinsic
def unowned(_context: Any, arrays: Any) -> Any:
    """The arrays without reference counts, for inner loops: passing a counted array costs two atomic additions.

    The caller must keep the arrays alive as long as these are used: call `hold` after the last use.
    """

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = []
        for place, kind in enumerate(signature.args[0]):
            array = builder.extract_value(arguments[0], place)
            proxy = cgutils.create_struct_proxy(kind)(target, builder, array)
            proxy.meminfo = ir.Constant(proxy.meminfo.type, None)
            proxy.parent = ir.Constant(proxy.parent.type, None)
            made.append(proxy._getvalue())
        return target.make_tuple(builder, signature.return_type, made)

    return arrays(arrays), generate


@intrinsic
def hold(_context: Any, _things: Any) -> Any:
    """Does nothing; keeps its argument alive until here."""

    def generate(target: Any, _builder: Any, _signature: Any, _arguments: Any) -> Any:
        return target.get_dummy_value()

    return types.void(_things), generate
