"""Compiled kernels: the first run on a machine compiles them and says so;
later runs load them from a cache.
"""

from __future__ import annotations

from collections.abc import Callable

from .. import kernels
from .output import notice

__all__ = ["SECONDS", "announced"]

SECONDS = 30
"""About what compiling all kernels takes on one core of a small machine."""


def announced() -> Callable[[], None]:
    """Print a notice when a kernel has to be compiled. The function
    returned then compiles the others too.
    """
    compiling: list[bool] = []

    def say() -> None:
        compiling.append(True)
        notice(f"compiling the search kernels, once on this machine: about {SECONDS} s")

    def finish() -> None:
        if compiling:
            kernels.warm()

    kernels.announce(say)
    return finish
