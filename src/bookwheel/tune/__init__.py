"""Tuning: the best recipe inside milliseconds and bytes, from judgments or from questions made of
the collection itself.
"""

from .result import Tuning
from .tuning import tune

__all__ = ["Tuning", "tune"]
