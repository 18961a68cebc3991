"""Ranking: recipes, how they are written, and how they run."""

from __future__ import annotations

from typing import Any

from ..hits import Hits
from .named import DEFAULT_RECIPE, RECIPES, NamedRecipe
from .normalisation import DEFAULT_NORMALISATION, NORMALISATIONS
from .parse import parse_recipe
from .query import Query
from .recipe import Cut, Fuse, Pipe, Recipe, Retrieve, bm25, dense
from .retriever import Retriever
from .runner import DEFAULT_DEPTH, rank, run
from .trace import Ranking
from .validate import validate

__all__ = [
    "DEFAULT_DEPTH",
    "DEFAULT_NORMALISATION",
    "DEFAULT_RECIPE",
    "NORMALISATIONS",
    "RECIPES",
    "Cut",
    "Fuse",
    "Hits",
    "NamedRecipe",
    "Pipe",
    "Query",
    "Ranking",
    "Recipe",
    "Retrieve",
    "Retriever",
    "bm25",
    "dense",
    "parse_recipe",
    "rank",
    "run",
    "validate",
]


def __getattr__(name: str) -> Any:
    """A stage by its name, as a function that makes it: ``from bookwheel.rank import rm3; bm25 >> rm3(docs=5) >> bm25``."""
    from .stages.arguments import make_stage
    from .stages.registry import find_stage

    kind = None if name.startswith("_") else find_stage(name)
    if kind is None:
        raise AttributeError(f"module 'bookwheel.rank' has no attribute or stage {name!r}")

    def stage(*given: Any, **named: Any) -> Recipe:
        return make_stage(kind, given, named)

    stage.__name__, stage.__doc__ = name, kind.__doc__
    return stage
