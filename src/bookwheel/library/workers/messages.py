"""What a worker sends: an `Analysed` as a head in JSON and arrays of numbers side by side. No pickles come from a worker."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...index.inverted.bm25_builder import Counted
from .analysis import Analysed, Run

__all__ = ["packed", "unpacked"]

_ARRAYS = ("passages", "crcs", "spans", "sums")
_COUNTED = ("indptr", "terms", "frequencies", "large", "lengths")
_ALIGNED = 8


class _Writer:
    def __init__(self) -> None:
        self.listed: list[tuple[str, list[int]]] = []
        self.pieces: list[bytes] = []

    def add(self, array: NDArray[Any]) -> None:
        data = np.ascontiguousarray(array).tobytes()
        self.listed.append((array.dtype.str, list(array.shape)))
        self.pieces += (data, bytes(-len(data) % _ALIGNED))


class _Reader:
    def __init__(self, listed: list[tuple[str, list[int]]], data: bytes | bytearray) -> None:
        self._listed, self._data = iter(listed), data
        self._at = 0

    def take(self) -> NDArray[Any]:
        kind, shape = next(self._listed)
        dtype = np.dtype(kind)
        if dtype.kind not in "iuf":
            raise ValueError(f"a worker sends no arrays of {dtype}")
        size = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(self._data, dtype, size, self._at).reshape(shape)
        self._at += -(-array.nbytes // _ALIGNED) * _ALIGNED
        return array


def packed(found: Analysed) -> tuple[dict[str, Any], bytes]:
    """Head and data of a message."""
    writer = _Writer()
    for name in _ARRAYS:
        writer.add(getattr(found, name))
    for run in found.runs:
        if run.counted is not None:
            for name in _COUNTED:
                writer.add(getattr(run.counted, name))
        elif run.indptr is not None and run.raw is not None:
            writer.add(run.indptr)
            writer.add(run.raw)
    if found.vectors is not None:
        writer.add(found.vectors)
    head = {
        "languages": found.languages,
        "places": found.places,
        "noise": found.noise,
        "first_term": found.first_term,
        "terms": "\n".join(found.terms),
        "words": "\n".join(found.words),
        "runs": [[run.passages, run.counted is not None] for run in found.runs],
        "vectors": found.vectors is not None,
        "arrays": [[kind, shape] for kind, shape in writer.listed],
    }
    return head, b"".join(writer.pieces)


def unpacked(head: dict[str, Any], data: bytes | bytearray) -> Analysed:
    """The `Analysed` of a message; its arrays are views of ``data``. Raises `ValueError`, `KeyError` for what is none."""
    reader = _Reader(head["arrays"], data)
    arrays = {name: reader.take() for name in _ARRAYS}
    runs: list[Run] = []
    for passages, decided in head["runs"]:
        if decided:
            runs.append(Run(passages, Counted(*(reader.take() for _ in _COUNTED))))
        else:
            runs.append(Run(passages, indptr=reader.take(), raw=reader.take()))
    return Analysed(
        **arrays,
        languages=head["languages"],
        places=head["places"],
        noise=head["noise"],
        first_term=head["first_term"],
        terms=head["terms"].split("\n") if head["terms"] else [],
        words=head["words"].split("\n") if head["words"] else [],
        runs=runs,
        vectors=reader.take() if head["vectors"] else None,
    )
