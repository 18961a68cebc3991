"""Floor 1: the compiled loops. Importing this package compiles nothing and does not import numba.

Each module holds the kernels of one concept and compiles them when it is imported, from then on out of a cache.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

__all__ = ["announce", "discard_stale", "on_compile", "warm"]

_listeners: list[Callable[[], None]] = []


def announce(say: Callable[[], None]) -> None:
    """Call ``say`` once, when a kernel really has to be compiled (not when it comes from the cache)."""
    _listeners[:] = [say]


def on_compile() -> None:
    """What the kernels' modules call when a compilation starts."""
    while _listeners:
        _listeners.pop()()


def discard_stale() -> None:
    """Delete cached machine code that was compiled from other sources than these.

    numba looks only at the file of the cached kernel, not at those of the kernels that it calls, and would go on running the
    old code of a function that was changed in another file.
    """
    folder = Path(__file__).parent
    cache = folder / "__pycache__"
    stamp = cache / "sources.txt"
    sources = ((path.name, path.stat()) for path in sorted(folder.glob("*.py")))
    now = "".join(f"{name} {found.st_size} {found.st_mtime_ns}\n" for name, found in sources)
    # What cannot be written is no cache of numba's either: it then keeps its files elsewhere, by their full path.
    with suppress(OSError):
        if (stamp.read_text() if stamp.is_file() else "") != now:
            for path in [*cache.glob("*.nbi"), *cache.glob("*.nbc")]:
                path.unlink(missing_ok=True)
            cache.mkdir(exist_ok=True)
            stamp.write_text(now)


def warm() -> None:
    """Compile every kernel, or load it from the cache."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
