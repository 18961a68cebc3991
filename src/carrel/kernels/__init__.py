"""Floor 1: the compiled loops. Importing this package compiles nothing and does not import numba.

Each module holds the kernels of one concept and compiles them when it is imported, from then on out of a cache.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable

__all__ = ["announce", "on_compile", "warm"]

_listeners: list[Callable[[], None]] = []


def announce(say: Callable[[], None]) -> None:
    """Call ``say`` once, when a kernel really has to be compiled (not when it comes from the cache)."""
    _listeners[:] = [say]


def on_compile() -> None:
    """What the kernels' modules call when a compilation starts."""
    while _listeners:
        _listeners.pop()()


def warm() -> None:
    """Compile every kernel, or load it from the cache."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
