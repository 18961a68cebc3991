"""Ctrl-C in work that commits as it goes: the first asks it to stop where all is consistent, the second stops it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["announce", "interruptible"]

_told: Callable[[], None] = lambda: None  # noqa: E731


def announce(told: Callable[[], None]) -> None:
    """Have ``told`` called, in the signal's handler, when work is asked to stop: until it does may take a while."""
    global _told
    _told = told


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a request to stop at the next moment where all is consistent; a second stops at once.

    Where nobody asked for it up to the end, as during the last commit, `KeyboardInterrupt` is raised then: it is never lost.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    old = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, old)
        _told()

    signal.signal(signal.SIGINT, ask)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, old)
    if asked.is_set():
        raise KeyboardInterrupt
