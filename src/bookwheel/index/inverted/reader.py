"""Reading the lists of a query that are not in memory: asked for at once, instead of page after page as the search comes to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pages import in_memory, share_in_memory
from ..storage import ArrayFolder

__all__ = ["ListReader"]

BLOCK = 128
"""Postings of a block (`kernels.bits.BLOCK`, which is not imported to open an index)."""
WHOLE = 4 << 20
"""Bytes up to which arrays that every search looks into here and there are asked for whole at first."""
SAMPLE = 8
"""Lists that are looked at before a search to tell whether all are in memory: a look costs 2 µs."""
LOOKS = 4
"""Times that the dictionary is looked at."""
WARM, SELDOM = 32, 8
"""After so many searches in a row that found everything in memory only one in so many looks."""
SCATTERED = ("text",)
"""Not postings and impacts: pages of those that were used before should outlast others where memory is short."""
EVERYWHERE = ("groups", "lengths", "dense")


class ListReader:
    """Of the arrays of `sparse_lists.Lists`, each with the folder that it is in."""

    def __init__(self, folders: Mapping[str, ArrayFolder], arrays: Mapping[str, NDArray[Any]], row: int) -> None:
        self._folders = folders
        self._arrays = arrays
        self._row = row
        """Bytes of a long list's greatest impacts by range of passages."""
        self._addresses = {name: arrays[name].ctypes.data for name in ("postings", "text")}
        self._begun = False
        self._looks_left = LOOKS
        self._warm = 0
        """Searches in a row that found all lists in memory. Threads may miscount: it only decides how often is looked."""

    def begin(self) -> None:
        """Before the first search: tell the system how the arrays are read. What merges them reads them from end to end."""
        if not self._begun:
            self._begun = True
            for name in SCATTERED:
                self._folders[name].scattered(name)
            for name in EVERYWHERE:
                if name in self._arrays and self._arrays[name].nbytes <= WHOLE:
                    self._folders[name].advise(name, 0, self._arrays[name].nbytes)

    def dictionary_cold(self) -> bool:
        """Whether much of the dictionary is not in memory, so that terms are better looked up side by side.

        Asked for the first few look-ups only: later ones find the pages that most of them go through, and threads cost more
        than the pages that are still missing.
        """
        if self._looks_left <= 0:
            return False
        self._looks_left -= 1
        if share_in_memory(self._addresses["text"], self._arrays["text"].nbytes) < 0.9:
            return True
        self._looks_left = 0
        return False

    def prefetch(self, records: NDArray[np.int64]) -> None:
        """Ask for the lists of ``records`` (terms, 8; see `kernels.sparse_dictionary`), if some are not in memory."""
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
        # Whatever a damaged file says: only what there is.
        if 0 <= offset < self._arrays[name].nbytes and length > 0:
            self._folders[name].advise(name, offset, length)
