"""Reading ahead the postings lists of a query that are not in memory: all at once, not page by page as the search needs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pages import in_memory, share_in_memory
from ..storage import ArrayFolder

__all__ = ["PostingsReader"]

BLOCK = 128
"""Postings per block (`kernels.bits.BLOCK`, repeated here so that opening an index does not import numba)."""
WHOLE = 4 << 20
"""Arrays of scattered access up to this many bytes are read ahead as a whole before the first search."""
SAMPLE = 8
"""Lists checked before a search to tell whether all are in memory; a check costs 2 µs."""
LOOKS = 4
"""The number of times that the dictionary is checked."""
WARM, SELDOM = 32, 8
"""After `WARM` searches in a row that found everything in memory, only one search in `SELDOM` checks."""
SCATTERED = ("text",)
"""Arrays of scattered access.

Postings and impacts are left out: where memory is short, their used pages should stay longer than others."""
EVERYWHERE = ("groups", "lengths", "dense")


class PostingsReader:
    """Reads ahead in the arrays of an `InvertedIndex`; ``folders`` has the folder of each array."""

    def __init__(self, folders: Mapping[str, ArrayFolder], arrays: Mapping[str, NDArray[Any]], row: int) -> None:
        self._folders = folders
        self._arrays = arrays
        self._row = row
        """Bytes of a long list's maximal impacts by range of passages."""
        self._addresses = {name: arrays[name].ctypes.data for name in ("postings", "text")}
        self._begun = False
        self._looks_left = LOOKS
        self._warm = 0
        """Searches in a row that found all lists in memory. Threads may miscount it, which only changes how often is checked."""

    def begin(self) -> None:
        """Before the first search: tell the system how the arrays are read. (A merge, in contrast, reads them from end to end.)"""
        if not self._begun:
            self._begun = True
            for name in SCATTERED:
                self._folders[name].scattered(name)
            for name in EVERYWHERE:
                if name in self._arrays and self._arrays[name].nbytes <= WHOLE:
                    self._folders[name].advise(name, 0, self._arrays[name].nbytes)

    def dictionary_cold(self) -> bool:
        """Whether much of the dictionary is not in memory, so that terms are better looked up in parallel.

        Checked for the first few look-ups only: later ones find the most used pages in memory, and threads then cost more than
        reading the missing pages.
        """
        if self._looks_left <= 0:
            return False
        self._looks_left -= 1
        if share_in_memory(self._addresses["text"], self._arrays["text"].nbytes) < 0.9:
            return True
        self._looks_left = 0
        return False

    def prefetch(self, records: NDArray[np.int64]) -> None:
        """Read ahead the lists of ``records`` (terms, 8; see `kernels.sparse.dictionary`) if some are not in memory."""
        self._warm += 1
        if self._warm > WARM and self._warm % SELDOM:
            return
        size, address = self._arrays["postings"].nbytes, self._addresses["postings"]
        for unit, units in records[:: max(1, len(records) // SAMPLE), 4:6].tolist():
            at = 2 * unit + units  # the middle
            if 0 <= at < size and not in_memory(address + at):
                break
        else:
            return
        self._warm = 0
        dense, ask = self._arrays["dense"], self._ask
        for number, count, posting, block, unit, units, *_ in records.tolist():
            ask("postings", 2 * unit, 2 * units)
            ask("impacts", posting, count)
            if block >= 0:
                blocks = -(-count // BLOCK)
                for name in ("last", "units", "widths", "shapes", "maxima"):
                    width = self._arrays[name].itemsize
                    ask(name, width * block, width * blocks)
                place = int(np.searchsorted(dense, number))
                if place < len(dense) and dense[place] == number:
                    ask("ranges", self._row * place, self._row)

    def _ask(self, name: str, offset: int, length: int) -> None:
        # A damaged file may point anywhere: request only what exists.
        if 0 <= offset < self._arrays[name].nbytes and length > 0:
            self._folders[name].advise(name, offset, length)
