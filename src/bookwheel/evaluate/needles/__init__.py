"""Needle tests and reading tasks: does a model, or a recipe, find what was hidden in a long text?"""

from .heat_map import heat_map
from .kinds import KINDS
from .report import Cell, NeedleReport
from .run import needle_test, smoke_test
from .text import Filler, filler

__all__ = ["KINDS", "Cell", "Filler", "NeedleReport", "filler", "heat_map", "needle_test", "smoke_test"]
