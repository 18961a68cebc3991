"""Reading scattered rows of a mapped array: one request for rows on disk, next to no cost for rows in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..pages import in_memory
from ..storage import ArrayFolder

__all__ = ["RowReader"]

_GAP = 1 << 14
"""Rows with fewer bytes than this between them are requested as one run."""
_SAMPLE = 8
"""Rows whose pages are checked before a read."""
_WARM, _SELDOM = 64, 8
"""After so many checks in a row that found all rows in memory, only one read in so many is checked."""


class RowReader:
    """Asks the system to read rows of a mapped array ahead, all at once, when some of them are not in memory.

    Page faults would read them one after another, each with some of its neighbours. Requesting rows that are already in memory
    costs more than scoring them, so the pages of a few rows are checked first.
    """

    def __init__(self, folder: ArrayFolder, name: str) -> None:
        self._folder = folder
        self._name = name
        array = folder.array(name)
        self._address = array.ctypes.data
        self._row_bytes = array.itemsize * int(np.prod(array.shape[1:]))
        self._reads = self._warm = 0
        """Threads may miscount: they only decide how often is checked."""

    def cold(self, rows: NDArray[np.integer]) -> bool:
        """Whether any of a sample of ``rows`` is not in memory.

        False where the system does not say, and for most reads after many that were in memory.
        """
        self._reads += 1
        if self._warm > _WARM and self._reads % _SELDOM:
            return False
        for row in rows[:: max(1, len(rows) // _SAMPLE)].tolist():
            if not in_memory(self._address + row * self._row_bytes):
                self._warm = 0
                return True
        self._warm += 1
        return False

    def prefetch(self, rows: NDArray[np.uint32]) -> None:
        """Request ascending ``rows``, in runs, if they are cold."""
        if len(rows) and self.cold(rows):
            firsts = rows.astype(np.int64)
            self._ask(firsts, firsts + 1)

    def prefetch_runs(self, runs: NDArray[np.int64]) -> None:
        """Request ascending runs of rows (r, 2), first and last + 1, if the first row of some run is cold."""
        runs = runs[runs[:, 1] > runs[:, 0]]
        if len(runs) and self.cold(runs[:, 0]):
            self._ask(runs[:, 0], runs[:, 1])

    def _ask(self, firsts: NDArray[np.int64], lasts: NDArray[np.int64]) -> None:
        starts, stops = firsts * self._row_bytes, lasts * self._row_bytes
        breaks = np.flatnonzero(starts[1:] - stops[:-1] > _GAP) + 1
        starts, stops = starts[np.concatenate([[0], breaks])], stops[np.concatenate([breaks - 1, [len(stops) - 1]])]
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            self._folder.advise(self._name, start, stop - start)
