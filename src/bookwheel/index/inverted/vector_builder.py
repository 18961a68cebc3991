"""Building an index of sparse vectors in limited memory: sorted runs on disk, then one pass over the terms."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..storage import ArrayFolder, FolderWriter
from .writer import ImpactsWriter, PostingsWriter

__all__ = ["SparseVectorBuilder", "VectorWriter"]

DENSE_SHARE = 64
"""A term in at least one of this many passages also gets its maximal impacts by range of 64 passages."""
BATCH = 1 << 20
"""Postings gathered from the runs at a time (8 bytes each)."""
_POSTING = 20
"""Bytes per posting while a run is sorted: as added (8), sorted (8), and the order (4)."""


class VectorWriter(PostingsWriter):
    """Writes an index of the sparse vectors of ``passages`` passages; the step of each term is appended to ``steps``, in order."""

    def __init__(self, folder: Path, passages: int, bits: int) -> None:
        self.bits = bits
        self._files = FolderWriter(folder, bits=bits + 8)
        super().__init__(self._files, ImpactsWriter(self._files), passages, bits=bits, dense=DENSE_SHARE)
        self.steps = self._files.stream("steps", np.float32)

    def close(self) -> None:
        """Write the rest and make the folder durable."""
        self.finish()
        self._files.attributes.update(passages=self.passages, postings=self.postings, terms=self.terms)
        self._files.close()


class SparseVectorBuilder:
    """Builds an index of sparse vectors in ``folder``, in about ``memory`` bytes plus the vocabulary.

    ``vocabulary[i]`` is the text of term i; it may instead be passed to `close`, or grow until then. ``bits`` (8 to 16) is the
    precision of the stored weights. Weights are stored as multiples of ``step``, the same for all terms; with None, each term's
    step is its greatest weight / (255 · 2^(bits - 8)). Weights above 255 · 2^(bits - 8) steps are stored as that many.
    """

    def __init__(
        self,
        folder: Path,
        vocabulary: Sequence[str] | None = None,
        *,
        bits: int = 12,
        step: float | None = None,
        memory: int = 64 << 20,
    ) -> None:
        if not 8 <= bits <= 16:
            raise ValueError(f"bits must be between 8 and 16, not {bits}")
        if step is not None and not 0.0 < step < math.inf:
            raise ValueError(f"step must be a finite number above 0, not {step}")
        self.folder = folder
        self.passages = self.postings = 0
        self._vocabulary, self._bits, self._step = vocabulary, bits - 8, step
        self._most = max(memory // _POSTING, 1 << 16)
        self._batches: list[tuple[int, NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]] = []
        self._held = 0
        self._counts = np.zeros(0, np.int64)
        self._greatest = np.zeros(0, np.float32)
        self._runs: list[ArrayFolder] = []
        self._spill = folder.with_name(folder.name + ".runs")

    @property
    def nbytes(self) -> int:
        """Bytes held now, including what sorting them takes."""
        return self._held * _POSTING + 12 * len(self._counts)

    def add(self, indptr: NDArray[np.int64], term_ids: NDArray[np.int32], weights: NDArray[np.floating]) -> None:
        """Add passages: passage i has the terms ``term_ids[indptr[i]:indptr[i + 1]]``, each once, with those weights.

        Weights of 0 are left out. Raises `ValueError` for weights that are negative or not finite.
        """
        indptr = np.ascontiguousarray(indptr, np.int64)
        terms, kept = np.ascontiguousarray(term_ids, np.int32), np.ascontiguousarray(weights, np.float32)
        if len(indptr) < 2:
            return
        if indptr[0] != 0 or indptr[-1] != len(terms) or np.any(indptr[1:] < indptr[:-1]):
            raise ValueError(f"indptr must rise from 0 to the number of term ids, {len(terms)}")
        if len(terms) != len(kept):
            raise ValueError(f"{len(terms)} term ids but {len(kept)} weights")
        if len(terms) and (terms.min() < 0 or not (kept.min() >= 0.0 and kept.max() < math.inf)):
            raise ValueError("term ids must not be negative, and weights finite and not negative")
        if len(terms) and not kept.all():
            indptr = np.concatenate(([0], np.cumsum(kept > 0)))[indptr]
            terms, kept = terms[kept > 0], kept[kept > 0]
        # In pieces that each fit a run, so that one large call does not exceed the memory allowed.
        for low, high in self._pieces(indptr):
            begin, end = int(indptr[low]), int(indptr[high])
            self._take(indptr[low : high + 1] - begin, terms[begin:end], kept[begin:end])

    def _pieces(self, indptr: NDArray[np.int64]) -> list[tuple[int, int]]:
        pieces, low, count = [], 0, len(indptr) - 1
        while low < count:
            high = max(int(np.searchsorted(indptr, indptr[low] + self._most, side="right")) - 1, low + 1)
            pieces.append((low, high))
            low = high
        return pieces

    def _take(self, indptr: NDArray[np.int64], terms: NDArray[np.int32], weights: NDArray[np.float32]) -> None:
        from ...kernels.sparse.vectors import take

        if self._held and self._held + len(terms) > self._most:
            self._write_run()
        size = int(terms.max()) + 1 if len(terms) else 0
        if size > len(self._counts):
            more = max(size, len(self._counts) * 3 // 2, 1024) - len(self._counts)
            self._counts = np.concatenate((self._counts, np.zeros(more, np.int64)))
            self._greatest = np.concatenate((self._greatest, np.zeros(more, np.float32)))
        if not take(indptr, terms, weights, np.full(len(self._counts), -1, np.int64), self._counts, self._greatest):
            raise ValueError("a passage has the same term twice; add up its weights or choose one")
        self._batches.append((self.passages, indptr, terms.copy(), weights.copy()))
        self._held += len(terms)
        self.passages += len(indptr) - 1
        self.postings += len(terms)

    def _write_run(self) -> None:
        """Sort the postings held by term, and write them as a run beside the folder."""
        from ...kernels.sparse.vectors import scatter

        counts = np.zeros(len(self._counts), np.int64)
        for _, _, terms, _ in self._batches:
            counts += np.bincount(terms, minlength=len(counts))
        starts = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=starts[1:])
        passages, weights = np.empty(self._held, np.uint32), np.empty(self._held, np.float32)
        cursors = starts[:-1].copy()
        for first, indptr, terms, values in self._batches:
            scatter(first, indptr, terms, values, cursors, passages, weights)
        run = self._spill / str(len(self._runs))
        with FolderWriter(run) as files:
            for name, array in (("starts", starts), ("passages", passages), ("weights", weights)):
                files.write(name, array)
        self._runs.append(ArrayFolder(run))
        self._batches, self._held = [], 0

    def close(self, vocabulary: Sequence[str] | None = None) -> None:
        """Write the index. Raises `ValueError` if a term used has no text, or two terms have the same text."""
        from ...kernels.sparse.vectors import gather

        names = vocabulary if vocabulary is not None else self._vocabulary
        used = np.flatnonzero(self._counts)
        if names is None or (len(used) and used[-1] >= len(names)):
            known = "none" if names is None else str(len(names))
            raise ValueError(f"term {used[-1] if len(used) else 0} was used, but the vocabulary has {known} terms")
        texts = {int(i): names[i].encode("utf-8", "surrogatepass") for i in used.tolist()}
        if len(set(texts.values())) < len(texts):
            raise ValueError("two terms of the vocabulary have the same text")
        order = np.array(sorted(texts, key=texts.__getitem__), np.int64)
        if self._held:
            self._write_run()
        writer = VectorWriter(self.folder, self.passages, self._bits)
        most = 255 << self._bits
        steps = self._greatest[order] / np.float32(most)
        steps = (
            np.maximum(steps, np.finfo(np.float32).tiny) if self._step is None else np.full(len(order), self._step, np.float32)
        )
        counts = self._counts[order]
        bounds = np.concatenate(([0], np.cumsum(counts)))
        low = 0
        while low < len(order):
            high = max(int(np.searchsorted(bounds, bounds[low] + BATCH, side="right")) - 1, low + 1)
            passages, codes = (np.empty(int(bounds[high] - bounds[low]), np.uint32) for _ in range(2))
            cursors = bounds[low:high] - bounds[low]
            for run in self._runs:
                starts, lists, weights = (run.array(name) for name in ("starts", "passages", "weights"))
                gather(order[low:high], starts, lists, weights, steps[low:high], most, cursors, passages, codes)
            writer.steps.append(steps[low:high])
            writer.add([texts[i] for i in order[low:high].tolist()], counts[low:high], passages, codes)
            low = high
            for run in self._runs:
                for name in ("passages", "weights"):
                    run.release(name)
        writer.close()
        self.abandon()

    def abandon(self) -> None:
        """Discard everything and delete the runs."""
        self._batches, self._runs, self._held = [], [], 0
        if self._spill.is_dir():
            shutil.rmtree(self._spill)
