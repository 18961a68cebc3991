"""Runs of MinHash signatures on disk, each with a Bloom filter in memory that says whether a text may be like one of it.

A run is written once and never changed, like a segment. A band of a signature (four of its values) that two texts share makes
them candidates; which bands a run has, its filter knows in `FILTER_BYTES` a text; which texts have the band, and how much of
their signatures agrees, is read from the disk where the filter says yes. After Khan et al., "LSHBloom: Memory-efficient,
Extreme-scale Document Deduplication" (2024), who let the filters alone decide; banding after Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", chapter 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryDamaged
from ..documents.duplicates import HASHES
from ..kernels.minhash import BANDS, WORDS, add_recent, fill_filter, find_alike, find_in_run
from .storage import REMEDY, ArrayFolder, FolderWriter

__all__ = ["FILTER_BYTES", "RECENT", "Part", "SignatureRun", "Signatures", "write_run"]

FILTER_BYTES = 32
"""Of a text, in a run's filter: 16 bits a band, so that about one text in a hundred is looked up for nothing."""
RECENT = 1 << 14
"""Texts that are held in memory before they make a run."""
SLOTS = RECENT * BANDS * 2
PIECE = 4096
"""Signatures that are copied at a time."""
FOUND = 256
"""Texts that are named of one run, the first ones: a library may hold any number of texts that are all alike."""


class Part(NamedTuple):
    """Some texts of a run that is to be written."""

    documents: NDArray[np.int64]
    """Their numbers, (n,)."""
    signatures: NDArray[np.uint16]
    """(n, 128)."""


def write_run(folder: Path, parts: Sequence[Part], kept: Sequence[NDArray[np.bool_] | None]) -> int:
    """Write a run of the texts of ``parts``, in ascending order of their numbers, of each part those ``kept``; how many.

    Besides what is mapped from files, it takes about 28 bytes a text.
    """
    chosen = [
        np.arange(len(part.documents)) if mask is None else np.flatnonzero(mask) for part, mask in zip(parts, kept, strict=True)
    ]
    documents = np.concatenate([part.documents[rows] for part, rows in zip(parts, chosen, strict=True)])
    blocks = max(1, -(-len(documents) * FILTER_BYTES // (8 * WORDS)))
    words = np.zeros(blocks * WORDS, np.uint64)
    with FolderWriter(folder) as writer:
        writer.write("documents", documents)
        signatures = writer.stream("signatures", np.uint16, (HASHES,))
        for part, rows in zip(parts, chosen, strict=True):
            for at in range(0, len(rows), PIECE):
                some = part.signatures[rows[at : at + PIECE]]
                fill_filter(_bands(some), words)
                signatures.append(some)
        writer.write("filter", words)
        order = writer.stream("order", np.uint32, (len(documents),))
        for band in range(BANDS):
            column = np.concatenate([_bands(part.signatures)[rows, band] for part, rows in zip(parts, chosen, strict=True)])
            order.append(np.argsort(column, kind="stable").astype(np.uint32)[np.newaxis])
    return len(documents)


def _bands(signatures: NDArray[np.uint16]) -> NDArray[np.uint64]:
    """``signatures`` (n, 128) as numbers of four values each: uint64 (n, 32)."""
    return signatures.view(np.uint64)


class SignatureRun:
    """A run as it is read."""

    def __init__(self, folder: Path) -> None:
        """Raises `LibraryDamaged`."""
        self.arrays = ArrayFolder(folder)
        self.documents: NDArray[np.int64] = self.arrays.array("documents")
        self.signatures: NDArray[np.uint16] = self.arrays.array("signatures")
        self.filter: NDArray[np.uint64] = self.arrays.array("filter")
        self._order: NDArray[np.uint32] = self.arrays.array("order")
        count = len(self.documents)
        wanted = {
            "documents": ("int64", (count,)),
            "signatures": ("uint16", (count, HASHES)),
            "filter": ("uint64", self.filter.shape),
            "order": ("uint32", (BANDS, count)),
        }
        found = {name: (str(self.arrays.array(name).dtype), self.arrays.array(name).shape) for name in wanted}
        if found != wanted or self.filter.ndim != 1 or self.filter.size % WORDS:
            raise LibraryDamaged(f"{folder} holds no signatures; {REMEDY}")
        self._bands = _bands(self.signatures)
        self._rows = np.empty(FOUND, np.int64)
        for name in ("signatures", "order"):
            self.arrays.scattered(name)

    def __len__(self) -> int:
        return len(self.documents)

    def find(self, one: NDArray[np.uint16], band: int, enough: int) -> NDArray[np.int64]:
        """Rows that share the ``band`` of the signature ``one`` and agree with it in ``enough`` places: int64."""
        value = _bands(one)[band]
        found = find_in_run(one, value, band, self.signatures, self._bands, self._order[band], enough, self._rows)
        return self._rows[:found].copy()


class Signatures:
    """The signatures of all texts so far: those of some runs, and recent ones in memory."""

    def __init__(self, runs: Iterable[SignatureRun]) -> None:
        self.runs: list[SignatureRun] = list(runs)
        self._recent = np.zeros((RECENT, HASHES), np.uint16)
        self._table = np.zeros(SLOTS, np.uint32)
        self._numbers = np.zeros(RECENT, np.int64)
        self._count = 0
        self._rows = np.empty(FOUND, np.int64)
        self.looked_up = 0
        """Texts of which a filter knew a band."""
        self._gather()

    def _gather(self) -> None:
        """Bring the filters of all runs together."""
        filters = [run.filter for run in self.runs]
        self._filters = np.concatenate(filters) if filters else np.empty(0, np.uint64)
        self._hits = np.empty(BANDS * len(filters), np.int64)
        self._starts = np.array([0, *np.cumsum([len(words) // WORDS for words in filters])], np.int64)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._recent.nbytes + self._table.nbytes + self._numbers.nbytes + self._filters.nbytes

    @property
    def full(self) -> bool:
        """Whether there is no room for another recent one."""
        return self._count >= RECENT

    def find(self, one: NDArray[np.uint16], enough: int) -> list[tuple[int, int]]:
        """Number, and how many of the 128 places agree, of the texts whose signature agrees with ``one`` in ``enough`` places
        or more; in ascending order of the numbers.
        """
        found, hits = find_alike(one, self._recent, self._table, self._filters, self._starts, enough, self._rows, self._hits)
        if not found and not hits:
            return []
        alike: dict[int, int] = {}
        for row in set(self._rows[:found].tolist()):
            alike[int(self._numbers[row])] = int((self._recent[row] == one).sum())
        self.looked_up += hits > 0
        for hit in self._hits[:hits].tolist():
            run = self.runs[hit // BANDS]
            for row in run.find(one, hit % BANDS, enough).tolist():
                number = int(run.documents[row])
                if number not in alike:
                    alike[number] = int((run.signatures[row] == one).sum())
        return sorted(alike.items())

    def add(self, number: int, one: NDArray[np.uint16]) -> None:
        """Add the signature of the text ``number``, which is larger than all before; there must be room (`full`)."""
        add_recent(one, self._count, self._recent, self._table)
        self._numbers[self._count] = number
        self._count += 1

    @property
    def recent(self) -> Part:
        """Those that no run has."""
        return Part(self._numbers[: self._count], self._recent[: self._count])

    def replace(self, runs: Sequence[SignatureRun]) -> None:
        """Go on with these runs, which have the recent ones, too."""
        self.runs = list(runs)
        self._count = 0
        self._table[:] = 0
        self._gather()
