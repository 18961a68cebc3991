"""The most anonymous memory that this process holds while a block runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..._system import anonymous_bytes

__all__ = ["Peak", "peak_of"]

LOOK = 0.002
"""Seconds between two looks."""


class Peak:
    """``bytes``: the most so far; 0 where the system does not say."""

    def __init__(self) -> None:
        self.bytes = 0

    def look(self) -> None:
        """Look now."""
        self.bytes = max(self.bytes, anonymous_bytes() or 0)


@contextmanager
def peak_of() -> Iterator[Peak]:
    """Watches from a thread of its own: what torch computes does not hold the interpreter."""
    peak, over = Peak(), threading.Event()
    peak.look()

    def watch() -> None:
        while not over.wait(LOOK):
            peak.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()
        peak.look()
