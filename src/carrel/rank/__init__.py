"""Ranking: recipes, how they are written, and how they run."""

from .hits import Hits
from .named import DEFAULT_RECIPE, RECIPES, NamedRecipe
from .normalise import DEFAULT_NORMALISATION, NORMALISATIONS
from .parse import check, parse_recipe
from .recipe import Cut, Fuse, Recipe, Retrieve, bm25, dense
from .run import DEFAULT_DEPTH, Ranking, Retriever, run

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
    "Ranking",
    "Recipe",
    "Retrieve",
    "Retriever",
    "bm25",
    "check",
    "dense",
    "parse_recipe",
    "run",
]
