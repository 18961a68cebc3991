"""What the libraries of one process hold together: a stated budget is the process's, not each library's.

A reader that has searched and a writer that is indexing note what they hold; each counts what the others do. What two of them
share, such as an encoder, counts once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from weakref import WeakKeyDictionary

__all__ = ["BUFFERS", "PROCESS", "QUERIES", "RESERVE", "Process"]


class Process:
    """Bytes held, by holder and part. A holder that is gone holds nothing. Safe to use from several threads."""

    def __init__(self) -> None:
        self._held: WeakKeyDictionary[object, dict[Hashable, int]] = WeakKeyDictionary()
        self._writers: WeakKeyDictionary[object, int] = WeakKeyDictionary()
        """Those that are indexing, with the thread that each runs in."""
        self._changed = threading.Condition(threading.RLock())

    def after_fork(self) -> None:
        """In a forked child: the parent's work goes on there, and no other thread is here to release a lock."""
        self._changed = threading.Condition(threading.RLock())
        self._writers = WeakKeyDictionary()

    def hold(self, holder: object, parts: Mapping[Hashable, int]) -> None:
        """Note that ``holder`` holds ``parts``, instead of what it held before."""
        with self._changed:
            self._held[holder] = dict(parts)

    def others(self, holder: object, shared: Collection[Hashable] = (), *, buffers: bool = True) -> int:
        """Bytes that others hold, without the parts ``shared`` with ``holder``, and with or without writers' buffers."""
        with self._changed:
            parts: dict[Hashable, int] = {}
            for other, held in list(self._held.items()):
                if other is not holder:
                    parts.update(held)
            return sum(
                size
                for part, size in parts.items()
                if part not in shared and (buffers or not isinstance(part, tuple) or part[0] != BUFFERS)
            )

    def begin(self, writer: object, fits: Callable[[], bool], seconds: float) -> None:
        """Note that ``writer`` is indexing in this thread, once ``fits()`` beside those that are.

        Returns, where it does not, after ``seconds``, or at once where none of another thread is there to be waited for.
        """
        me, until = threading.get_ident(), time.monotonic() + seconds
        with self._changed:
            while True:
                self._writers[writer] = me
                others = [thread for other, thread in self._writers.items() if other is not writer]
                if fits() or not others or me in others or time.monotonic() > until:
                    self._changed.notify_all()
                    return
                del self._writers[writer]  # meanwhile the others need not leave it room
                self._held.pop(writer, None)
                self._changed.wait(LOOK)

    def end(self, writer: object) -> None:
        """Note that ``writer`` is done, and holds nothing."""
        with self._changed:
            self._writers.pop(writer, None)
            self._held.pop(writer, None)
            self._changed.notify_all()

    def writers(self) -> int:
        """How many are indexing."""
        with self._changed:
            return len(self._writers)


LOOK = 1.0
"""Seconds after which a writer that waits looks again."""
BUFFERS = "buffers"
"""The first item of the part that a writer needs at least; it has more where nobody else wants it."""
QUERIES, RESERVE = "running queries", "reserve"
"""Parts that all libraries of a process share."""
PROCESS = Process()
"""The one of this process."""
