"""Ranking: recipes, how they are written, and how they run."""

from __future__ import annotations

from ..hits import Hits
from .named import DEFAULT_RECIPE, RECIPES, NamedRecipe
from .normalisation import DEFAULT_NORMALISATION, NORMALISATIONS
from .parse import parse_recipe
from .query import Query
from .recipe import Cut, Fuse, Pipe, Recipe, Retrieve, bm25, dense
from .retriever import Retriever
from .trace import Ranking
from .validate import validate

__all__ = [
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
    "validate",
]
