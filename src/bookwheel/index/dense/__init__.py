"""Dense search: what the library uses of it. How it works is told in ``docs/dense-index.md``."""

from __future__ import annotations

from .build import DenseBuilder, merge, open_dense
from .flat import DenseIndex
from .ivf import ListedDenseIndex

__all__ = ["DenseBuilder", "DenseIndex", "ListedDenseIndex", "merge", "open_dense"]
