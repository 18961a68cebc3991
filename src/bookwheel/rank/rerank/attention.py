"""In-context reranking by attention: which passages the words of a query look at, in one forward pass over all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError, UsageError
from ...language.prompts import load_prompt
from ...language.protocols import remaining
from .base import Reranked

__all__ = ["LAYOUTS", "REDUCTIONS", "AttentionReranker", "document_scores"]

LAYOUTS = ("apart", "moved", "together")
REDUCTIONS = ("mean", "sum")
NULL_QUERY = "N/A"
"""The content-free query of the ICR paper."""
Heads = Sequence[tuple[int, int]]


class AttentionReranker:
    """Scores from the attention that the query's tokens pay to each passage's.

    Chen, Gutiérrez and Su, "Attention in Large Language Models Yields Efficient Zero-Shot Re-Rankers" (ICLR 2025, ICR): the
    attention of every head, averaged over the query's tokens, less that of a content-free query (``calibrate``), summed over
    heads and over a passage's tokens (``reduce="sum"``; ``mean`` does not favour long ones). ``heads`` takes those given only,
    as "query-focused retrieval heads" (Zhang et al., 2025) do, and brings each head to one scale first (``standardise``).

    ``layout``: ``together`` reads all passages as one text, as the paper does; ``apart`` reads each on its own, once, all at
    the same positions, so that none is nearer to the query (BlockRank's block attention, Gupta et al. 2025, without its
    positions); ``moved`` reads them apart and puts them one behind the other. Only passages read apart are kept for the next
    query. Needs a local model; raises `ModelError` otherwise.
    """

    def __init__(
        self,
        model: Any,
        *,
        heads: Heads | None = None,
        layout: str = "apart",
        reduce: str = "mean",
        calibrate: bool = True,
        standardise: bool = False,
        prompt: str = "attention",
        max_tokens: int = 256,
    ) -> None:
        if not hasattr(model, "attention"):
            raise ModelError(
                "reranking by attention needs a language model in this process, 'smollm2' say: a server shows no attention"
            )
        for name, value, known in (("layout", layout, LAYOUTS), ("reduce", reduce, REDUCTIONS)):
            if value not in known:
                raise UsageError(f"{name} is one of {', '.join(known)}, not {value!r}")
        self._model = model
        self._heads = heads
        self._layers = None if heads is None else max((layer for layer, _ in heads), default=0) + 1
        self._layout = layout
        self._reduce = reduce
        self._calibrate = calibrate
        self._standardise = standardise
        self._max_tokens = max_tokens
        self._before, self._between, after = load_prompt(prompt).around("passage", "query")
        if after:
            raise UsageError(f"the prompt {prompt!r} must end with {{query}}: what follows it has no influence")

    def rerank(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> Reranked:
        """Scores without a unit; they compare within one list only."""
        asked, null, count = self.weights(query, texts, deadline=deadline)
        if not count:
            return Reranked.of([None] * len(texts))
        scores = document_scores(asked, null, reduce=self._reduce, standardise=self._standardise)
        return Reranked.of([float(score) for score in scores] + [None] * (len(texts) - count))

    def weights(
        self, query: str, texts: Sequence[str], *, deadline: float | None = None
    ) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]] | None, int]:
        """Attention to each passage, float32 (heads, tokens): of the query, of the content-free one, and how many passages."""
        model, most = self._model, self._max_tokens
        if remaining(deadline) <= 0 or not texts:
            return [], None, 0
        if self._layout == "together":
            spare = model.context - sum(model.count_tokens([self._before, self._between, query]))
            count = self._fitting(texts, spare, deadline)
            blocks = model.sequence([self._before, *(text or " " for text in texts[:count])], max_tokens=most)
        else:
            # Left for the passes of the query itself, which cost about as much as one or two passages.
            until = None if deadline is None or math.isinf(deadline) else deadline - 0.15 * max(0.0, remaining(deadline))
            prefix, found = model.blocks(self._before, texts, max_tokens=most, layers=self._layers, deadline=until)
            count = next((i for i, block in enumerate(found) if block is None), len(found))
            blocks = [prefix, *found[:count]]
        if not count:
            return [], None, 0
        move = self._layout == "moved"
        asked = model.attention(blocks, self._between, query, heads=self._heads, move=move)[1:]
        null = model.attention(blocks, self._between, NULL_QUERY, heads=self._heads, move=move)[1:] if self._calibrate else None
        return asked, null, count

    def _fitting(self, texts: Sequence[str], tokens: int, deadline: float | None) -> int:
        """How many of ``texts`` can be read together: they must fit the model, and the time."""
        total = 0
        for number, count in enumerate(self._model.count_tokens(list(texts))):
            total += min(count, self._max_tokens) or 1
            if total > tokens or self._model.seconds(total) > remaining(deadline):
                return number
        return len(texts)


def document_scores(
    asked: Sequence[NDArray[np.float32]],
    null: Sequence[NDArray[np.float32]] | None,
    *,
    reduce: str = "sum",
    standardise: bool = False,
) -> NDArray[np.float64]:
    """Scores of passages, float64 (n,), from the weights (heads, tokens) of each: see `AttentionReranker`.

    With ``null`` the tokens whose calibrated score, over all heads, lies more than two standard deviations below the mean of
    their passage are left out, as in ICR's code: they attract attention whatever is asked.
    """
    rows = []
    for number, weights in enumerate(asked):
        each = weights.astype(np.float64)
        if null is not None:
            each = each - null[number]
            total = each.sum(0)
            each = each[:, total >= total.mean() - 2 * total.std()]
        rows.append(each.sum(1) if reduce == "sum" else each.mean(1))
    table = np.stack(rows, axis=1)
    if standardise:
        spread = table.std(1, keepdims=True)
        table = np.divide(table - table.mean(1, keepdims=True), spread, out=np.zeros_like(table), where=spread > 0)
    return np.asarray(table.sum(0), np.float64)
