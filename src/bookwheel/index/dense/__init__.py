"""The dense index: flat and IVF segments of vectors with sketches. ``docs/dense-index.md`` explains how it works."""

from __future__ import annotations

from .build import DenseBuilder, merge, open_dense
from .flat import DenseIndex
from .ivf import IvfDenseIndex

__all__ = ["DenseBuilder", "DenseIndex", "IvfDenseIndex", "merge", "open_dense"]
