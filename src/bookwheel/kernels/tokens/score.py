"""Late interaction: for each token of a query its best match among the compressed tokens of a passage (MaxSim).

Source: ColBERT (Khattab & Zaharia 2020) for the score, PLAID (Santhanam et al. 2022) for scoring centroids once per query.
"""

# mypy: allow-untyped-calls
from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from ..dense.rows import half
from ..signatures import f32_2, i64, out_f32_2, u8_2, u16

__all__ = ["LANES", "max_sim"]

LANES = 16
"""Query tokens that are worked on side by side."""
_ROWS = 4
_I64, _F32 = ir.IntType(64), ir.FloatType()
_f32_3 = types.Array(types.float32, 3, "C", readonly=True)
_out_i32_2 = types.Array(types.int32, 2, "C")


@intrinsic
def products(_context: Any, tokens: Any, query: Any, block: Any, sums: Any) -> Any:
    """Dot products of 4 vectors, float32 (4, d), with 16 of the query, block ``block`` of float32 (blocks, d, 16): (4, 16).

    All sixteen sums stay in registers, which a plain loop does not get from the compiler.
    """
    signature = types.void(tokens, query, types.int64, sums)

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = ir.VectorType(_F32, LANES)
        left = cgutils.create_struct_proxy(signature.args[0])(target, builder, arguments[0])
        right = cgutils.create_struct_proxy(signature.args[1])(target, builder, arguments[1]).data
        goal = cgutils.create_struct_proxy(signature.args[3])(target, builder, arguments[3]).data
        dimension = builder.extract_value(left.shape, 1)
        zero = ir.Constant(lanes, [0.0] * LANES)
        totals = [cgutils.alloca_once_value(builder, zero) for _ in range(_ROWS)]
        width = ir.Constant(_I64, LANES)
        right = builder.gep(right, [builder.mul(builder.mul(arguments[2], dimension), width)])
        starts = [builder.gep(left.data, [builder.mul(ir.Constant(_I64, row), dimension)]) for row in range(_ROWS)]
        undefined = ir.Constant(lanes, ir.Undefined)
        same = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        with cgutils.for_range(builder, dimension) as loop:
            place = builder.gep(right, [builder.mul(loop.index, width)])
            column = builder.load(builder.bitcast(place, lanes.as_pointer()), align=4)
            for start, total in zip(starts, totals, strict=True):
                number = builder.load(builder.gep(start, [loop.index]))
                spread = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
                spread = builder.shuffle_vector(spread, undefined, same)
                product = builder.fmul(spread, column, flags=("contract",))
                builder.store(builder.fadd(builder.load(total), product, flags=("contract",)), total)
        for row, total in enumerate(totals):
            place = builder.bitcast(builder.gep(goal, [ir.Constant(_I64, row * LANES)]), lanes.as_pointer())
            builder.store(builder.load(total), place, align=4)
        return target.get_dummy_value()

    return signature, generate


@njit(
    types.void(i64, u8_2, u16, u16, i64, f32_2, _f32_3, f32_2, out_f32_2, _out_i32_2), cache=True, nogil=True, boundscheck=False
)
def max_sim(  # type: ignore[no-untyped-def]
    indptr, codes, factors, owners, rows, table, query, bias, best, places
):
    """For passage ``rows[i]`` and query token ``j`` the best score ``best[i, j]`` and the token that has it.

    Tokens of passage ``p`` are ``indptr[p]:indptr[p + 1]``; each has a row of ``codes``, whose bytes stand for the numbers of
    ``table`` (256, dimensions a byte), a float16 factor (as bits) and the number of its centroid. ``query`` is (blocks, d, 16),
    ``bias`` (centroids, 16 blocks): the scores of the centroids. ``places`` are token numbers within the passage, -1 for none.
    Numbers out of range are clipped.
    """
    blocks, dimension = query.shape[0], query.shape[1]
    each = table.shape[1]
    wide = min(codes.shape[1], dimension // each)
    tokens = min(len(owners), len(factors), len(codes))
    vectors = np.zeros((_ROWS, dimension), np.float32)
    sums = np.zeros((_ROWS, LANES), np.float32)
    last = len(bias) - 1
    for at in range(len(rows)):
        row = min(max(rows[at], 0), len(indptr) - 2)
        first = min(max(indptr[row], 0), tokens)
        end = min(max(indptr[row + 1], first), tokens)
        for lane in range(blocks * LANES):
            best[at, lane] = -np.inf
            places[at, lane] = -1
        for start in range(first, end, _ROWS):
            count = min(_ROWS, end - start)
            for token in range(count):
                for byte in range(wide):
                    code = codes[start + token, byte]
                    for number in range(each):
                        vectors[token, byte * each + number] = table[code, number]
            for block in range(blocks):
                products(vectors, query, block, sums)
                for token in range(count):
                    factor = half(factors[start + token])
                    owner = min(np.int64(owners[start + token]), last)
                    place = np.int32(start + token - first)
                    for lane in range(LANES):
                        score = bias[owner, block * LANES + lane] + factor * sums[token, lane]
                        if score > best[at, block * LANES + lane]:
                            best[at, block * LANES + lane] = score
                            places[at, block * LANES + lane] = place
