"""Writes ONNX models without the ``onnx`` package: nodes and arrays in, the bytes of a ModelProto out.

Source: ``onnx.proto3`` of the ONNX project; the field numbers below are its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .protobuf import floating, integer, integers, key, part, varint

__all__ = ["MICROSOFT", "Graph"]

MICROSOFT = "com.microsoft"
"""The domain of the fused operators that onnxruntime adds to ONNX."""
IR_VERSION = 8
OPSET = 17
TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9, "float16": 10}
"""TensorProto.DataType."""


class Graph:
    """Collects the nodes and arrays of one model; `serialised` gives its file's bytes.

    Values are referred to by name; `node` and `array` give the names back that they make.
    """

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._arrays: list[tuple[bytes, NDArray[Any]]] = []
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []
        self._count = 0

    def _name(self, hint: str) -> str:
        self._count += 1
        return f"{hint}_{self._count}"

    def input(self, name: str, dtype: str, shape: Sequence[int | str]) -> str:
        """Declare an input; a dimension of free length is given by name."""
        self._inputs.append(_value(name, dtype, shape))
        return name

    def output(self, value: str, name: str, dtype: str, shape: Sequence[int | str]) -> None:
        """Declare that ``value`` is given out as ``name``."""
        self._nodes.append(_node("Identity", [value], [name], "", {}))
        self._outputs.append(_value(name, dtype, shape))

    def array(self, values: NDArray[Any], hint: str = "c") -> str:
        """A constant."""
        name = self._name(hint)
        head = b"".join(integer(1, size) for size in values.shape) + integer(2, TYPES[values.dtype.name]) + part(8, name)
        self._arrays.append((head + key(9) + varint(values.nbytes), values))
        return name

    def ints(self, *values: int) -> str:
        """A constant int64 vector, as shapes and axes are given."""
        return self.array(np.array(values, np.int64), "i")

    def number(self, value: float) -> str:
        """A constant float32 scalar."""
        return self.array(np.array(value, np.float32), "f")

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Apply operator ``kind``; gives the name of its only (or first wanted) result."""
        return self.nodes(kind, 1, *inputs, domain=domain, **attributes)[0]

    def nodes(self, kind: str, results: int, *inputs: str, domain: str = "", **attributes: Any) -> list[str]:
        """Apply operator ``kind``; gives the names of its first ``results`` results."""
        outputs = [self._name(kind) for _ in range(results)]
        self._nodes.append(_node(kind, inputs, outputs, domain, attributes))
        return outputs

    def write(self, file: BinaryIO) -> None:
        """Write the model. Arrays go out one at a time, so that it is never in memory a second time."""
        first = b"".join([*(part(1, node) for node in self._nodes), part(2, "bookwheel")])
        last = b"".join([*(part(11, value) for value in self._inputs), *(part(12, value) for value in self._outputs)])
        heads = [key(5) + varint(len(head) + values.nbytes) + head for head, values in self._arrays]
        size = len(first) + len(last) + sum(len(h) + a.nbytes for h, (_, a) in zip(heads, self._arrays, strict=True))
        opsets = part(8, part(1, "") + integer(2, OPSET)) + part(8, part(1, MICROSOFT) + integer(2, 1))
        file.write(integer(1, IR_VERSION) + part(2, "bookwheel") + opsets + key(7) + varint(size) + first)
        for head, (_, values) in zip(heads, self._arrays, strict=True):
            file.write(head)
            file.write(np.ascontiguousarray(values).data.cast("B") if values.size else b"")
        file.write(last)

    def serialised(self) -> bytes:
        """The model's bytes."""
        buffer = BytesIO()
        self.write(buffer)
        return buffer.getvalue()


def _value(name: str, dtype: str, shape: Sequence[int | str]) -> bytes:
    sizes = b"".join(part(1, integer(1, size) if isinstance(size, int) else part(2, size)) for size in shape)
    return part(1, name) + part(2, part(1, integer(1, TYPES[dtype]) + part(2, sizes)))


def _node(kind: str, inputs: Iterable[str], outputs: Iterable[str], domain: str, attributes: dict[str, Any]) -> bytes:
    body = [*(part(1, name) for name in inputs), *(part(2, name) for name in outputs), part(4, kind)]
    body += [part(5, _attribute(name, value)) for name, value in attributes.items()]
    return b"".join(body) + (part(7, domain) if domain else b"")


def _attribute(name: str, value: Any) -> bytes:
    head = part(1, name)
    if isinstance(value, float):
        return head + floating(2, value) + integer(20, 1)
    if isinstance(value, int):
        return head + integer(3, value) + integer(20, 2)
    if isinstance(value, str):
        return head + part(4, value) + integer(20, 3)
    return head + integers(8, value) + integer(20, 7)
