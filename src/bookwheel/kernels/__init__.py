"""The compiled loops: pure functions over arrays. Importing this package compiles nothing and does not import numba.

Each module holds the kernels of one concept. Importing a module compiles its kernels, or loads them from the cache (`cache`).
"""

from __future__ import annotations

from .cache import announce, discard_stale, on_compile, prepare, warm

__all__ = ["announce", "discard_stale", "on_compile", "prepare", "warm"]
