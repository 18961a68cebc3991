"""Which heads of a model look at what answers a query: found by measuring, on collections other than those reported."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..._errors import RecipeError, UsageError
from .base import standard

__all__ = ["HEADS", "best_heads", "contrast", "heads_named"]

Head = tuple[int, int]

HEADS: Mapping[str, tuple[Head, ...]] = {
    "smollm2": ((18, 7), (18, 6), (8, 0), (17, 3), (17, 4), (15, 6), (2, 4), (14, 3)),
}
"""By model: (layer, head), best first: the eight with the largest `contrast` on the mean of four judged collections, up to
layer 18, where reading then ends. ``bench/reranking.py heads`` measures every head."""
TEMPERATURE = 0.5
_PAIR = re.compile(r"(\d{1,4})\.(\d{1,4})")


def best_heads(model: str) -> tuple[Head, ...]:
    """The heads known for ``model``. Raises `UsageError` where they were never measured."""
    try:
        return HEADS[model]
    except KeyError:
        raise UsageError(
            f'the best heads of {model!r} are not known, only those of {", ".join(HEADS)}; take all with heads="all", or name '
            'some as layer.head, as in heads="17.3 18.7"'
        ) from None


def heads_named(text: str) -> tuple[Head, ...] | None:
    """Heads written as ``17.3 18.7`` (layer.head); None for ``best`` and ``all``. Raises `RecipeError` for anything else."""
    if text in ("best", "all"):
        return None
    pairs = [_PAIR.fullmatch(part) for part in text.replace(",", " ").split()]
    if not pairs or not all(pairs):
        raise RecipeError(f'\'heads\' is "best", "all" or some as layer.head, as in "17.3 18.7", not {text!r}')
    return tuple(dict.fromkeys((int(pair[1]), int(pair[2])) for pair in pairs if pair))


def contrast(weights: Sequence[NDArray[np.floating]], relevant: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
    """How well each head tells relevant candidates from the others, float64 (heads,): 0 is chance.

    ``weights``: of each query what each head gives to each candidate, (heads, candidates); ``relevant``: which candidates are,
    (candidates,). The mean over queries of the relevant ones' share of a softmax over the candidates, each head's weights at mean
    0 and deviation 1 first, less their share of the list. After Tran et al., "Contrastive Retrieval Heads Improve
    Attention-Based Re-Ranking" (2025). Queries whose candidates are all relevant, or none, say nothing. Raises `UsageError` where
    no query says anything.
    """
    rows = []
    for table, wanted in zip(weights, relevant, strict=True):
        if wanted.any() and not wanted.all():
            scores = np.stack([standard(row) for row in table.astype(np.float64)]) / TEMPERATURE
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            rows.append(shares[:, wanted].sum(axis=1) / shares.sum(axis=1) - wanted.mean())
    if not rows:
        raise UsageError("heads are told apart by queries with both relevant and other candidates, and there is none")
    return np.asarray(np.mean(rows, axis=0), np.float64)
