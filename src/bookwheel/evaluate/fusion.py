"""Fits the weights of a library's fusion on judged queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from .._errors import RecipeError
from ..progress import Progress, silent
from ..rank.recipe import Fuse, Recipe, fuse, scale
from .collection import Collection
from .fit import JudgedCandidates, best_weights, ideal_gain

if TYPE_CHECKING:
    from ..library.library import Library

__all__ = ["fit_fusion", "is_fusion"]

CANDIDATES = 400
"""Passages per query that weights are fitted on."""


def is_fusion(library: Library, recipe: str | Recipe | None) -> bool:
    """Whether ``recipe`` is a weighted sum of two or more parts, whose weights can be fitted.
    Raises `RecipeError`.
    """
    chosen = library.recipe(recipe)
    return isinstance(chosen, Fuse) and len(chosen.terms) > 1


def fit_fusion(
    library: Library, recipe: str | Recipe | None, training: Collection, *, progress: Progress = silent
) -> tuple[Recipe, float]:
    """The fusion with the weights that rank the queries of ``training`` best, and the mean nDCG@10
    that they reach there.

    Report the figures of other queries (`Collection.halves`). Raises `RecipeError` where ``recipe``
    is not a fusion.
    """
    chosen = library.recipe(recipe)
    if not isinstance(chosen, Fuse) or len(chosen.terms) < 2:
        raise RecipeError(f"only the weights of a fusion can be fitted, as in 'bm25 + dense', not those of {chosen}")
    parts = [term.recipe for term in chosen.terms]
    even = fuse(*parts)
    assert isinstance(even, Fuse)
    judged: list[JudgedCandidates] = []
    queries = [(query, text) for query, text in training.judged.items() if text.strip()]
    if not queries:
        raise RecipeError(f"{training.name} has no judged query with a text to fit {chosen} on")
    task = progress("fitting", len(queries), "queries")
    try:
        for query, text in queries:
            judged.append(_candidates(library, even, text, training.qrels[query]))
            task.advance(1)
    finally:
        task.close()
    weights, reached = best_weights(judged, len(parts))
    return fuse(*(scale(part, weight) for part, weight in zip(parts, weights, strict=True))), reached


def _candidates(library: Library, recipe: Fuse, text: str, grades: Mapping[str, int]) -> JudgedCandidates:
    """The candidate documents of one query, each scored as its best passage by equal weights."""
    ids, features = library.features(text, recipe, CANDIDATES)
    names = library.documents_of(ids.tolist())
    first: dict[int, int] = {}
    for at in np.argsort(-features.sum(axis=1), kind="stable").tolist():
        if (number := int(ids[at])) in names:
            first.setdefault(names[number][0], at)
    rows = list(first.values())
    gains = np.array([max(grades.get(names[int(ids[at])][1], 0), 0) for at in rows], np.float64)
    return JudgedCandidates(features[rows], gains, ideal_gain(list(grades.values())))
