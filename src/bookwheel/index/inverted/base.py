"""The inverted index, common to BM25 and sparse vectors: the dictionary, the postings lists, and the search over them.

The search (`kernels.sparse.search`) takes ranges of passages in the order of their upper bounds and leaves out those that no longer
matter: Mallia, Suel and Tonellotto, "Faster Learned Sparse Retrieval with Block-Max Pruning" (2024). Here it is always the safe one.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryDamaged
from ...hits import Hits
from ..storage import REMEDY, ArrayFolder
from .reader import PostingsReader

__all__ = ["InvertedIndex", "WeightedTerms"]

REMEMBERED = 4096
"""The number of terms whose records an index caches."""
DICTIONARY = {"text": np.uint8, "groups": np.uint32}
DIRECTORY = {"last": np.uint32, "units": np.uint16, "widths": np.uint8, "shapes": np.uint8, "postings": np.uint16}
IMPACTS = {"impacts": np.uint8, "maxima": np.uint8, "ranges": np.uint8}
ASKING = 32
"""The number of terms looked up at once in a dictionary that is not in memory."""
_LOW = np.uint64(0xFFFFFFFF)
_UNFILTERED = np.empty(0, np.uint64)
_FIELDS = 8
"""Integers in a term's record (`kernels.sparse.dictionary.RECORD`)."""

WeightedTerms = tuple[Sequence[str], "Sequence[float] | NDArray[np.floating[Any]]"]
"""Terms, all different, and their weights: a query of `search_many`."""


class _Scratch(threading.local):
    """A thread's working arrays, shared by all indexes; about 350 KB."""

    arrays: tuple[NDArray[Any], ...] = ()

    def get(self) -> tuple[NDArray[Any], ...]:
        if not self.arrays:
            from ...kernels.sparse.scan import FEW, WINDOW
            from ...kernels.sparse.search import BINS

            self.arrays = (
                np.zeros(WINDOW, np.uint32),
                np.zeros(WINDOW // 64, np.uint32),
                np.zeros(WINDOW // 64, np.uint64),
                np.zeros(3 * WINDOW, np.uint32),
                np.zeros(FEW + 128, np.uint32),
                np.zeros(BINS, np.uint32),
                np.zeros(WINDOW, np.uint8),
            )
        return self.arrays


_scratch = _Scratch()


class InvertedIndex:
    """The dictionary and postings lists of an index, memory-mapped. Safe to use from several threads.

    ``structure`` is the folder of dictionary and postings, ``impacts`` that of the impacts (the same or another one).
    """

    bits = -1
    """-1 if the values are term frequencies; else the number of low bits of the integer weights that impacts do not hold."""

    def __init__(self, structure: ArrayFolder, impacts: ArrayFolder, others: dict[str, Any]) -> None:
        self.structure = structure
        self.arrays: dict[str, NDArray[Any]] = {}
        folders: dict[str, ArrayFolder] = {}
        for source, names in ((structure, DICTIONARY | DIRECTORY | {"dense": np.uint32} | others), (impacts, IMPACTS)):
            for name, dtype in names.items():
                array = self.arrays[name] = source.array(name)
                folders[name] = source
                if array.dtype != dtype or array.ndim != 1:
                    raise LibraryDamaged(f"{source.path(name)} is not an array of {np.dtype(dtype)}; {REMEDY}")
        try:
            self.passages, self.postings, self.terms = (
                int(structure.attributes[name]) for name in ("passages", "postings", "terms")
            )
        except (KeyError, ValueError) as error:
            raise LibraryDamaged(f"{structure.folder} is not a sparse index ({error}); {REMEDY}") from error
        blocks = len(self.arrays["last"])
        self._check_sizes(
            {
                "groups": 4 * ((self.terms + 15) // 16), "units": blocks, "widths": blocks, "shapes": blocks,
                "maxima": blocks, "impacts": self.postings,
                "ranges": len(self.arrays["dense"]) * ((self.passages + 63) // 64),
            },
            impacts,
        )  # fmt: skip
        self._lock = threading.Lock()
        self._reader = PostingsReader(folders, self.arrays, (self.passages + 63) // 64)
        # The row of each cached term, and the records by row; the pair is replaced as a whole, never changed.
        self._known: tuple[dict[str, int], NDArray[np.int64]] = ({}, np.empty((0, _FIELDS), np.int64))

    def _check_sizes(self, right: dict[str, int], impacts: ArrayFolder) -> None:
        wrong = [
            f"{n} has {len(self.arrays[n])} items instead of {size}" for n, size in right.items() if len(self.arrays[n]) != size
        ]
        if wrong:
            both = self.structure.folder if impacts is self.structure else f"{self.structure.folder} and {impacts.folder}"
            raise LibraryDamaged(f"the arrays of {both} do not fit together: {', '.join(wrong)}; {REMEDY}")

    @property
    def hot_bytes(self) -> int:
        """Bytes of the mapped arrays that every search reads; these count towards a memory budget."""
        return sum(self.arrays[name].nbytes for name in ("groups", "last", "units", "widths", "shapes", "maxima", "ranges"))

    @cached_property
    def _directory(self) -> tuple[NDArray[Any], ...]:
        return tuple(self.arrays[name] for name in DIRECTORY)

    def cold(self) -> bool:
        """Whether much of the dictionary is on disk, not in memory."""
        return self._reader.dictionary_cold()

    def records(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """The dictionary's record of each of ``terms``: int64 (terms, 8), see `kernels.sparse.dictionary`."""
        rows, table = self._known
        try:
            return table[[rows[term] for term in terms]] if len(terms) else np.empty((0, _FIELDS), np.int64)
        except KeyError:
            pass
        with self._lock:
            rows, table = self._known
            missing = [term for term in dict.fromkeys(terms) if term not in rows]
            if len(rows) + len(missing) > REMEMBERED:
                rows, table, missing = {}, table[:0], list(dict.fromkeys(terms))
            found = self._look_up(missing)
            rows = rows | {term: len(table) + i for i, term in enumerate(missing)}
            table = np.concatenate((table, found))
            self._known = (rows, table)
        return table[[rows[term] for term in terms]]

    def _look_up(self, terms: Sequence[str]) -> NDArray[np.int64]:
        from ...kernels.sparse.dictionary import lookup

        self._reader.begin()
        if len(terms) > 1 and self.cold():
            # Each look-up waits for one page of the dictionary after another: in parallel they wait together.
            with ThreadPoolExecutor(min(len(terms), ASKING)) as pool:
                return np.concatenate(list(pool.map(lambda term: self._look_up([term]), terms)))
        encoded = [term.encode("utf-8", "surrogatepass") for term in terms]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(term) for term in encoded], out=offsets[1:])
        records = np.empty((len(encoded), _FIELDS), np.int64)
        text = np.frombuffer(b"".join(encoded), np.uint8)
        lookup(self.arrays["text"], self.arrays["groups"], self.terms, text, offsets, records)
        return records

    def spellings(self, low: int, high: int) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
        """(text, offsets, records) of the terms ``low … high``; term low + i is ``text[offsets[i]:offsets[i + 1]]``, UTF-8.

        ``low`` must be a multiple of 16 (ValueError). Streams through the dictionary at about 20 ns per term.
        """
        from ...kernels.sparse.dictionary import GROUP, read_terms

        if low % GROUP:
            raise ValueError(f"low must be a multiple of {GROUP}, not {low}")
        high = min(high, self.terms)
        if high <= low:
            return np.empty(0, np.uint8), np.zeros(1, np.int64), np.empty((0, _FIELDS), np.int64)
        groups = (low // GROUP, -(-high // GROUP))
        covered = min(groups[1] * GROUP, self.terms) - low
        records, offsets = np.empty((covered, _FIELDS), np.int64), np.zeros(covered + 1, np.int64)
        names = np.empty(32 * covered, np.uint8)
        arguments = (self.arrays["text"], self.arrays["groups"], self.terms, *groups, records)
        read: Any = read_terms
        used = read(*arguments, names, offsets)
        if used > len(names):
            # Damaged bytes may claim any size; in sound ones, every shared prefix was once written in full.
            if used > covered * (len(self.arrays["text"]) + 1):
                raise LibraryDamaged(f"{self.structure.path('text')} is damaged; {REMEDY}")
            names = np.empty(used, np.uint8)
            read(*arguments, names, offsets)
        count = high - low
        return names[: int(offsets[count])], offsets[: count + 1], records[:count]

    def beginning_with(self, prefix: str) -> list[str]:
        """The terms that begin with ``prefix``, in the order of their bytes."""
        from ...kernels.sparse.dictionary import GROUP

        wanted = prefix.encode("utf-8", "surrogatepass")
        low, high = 0, -(-self.terms // GROUP)
        while low < high:  # the first group whose first term is not below the prefix
            middle = (low + high) // 2
            names, _ = self.read_terms(middle * GROUP, middle * GROUP + 1)
            if names[0] < wanted:
                low = middle + 1
            else:
                high = middle
        found: list[str] = []
        at = max(low - 1, 0) * GROUP
        while at < self.terms:
            names, _ = self.read_terms(at, at + 64 * GROUP)
            found += [name.decode("utf-8", "surrogatepass") for name in names if name.startswith(wanted)]
            if names[-1][: len(wanted)] > wanted:
                break
            at += 64 * GROUP
        return found

    def read_terms(self, low: int, high: int) -> tuple[list[bytes], NDArray[np.int64]]:
        """The result of `spellings`, with the terms as bytes."""
        names, offsets, records = self.spellings(low, high)
        text, ends = names.tobytes(), offsets.tolist()
        return [text[begin:end] for begin, end in pairwise(ends)], records

    def bitmap(self, term: str) -> NDArray[np.uint64]:
        """The passages that contain ``term``: bit i % 64 of word i // 64."""
        from ...kernels.sparse.score import mark_passages

        bits = np.zeros((self.passages + 63) // 64, np.uint64)
        mark: Any = mark_passages
        mark(self.records([term]), self.passages, self.postings, *self._directory, bits)
        return bits

    def document_frequencies(self, terms: Sequence[str], deleted: NDArray[np.integer[Any]] | None = None) -> NDArray[np.int64]:
        """Number of passages with each of ``terms``, without those in ``deleted`` (ascending local ids).

        Each deleted passage is looked up in each list (about 10 ns per term and passage), so callers with many of them should
        cache the result.
        """
        records = self.records(terms)
        counts = np.minimum(records[:, 1], self.passages)
        if deleted is not None and len(deleted) and len(records):
            from ...kernels.sparse.score import count_among

            gone = np.empty(len(records), np.int64)
            count: Any = count_among
            count(self._rising(deleted), records, self.passages, self.postings, *self._directory, gone)
            counts = counts - gone
        return counts

    def _rising(self, ids: NDArray[np.integer[Any]]) -> NDArray[np.uint32]:
        if len(ids) and (ids[0] < 0 or ids[-1] >= self.passages):
            raise ValueError(f"local ids must be between 0 and {self.passages - 1}")
        return np.ascontiguousarray(ids, np.uint32)

    def _query(
        self, terms: Sequence[str], weights: Sequence[float] | NDArray[np.floating[Any]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Records and weights of the terms that occur here and have a weight above 0."""
        if len(terms) != len(weights):
            raise ValueError(f"{len(terms)} terms but {len(weights)} weights")
        if len(set(terms)) < len(terms):
            raise ValueError("the terms of a query must differ; add up the weights of equal terms")
        records, known = self.records(terms), np.asarray(weights, np.float64)
        values = known.tolist()  # most queries have a few terms, for which numpy takes longer than plain Python
        if not all(0.0 <= value < math.inf for value in values):
            raise ValueError("weights of terms must be finite and not negative")
        counts = [value > 0.0 and count > 0 for value, count in zip(values, records[:, 1].tolist(), strict=True)]
        if not all(counts):
            records, known = records[counts], known[counts]
        return records, known

    def _mask(self, mask: NDArray[np.uint64] | None) -> NDArray[np.uint64]:
        if mask is None:
            return _UNFILTERED
        if mask.dtype != np.uint64 or mask.shape != ((self.passages + 63) // 64,):
            raise ValueError(f"a mask must be uint64 of shape ({(self.passages + 63) // 64},), not {mask.dtype} {mask.shape}")
        return mask

    def _lengths(self) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
        """Lengths of the passages in the form the kernels take."""
        return np.empty(0, np.uint16), np.empty(0, np.uint32)

    def _run(
        self,
        queries: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
        k: int,
        parameters: NDArray[np.float64],
        mask: NDArray[np.uint64] | None,
        threads: int = 1,
    ) -> list[Hits]:
        """Search for each of ``queries``; ``parameters`` are those of `kernels.sparse.search.search`."""
        if not 0.0 < parameters[6] <= 1.0:
            raise ValueError(f"approximate must be above 0 and at most 1, not {parameters[6]}")
        allowed = self._mask(mask)
        if k < 1 or not queries:
            return [Hits.empty() for _ in queries]
        if threads <= 1 or len(queries) < 2 * threads:
            return self._run_some(queries, k, parameters, allowed)
        # Several parts per thread, so that a part with long queries does not keep the other threads waiting.
        parts = np.array_split(np.arange(len(queries)), min(4 * threads, len(queries)))
        with ThreadPoolExecutor(threads) as pool:
            done = pool.map(lambda p: self._run_some(queries[p[0] : p[-1] + 1], k, parameters, allowed), parts)
            return [hits for part in done for hits in part]

    def _run_some(
        self,
        queries: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
        k: int,
        parameters: NDArray[np.float64],
        allowed: NDArray[np.uint64],
    ) -> list[Hits]:
        from ...kernels.sparse import search as sparse_search

        kernel: Any = sparse_search.search
        if len(queries) == 1:
            records, weights = queries[0]
            bounds = np.array([0, len(records)], np.int64)
            self._reader.prefetch(records)
        else:
            records = np.concatenate([records for records, _ in queries])
            weights = np.concatenate([weights for _, weights in queries])
            bounds = np.zeros(len(queries) + 1, np.int64)
            np.cumsum([len(weights) for _, weights in queries], out=bounds[1:])
        ends = np.empty(len(queries), np.int64)
        a = self.arrays
        keys = kernel(
            records, weights, bounds, k, parameters, self.bits, self.passages, *self._directory, *self._lengths(),
            a["impacts"], a["maxima"], a["ranges"], a["dense"], allowed, *_scratch.get(), ends,
        )  # fmt: skip
        found, begin = [], 0
        for end in ends.tolist():
            found.append(_hits(keys[begin:end], k, parameters[5]))
            begin = end
        return found

    def _scores(
        self,
        query: tuple[NDArray[np.int64], NDArray[np.float64]],
        ids: NDArray[np.integer[Any]],
        parameters: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        from ...kernels.sparse import score as sparse_score

        order = np.argsort(ids, kind="stable")
        rising = self._rising(np.asarray(ids)[order])
        sums, scores = np.zeros(len(ids), np.float64), np.empty(len(ids), np.float32)
        if len(ids):
            kernel: Any = sparse_score.score
            kernel(
                rising, *query, parameters, self.bits, self.passages, *self._directory, *self._lengths(),
                self.arrays["impacts"], sums,
            )  # fmt: skip
        scores[order] = sums
        return scores


def _hits(keys: NDArray[np.uint64], k: int, threshold: float) -> Hits:
    """The ``k`` best hits of the kernel's keys that reach ``threshold``."""
    keys = np.sort(keys)[:k]
    scores = (~(keys >> np.uint64(32))).astype(np.uint32).view(np.float32)
    if threshold > 0.0 and len(scores) and scores[-1] < np.float32(threshold):
        enough = int(np.searchsorted(-scores, -np.float32(threshold), side="right"))
        keys, scores = keys[:enough], scores[:enough]
    return Hits((keys & _LOW).astype(np.int64), scores)
