"""The IDs of records read so far, in eight bytes each: a set of strings
would exceed the memory budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from .._errors import InputError
from .document import Document
from .failures import Upcoming
from .weight import Load

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SeenIds", "without_duplicates"]

_BATCH = 1024


class SeenIds:
    """A growing set of 64-bit hashes: sorted runs, of which two are merged
    when they reach the same size.

    Two different IDs collide with a probability of about n² / 2⁶⁵ (for
    10 million ids: 3 in a million).
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.int64]] = []

    def known(self, hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each of ``hashes`` (n) was added before: bool (n,)."""
        import numpy as np  # most readers need no arrays, and a process that reads starts without them

        known = np.zeros(len(hashes), np.bool_)
        for run in self._runs:
            known |= run[np.minimum(np.searchsorted(run, hashes), len(run) - 1)] == hashes
        return known

    def add(self, hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Adds ``hashes`` (n); whether each was added before or occurs
        earlier in ``hashes``: bool (n,).
        """
        import numpy as np

        fresh, first = np.unique(hashes, return_index=True)
        known = np.ones(len(hashes), np.bool_)
        known[first] = False
        for run in self._runs:
            places = np.minimum(np.searchsorted(run, fresh), len(run) - 1)
            known[first[run[places] == fresh]] = True
        run = np.sort(hashes[~known])
        if len(run):
            while self._runs and len(self._runs[-1]) <= 2 * len(run):
                run = np.concatenate((self._runs.pop(), run))
                run.sort(kind="stable")  # timsort: merges two sorted runs in linear time
            self._runs.append(run)
        return known


def without_duplicates(
    items: Iterable[Document | InputError], label: str, renamed: Callable[[Document], Document | None] = lambda document: None
) -> Iterator[Document | InputError]:
    """Yields ``items``, with an :class:`InputError` in place of each document whose ID
    occurred earlier in this source, unless ``renamed`` gives it under another.

    Documents are looked up in batches of at most 1024, and of a bounded weight.
    """
    import numpy as np

    seen = SeenIds()
    batch: list[Document | InputError] = []
    load = Load(_BATCH)

    def flush() -> Iterator[Document | InputError]:
        hashes = np.fromiter((hash(item.id) for item in batch if isinstance(item, Document)), np.int64)
        known = seen.add(hashes)
        if not known.any():
            yield from batch
            return
        flags = iter(known.tolist())
        for item in batch:
            if isinstance(item, Document) and next(flags):
                yield renamed(item) or InputError(
                    f"{label}:{item.line}: the ID {item.id[:80]!r} occurs earlier in this file; the record was skipped"
                )
            else:
                yield item

    damage: Exception | None = None
    try:
        for item in items:
            if isinstance(item, Upcoming):
                yield from flush()
                batch.clear()
                load.clear()
                yield item
                continue
            batch.append(item)
            full = load.add(item) if isinstance(item, Document) else len(batch) >= _BATCH
            del item  # the next one is read while this variable would hold it
            if full:
                yield from flush()
                batch.clear()
                load.clear()
    except Exception as error:  # the file is damaged from here on: what came before is good
        damage = error
    if batch:
        yield from flush()
    if damage is not None:
        raise damage
