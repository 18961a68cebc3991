"""The recipes that have a name.

Why ``hybrid`` is the default: a vector of a fixed length cannot tell all that words do, and the sum of both scores can; Luan et al.,
"Sparse, Dense, and Attentional Representations for Text Retrieval" (2021). In part: the hybrid, and token vectors for several vectors
a text (``late``); their encoder between the two is not here.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

__all__ = ["DEFAULT_RECIPE", "RECIPES", "NamedRecipe"]


class NamedRecipe(NamedTuple):
    """A recipe's text, and what it is for in one line."""

    text: str
    description: str


RECIPES = MappingProxyType(
    {
        "bm25": NamedRecipe("bm25", "words: BM25 over the analysed terms; best for names, codes and rare words"),
        "dense": NamedRecipe("dense", "meaning: cosine of the encoder's vectors; finds what is said in other words"),
        "hybrid": NamedRecipe("0.5*bm25 + 0.5*dense", "both: the sum of their normalised scores (the default)"),
    }
)
"""Name to recipe. A name can be used inside a recipe: ``hybrid % 20``."""

DEFAULT_RECIPE = "hybrid"
