"""Array types for the kernels' explicit signatures.

``u8``, ``f32``, … are read-only (a writable array converts to them, a memory-mapped one is accepted); ``out_u8``, … are
written to. ``u8_2``, … have two dimensions. All are C-contiguous.
"""

from __future__ import annotations

from typing import Any

from . import discard_stale, on_compile

discard_stale()

from numba import types  # noqa: E402
from numba.core import event  # noqa: E402

__all__ = [
    "f32",
    "f32_2",
    "f64",
    "i8",
    "i32",
    "i64",
    "i64_2",
    "out_f32",
    "out_f32_2",
    "out_f64",
    "out_f64_2",
    "out_i32",
    "out_i64",
    "out_i64_2",
    "out_u8",
    "out_u8_2",
    "out_u16",
    "out_u16_2",
    "out_u32",
    "out_u64",
    "out_u64_2",
    "u8",
    "u8_2",
    "u8_3",
    "u16",
    "u16_2",
    "u32",
    "u64",
    "u64_2",
]


def _input(dtype: Any, ndim: int = 1) -> Any:
    return types.Array(dtype, ndim, "C", readonly=True)


def _output(dtype: Any, ndim: int = 1) -> Any:
    return types.Array(dtype, ndim, "C")


u8, u16, u32, u64 = _input(types.uint8), _input(types.uint16), _input(types.uint32), _input(types.uint64)
i8, i32, i64 = _input(types.int8), _input(types.int32), _input(types.int64)
f32, f64 = _input(types.float32), _input(types.float64)
u8_2, u64_2, f32_2 = _input(types.uint8, 2), _input(types.uint64, 2), _input(types.float32, 2)
out_u8, out_u16, out_u32, out_u64 = (
    _output(types.uint8),
    _output(types.uint16),
    _output(types.uint32),
    _output(types.uint64),
)
out_i32, out_i64 = _output(types.int32), _output(types.int64)
out_f32, out_f64 = _output(types.float32), _output(types.float64)
out_u8_2, out_f32_2, out_f64_2 = _output(types.uint8, 2), _output(types.float32, 2), _output(types.float64, 2)
u16_2 = _input(types.uint16, 2)
u8_3, i64_2 = _input(types.uint8, 3), _input(types.int64, 2)
out_u16_2, out_u64_2 = _output(types.uint16, 2), _output(types.uint64, 2)
out_i64_2 = _output(types.int64, 2)


class _Compilation(event.Listener):  # type: ignore[misc]
    """numba sends this event only where the cache does not have the kernel."""

    def on_start(self, event: Any) -> None:
        on_compile()

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _Compilation())
