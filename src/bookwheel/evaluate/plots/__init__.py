"""Plots as SVG: text of a fixed width that needs no script, takes the page's colours, and shows no text unescaped."""

from .boxes import Box, boxes, intervals
from .canvas import STYLE, standalone
from .curves import Curve, curves
from .differences import sorted_differences
from .heat_map import heat_map
from .scatter import Point, frontier, scatter

__all__ = [
    "STYLE",
    "Box",
    "Curve",
    "Point",
    "boxes",
    "curves",
    "frontier",
    "heat_map",
    "intervals",
    "scatter",
    "sorted_differences",
    "standalone",
]
