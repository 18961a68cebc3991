"""Effectiveness measures: the usual ones built in, all others through ir-measures."""

from .parse import DEFAULT_MEASURES, depth_of, parse_measures
from .registry import KINDS
from .scores import Scores, measure

__all__ = ["DEFAULT_MEASURES", "KINDS", "Scores", "depth_of", "measure", "parse_measures"]
