"""Safetensors files, read and written: arrays are read one at a time from the memory-mapped file.

The ``safetensors`` package cannot give bfloat16 to numpy, and loads a whole file where one array is
wanted. Source: the format's description: eight bytes with the length of the header, a JSON header
(name -> dtype, shape, data_offsets), then the arrays.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError

__all__ = ["Tensors", "write_tensors"]

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "U64": "<u8",
    "I32": "<i4",
    "U32": "<u4",
    "I16": "<i2",
    "U16": "<u2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
LONGEST = 100_000_000
"""Bytes of a header, as in the reference reader."""


class Tensors:
    """The arrays of ``path``, a .safetensors file or the index of several; raises `ModelError` where it is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = [path]
        if path.name.endswith(".index.json"):
            try:
                listed = json.loads(path.read_text(encoding="utf-8"))["weight_map"].values()
                if not all(isinstance(name, str) for name in listed):
                    raise ValueError("a name that is no text")
            except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
                raise ModelError(f"{path} is not readable as a list of weight files ({error}); get it again") from error
            self.files = [path.parent / Path(name).name for name in sorted(set(listed))]
        self._where: dict[str, tuple[int, int, str, tuple[int, ...]]] = {}
        self._maps: list[NDArray[np.uint8]] = []
        for number, file in enumerate(self.files):
            self._read_header(number, file)

    def _read_header(self, number: int, path: Path) -> None:
        try:
            data: NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
            length = int.from_bytes(data[:8].tobytes(), "little")
            if not 2 <= length <= min(LONGEST, len(data) - 8):
                raise ValueError("its header does not fit")
            header = json.loads(data[8 : 8 + length].tobytes())
            header.pop("__metadata__", None)
            for name, about in header.items():
                start, end = about["data_offsets"]
                kind, shape = about["dtype"], tuple(about["shape"])
                if kind not in DTYPES:
                    raise ValueError(f"{name} is of type {kind}, which cannot be read")
                if any(type(number) is not int or number < 0 for number in (start, end, *shape)) or len(shape) > 8:
                    raise ValueError(f"{name} has a shape or place that is none")
                wanted = math.prod(shape) * np.dtype(DTYPES[kind]).itemsize  # in Python's own numbers, which do not overflow
                if not 0 <= start <= end <= len(data) - 8 - length or end - start != wanted:
                    raise ValueError(f"{name} lies outside of the file")
                self._where[name] = (number, 8 + length + start, kind, shape)
        except FileNotFoundError:
            raise ModelError(f"{path} is missing; get the model's files again") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(f"{path} is truncated or no safetensors file ({error}); get it again") from error
        self._maps.append(data)

    def __contains__(self, name: str) -> bool:
        return name in self._where

    def __iter__(self) -> Iterator[str]:
        return iter(self._where)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of array ``name``."""
        return self._find(name)[3]

    def _find(self, name: str) -> tuple[int, int, str, tuple[int, ...]]:
        if name not in self._where:
            raise ModelError(
                f"{self.path} has no array {name!r} (it has {', '.join(sorted(self._where)[:4])} …): weights and config.json "
                "do not fit together; get the model's files again"
            )
        return self._where[name]

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        """Array ``name`` as float32."""
        out: NDArray[np.float32] = self._mapped(name).astype(np.float32, copy=False)
        return out

    def stored(self, name: str) -> NDArray[Any]:
        """A copy of array ``name`` in the type it is stored in; bfloat16, which numpy lacks, as float32."""
        return self._mapped(name).copy()

    def _mapped(self, name: str) -> NDArray[Any]:
        number, at, kind, shape = self._find(name)
        raw = np.frombuffer(self._maps[number], DTYPES[kind], math.prod(shape), at).reshape(shape)
        return (raw.astype(np.uint32) << 16).view(np.float32) if kind == "BF16" else raw


def write_tensors(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write ``arrays`` of the types of `DTYPES` that numpy has to ``path``, as PyTorch's tensors."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    kinds = {np.dtype(code): kind for kind, code in DTYPES.items() if kind != "BF16"}
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        kind = kinds[array.dtype.newbyteorder("<")]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [start, end]}
    about = json.dumps(header).encode()
    about += b" " * (-len(about) % 8)  # arrays begin at a multiple of 8 bytes
    with path.open("wb") as file:
        file.write(len(about).to_bytes(8, "little") + about)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).tobytes())
