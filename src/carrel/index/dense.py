"""Dense search: what the library uses of it. How it works is told in ``docs/dense-index.md``."""

from __future__ import annotations

from .dense_build import DenseBuilder, merge
from .dense_index import DenseIndex

__all__ = ["DenseBuilder", "DenseIndex", "merge"]
