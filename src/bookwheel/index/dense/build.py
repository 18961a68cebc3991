"""Writing a segment of vectors in memory that does not grow with its size, and merging segments."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._errors import LibraryDamaged
from ..builder import FolderBuilder
from ..storage import HEADER, REMEDY, ArrayFolder, ArrayStream, FolderWriter, opened
from .calibration import calibrate
from .flat import EXACT_ROWS, FORMAT, DenseIndex, checked_mask, shaped_vectors
from .size import BITS, GROUP, sketch_columns
from .sketch import Sketches, chosen_rotation, encode

__all__ = ["IVF_ROWS", "DenseBuilder", "merge", "open_dense"]

IVF_ROWS = 10_000_000
"""Segments of this many rows and more become IVF indexes: fewer rows are scanned in about 15 ms."""
MEMORY = 1 << 27
"""Memory for building an IVF index where none is given, in bytes."""
_BYTES = 1 << 21
"""Bytes of float32 vectors processed at a time."""


class DenseBuilder(FolderBuilder):
    """Writes one segment in two passes: vectors are written as float16 as they arrive, sketches are made from them at the end.

    ``dimension`` is a multiple of 8 from 8 to 4096, ``bits`` (1, 2 or 4) the sketch size per dimension, ``seed`` the seed of the
    rotation. A segment of `IVF_ROWS` rows or more becomes an IVF index, which takes about ``memory`` bytes to build; ``ivf``
    True or False makes it one always or never. Raises `ValueError` for other values. As a context manager, it closes the
    segment when the block ends normally, and abandons it otherwise.
    """

    def __init__(
        self,
        folder: Path,
        dimension: int,
        *,
        seed: int,
        bits: int = 1,
        ivf: bool | None = None,
        memory: int = MEMORY,
    ) -> None:
        if dimension % 8 or not 8 <= dimension <= 4096:
            raise ValueError(f"the dimension of vectors must be a multiple of 8 from 8 to 4096, not {dimension}")
        if bits not in BITS:
            raise ValueError(f"bits per dimension must be 1, 2 or 4, not {bits}")
        self.dimension = dimension
        self.bits = bits
        self.seed = seed
        self._ivf = ivf
        self._memory = memory
        self._piece = max(_BYTES // (4 * dimension) // GROUP, 1) * GROUP
        self._writer = FolderWriter(folder, format=FORMAT, kind="dense", dimension=dimension, bits=bits, seed=seed, reach=[])
        self._vectors = self._writer.stream("vectors", np.float16, (dimension,))
        self._sum = np.zeros(dimension, dtype=np.float64)
        self._known = 0

    @property
    def rows(self) -> int:
        """Number of vectors appended so far, which is the row of the next one."""
        return self._vectors.rows

    def append(self, vectors: ArrayLike) -> None:
        """Add rows (n, dimension) of unit length; a row of zeros stands for a text without any known word.

        Raises `ValueError` for another shape, NaN or infinity, `StorageError` for a full disk.
        """
        from ...kernels.dense.convert import narrow

        vectors = shaped_vectors(vectors, self.dimension, "vectors")
        for start in range(0, len(vectors), self._piece):
            rows = vectors[start : start + self._piece]
            halves = np.empty(rows.shape, dtype=np.uint16)
            known, wrong = narrow(rows, halves, self._sum)
            if wrong >= 0:
                raise ValueError(
                    f"vectors: row {start + wrong} holds NaN, infinity or a number beyond 65504; "
                    "an encoder must return vectors of unit length"
                )
            self._known += known
            self._vectors.append(halves.view(np.float16))

    def close(self) -> None:
        """Make the sketches, measure the search depth, and finish the folder."""
        centre = (self._sum / max(self._known, 1)).astype(np.float32)
        vectors = _mapped(self._vectors)
        rotation = chosen_rotation(vectors, centre, self.bits, self.seed)
        self._writer.write("centre", centre)
        self._writer.write("rotation", rotation)
        ivf = self._ivf if self._ivf is not None else len(vectors) >= IVF_ROWS
        if ivf and len(vectors) > EXACT_ROWS:
            self._write_ivf(vectors, rotation)
        else:
            self._write_sketches(vectors, centre, rotation)
        self._writer.close()

    def _write_sketches(self, vectors: NDArray[np.float16], centre: NDArray[np.float32], rotation: NDArray[np.float32]) -> None:
        codes = self._writer.stream("sketch", np.uint8, (self.bits * sketch_columns(self.dimension), GROUP))
        factors = self._writer.stream("factors", np.float16, (GROUP,))
        for start in range(0, len(vectors), self._piece):
            code, factor = encode(_widened(vectors[start : start + self._piece]), centre, rotation, self.bits)
            codes.append(code)
            factors.append(factor)
            _release(vectors)
        if len(vectors) > EXACT_ROWS:
            sketches = Sketches(rotation, _mapped(codes), _mapped(factors).view(np.uint16), self.bits)
            self._writer.attributes["reach"] = calibrate(
                vectors, sketches, centre, self.seed, lambda first, rows: _release(vectors)
            )

    def _write_ivf(self, vectors: NDArray[np.float16], rotation: NDArray[np.float32]) -> None:
        from .ivf import PENALTIES, IvfDenseIndex, IvfLists
        from .ivf_build import IvfWriter, calibrate_ivf

        writer = IvfWriter(
            self._writer,
            vectors,
            rotation,
            bits=self.bits,
            seed=self.seed,
            memory=self._memory,
            release=lambda: _release(vectors),
        )
        clusters = writer.cluster()
        arrays = {name: _mapped(stream) for name, stream in writer.write(clusters).items()}
        sketches = Sketches(rotation, arrays["sketch"], arrays["factors"].view(np.uint16), self.bits)
        lists = IvfLists.of(sketches, clusters.centres, arrays["starts"], arrays["numbers"].reshape(-1), PENALTIES[0])
        penalty, depths = calibrate_ivf(
            vectors, lists, clusters, arrays["known"], self.seed, lambda first, rows: _release(vectors)
        )
        self._writer.attributes |= {"kind": IvfDenseIndex.kind, "penalty": penalty, "reach": depths}


def open_dense(folder: Path | ArrayFolder) -> DenseIndex:
    """Open the finished segment in ``folder``, flat or IVF. Raises the errors of `DenseIndex`."""
    from .ivf import IvfDenseIndex

    arrays = opened(folder)
    return IvfDenseIndex(arrays) if arrays.attributes.get("kind") == IvfDenseIndex.kind else DenseIndex(arrays)


def _mapped(stream: ArrayStream) -> NDArray[Any]:
    """What was appended to ``stream`` so far, memory-mapped."""
    stream.flush()
    shape = (stream.rows, *stream.row)
    if not stream.rows:
        return np.empty(shape, dtype=stream.dtype)
    return np.memmap(stream.path, dtype=stream.dtype, mode="r", offset=HEADER, shape=shape)


def _release(array: NDArray[Any]) -> None:
    """Release the pages of a memory-mapped array that were read: building must not hold what it has already written."""
    mapped = getattr(array, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _widened(rows: NDArray[np.float16]) -> NDArray[np.float32]:
    from ...kernels.dense.convert import widen

    vectors = np.empty(rows.shape, dtype=np.float32)
    widen(rows.view(np.uint16), vectors)
    return vectors


def merge(
    parts: Sequence[tuple[DenseIndex, NDArray[np.uint64] | None]],
    folder: Path,
    *,
    seed: int | None = None,
    bits: int | None = None,
    memory: int = MEMORY,
    advance: Callable[[int], None] = lambda rows: None,
) -> None:
    """Write selected rows of ``parts``, in order and renumbered, as one segment with its own centre and sketches.

    Each part comes with a mask of the rows to keep (bits in words of 64; None: all). The vectors are copied bit for bit.
    ``seed`` and ``bits`` default to those of the first part; ``memory`` is that of `DenseBuilder`. ``advance`` is called with
    the number of rows done. Raises `ValueError` where there are no parts or their dimensions differ, `LibraryDamaged` for
    vectors damaged into NaN or infinity.
    """
    if not parts:
        raise ValueError("there are no segments to merge")
    first = parts[0][0]
    for index, _ in parts:
        if index.dimension != first.dimension:
            raise ValueError(
                f"segments of dimension {first.dimension} and {index.dimension} cannot be merged; "
                "index the files again with one encoder"
            )
    seed = first.seed if seed is None else seed
    bits = first.bits if bits is None else bits
    with DenseBuilder(folder, first.dimension, seed=seed, bits=bits, memory=memory) as builder:
        piece = max(_BYTES // (4 * first.dimension) // GROUP, 1) * GROUP
        for index, keep in parts:
            mask = checked_mask(keep, index.rows)
            for start in range(0, index.rows, piece):
                rows = index.vectors[start : start + piece]
                if keep is not None:
                    words = mask[start // GROUP : (start + piece) // GROUP]
                    rows = rows[np.unpackbits(words.view(np.uint8), count=len(rows), bitorder="little").view(np.bool_)]
                try:
                    builder.append(_widened(np.ascontiguousarray(rows)))
                except ValueError as error:
                    raise LibraryDamaged(f"{index.folder.path('vectors')} holds NaN or infinity; {REMEDY}") from error
                index.folder.release("vectors")
                advance(min(piece, index.rows - start))
