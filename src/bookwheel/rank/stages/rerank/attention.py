"""``bm25 >> attention(20, model="smollm2", heads="best", weight=0.5)``: reranking by attention
inside a language model.

One forward pass over all passages tells which of them the words of the query attend to.

Source: Chen, Gutiérrez and Su, "Attention in Large Language Models Yields Efficient Zero-Shot
Re-Rankers" (2025). That few heads do most of it, and can do it alone: Wu et al., "Retrieval Head
Mechanistically Explains Long-Context Factuality" (2024). In part: they find heads by what is copied
into an answer; here they are found by how far they tell relevant passages from others, or trained
for a collection (``heads="FOLDER"``, see `bookwheel.train.attention`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...._errors import RecipeError, UsageError
from ....hits import Hits
from ....language import language_model
from ....language.attending import check_attends
from ....language.prompts import load_prompt
from ....language.protocols import remaining
from ...query import Query
from ..base import Rerank
from ..context import Context
from ..head_weights import HeadWeights, named_file, read_heads
from ..parameters import check_choice, check_model, check_number, check_whole
from ..reranking import Reranked, rerank_with

__all__ = [
    "HEADS",
    "Attention",
    "AttentionReranker",
    "best_heads",
    "document_scores",
    "head_scores",
    "parse_heads",
    "trained_reranker",
]

LAYOUTS = ("apart", "moved", "together")
REDUCTIONS = ("mean", "sum")
NULL_QUERY = "N/A"
"""The content-free query of the ICR paper."""
Head = tuple[int, int]
"""A layer and a head of it, both from 0."""

HEADS: Mapping[str, tuple[Head, ...]] = {
    "smollm2": ((18, 7), (18, 6), (8, 0), (17, 3), (17, 4), (15, 6), (2, 4), (14, 3)),
}
"""By model: the eight heads with the largest contrast on the mean of four judged collections, best
first, up to layer 18, where reading then ends. ``bench/reranking.py heads`` measures every head, on
collections other than those reported.
"""
_PAIR = re.compile(r"(\d{1,4})\.(\d{1,4})")


def best_heads(model: str) -> tuple[Head, ...]:
    """The measured heads of ``model``. Raises `UsageError` for a model whose heads were not
    measured.
    """
    try:
        return HEADS[model]
    except KeyError:
        raise UsageError(
            f"the best heads of {model!r} were not measured, only those of {', '.join(HEADS)}; use all of them with "
            'heads="all", or name some as layer.head, as in heads="17.3 18.7"'
        ) from None


def parse_heads(text: str) -> tuple[Head, ...] | None:
    """Heads written as ``17.3 18.7`` (layer.head); None for ``best``, ``all`` and a path. Raises
    `RecipeError` for anything else.
    """
    if text in ("best", "all") or named_file(text) is not None:
        return None
    pairs = [_PAIR.fullmatch(part) for part in text.replace(",", " ").split()]
    if not pairs or not all(pairs):
        raise RecipeError(
            f'heads must be "best", "all", some as layer.head, as in "17.3 18.7", or a path such as "./heads.json", not {text!r}'
        )
    return tuple(dict.fromkeys((int(pair[1]), int(pair[2])) for pair in pairs if pair))


class AttentionReranker:
    """Scores passages by the attention that the query's tokens pay to their tokens.

    Chen, Gutiérrez and Su (ICLR 2025, ICR): the attention of every head, averaged over the query's tokens,
    less that of a content-free query (``calibrate``), summed over heads and over a passage's tokens
    (``reduce="sum"``; ``mean`` does not favour long passages). ``heads`` uses only those given, as
    "query-focused retrieval heads" (Zhang et al., 2025) do; ``standardise`` brings each head to one
    scale first. ``shares``: the weight of each of ``heads``, (heads,); equal ones for None.

    ``layout``: ``together`` reads all passages as one text, as the paper does; ``apart`` reads each
    by itself, all at the same positions, so that none is nearer to the query (BlockRank's block
    attention, Gupta et al. 2025, without its positions); ``moved`` reads them apart and then places
    them one behind the other. Only passages read apart are cached for the next query. Each passage
    is cut to ``max_tokens``. Needs a causal model in this process; raises `ModelError` otherwise.
    """

    def __init__(
        self,
        model: Any,
        *,
        heads: Sequence[Head] | None = None,
        shares: NDArray[np.float64] | None = None,
        layout: str = "apart",
        reduce: str = "mean",
        calibrate: bool = True,
        standardise: bool = False,
        prompt: str = "attention",
        max_tokens: int = 256,
    ) -> None:
        check_attends(model)
        for name, value, known in (("layout", layout, LAYOUTS), ("reduce", reduce, REDUCTIONS)):
            if value not in known:
                raise UsageError(f"{name} must be one of {', '.join(known)}, not {value!r}")
        self._model = model
        self._heads = heads
        self._shares = shares
        self._layers = None if heads is None else max((layer for layer, _ in heads), default=0) + 1
        self._layout = layout
        self._reduce = reduce
        self._calibrate = calibrate
        self._standardise = standardise
        self._max_tokens = max_tokens
        self._before, self._between, after = load_prompt(prompt).around("passage", "query")
        if after:
            raise UsageError(f"the prompt {prompt!r} must end with {{query}}: text after it has no influence")

    def rerank(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> Reranked:
        """Scores without a unit, comparable only within one list."""
        asked, null, count = self.weights(query, texts, deadline=deadline)
        if not count:
            return Reranked.of([None] * len(texts))
        scores = document_scores(asked, null, reduce=self._reduce, standardise=self._standardise, shares=self._shares)
        return Reranked.of([float(score) for score in scores] + [None] * (len(texts) - count))

    def weights(
        self, query: str, texts: Sequence[str], *, deadline: float | None = None
    ) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]] | None, int]:
        """The attention to each passage, float32 (heads, tokens).

        Returns that of the query, that of the content-free query (None without ``calibrate``), and
        the number of passages that there was time to read.
        """
        model, most = self._model, self._max_tokens
        if remaining(deadline) <= 0 or not texts:
            return [], None, 0
        if self._layout == "together":
            spare = model.context - sum(model.count_tokens([self._before, self._between, query]))
            count = self._fitting(texts, spare, deadline)
            blocks = model.sequence([self._before, *(text or " " for text in texts[:count])], max_tokens=most)
        else:
            # Leaves time for the passes of the query itself, which cost about as much as one or two
            # passages.
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
        """How many of ``texts`` can be read together, in the model's context and in time."""
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
    shares: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Scores of n passages, float64 (n,), from the attention (heads, tokens) to each; see
    `AttentionReranker`.
    """
    table = head_scores(asked, null, reduce=reduce, standardise=standardise)
    return np.asarray(table.sum(0) if shares is None else shares @ table, np.float64)


def head_scores(
    asked: Sequence[NDArray[np.float32]],
    null: Sequence[NDArray[np.float32]] | None,
    *,
    reduce: str = "sum",
    standardise: bool = False,
) -> NDArray[np.float64]:
    """What each head gives each of n passages, float64 (heads, n), of which `document_scores` are made.

    With ``null``, tokens whose calibrated score over all heads is more than two standard deviations
    below the mean of their passage are left out, as in ICR's code: they attract attention whatever
    the query.
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
    return table


def trained_reranker(model: Any, name: str, heads: HeadWeights, *, layout: str = "apart") -> AttentionReranker:
    """Reranks by ``heads`` of ``model``, called ``name``. Raises `ModelError` where they are of another one."""
    check_attends(model)
    heads.check(model, name)
    return AttentionReranker(model, heads=heads.chosen, shares=heads.array, layout=layout, standardise=True, calibrate=False)


@dataclass(frozen=True, slots=True)
class Attention(Rerank):
    """Reranks by what the query's words attend to, in one pass of a language model over all
    candidates.

    ``heads``: ``best`` (measured for smollm2), ``all``, some as ``layer.head`` with spaces
    between, or the path of what `bookwheel train attention` wrote.
    """

    name = "attention"
    summary = "reranks by which passages the query's words attend to inside a language model"
    source = "Chen, Gutiérrez and Su, Attention in LLMs Yields Efficient Zero-Shot Re-Rankers, ICLR 2025; BlockRank, 2025"
    needs = ("a language model in this process", "texts")
    cost = "about 1 s, and with smollm2 on one core 0.25 s per passage that was not read recently"

    candidates: int = 20
    model: str = "smollm2"
    heads: str = "best"
    weight: float = 0.5
    layout: str = "apart"
    seconds: float = math.inf

    def check_parameters(self) -> None:
        """Check all of them."""
        check_model(self.model)
        check_whole("candidates", self.candidates, 1, 1000)
        parse_heads(self.heads)
        check_choice("layout", self.layout, LAYOUTS)
        check_number("weight", self.weight, 0, 1)
        check_number("seconds", self.seconds, 0.001, math.inf)

    def depth(self, want: int) -> int:
        """The candidates that are read, or ``want`` if that is more."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order."""

        def make() -> AttentionReranker:
            check_attends(self.model)
            file = named_file(self.heads)
            if file is not None:
                return trained_reranker(language_model(self.model), self.model, read_heads(file), layout=self.layout)
            heads = best_heads(self.model) if self.heads == "best" else parse_heads(self.heads)
            few = heads is not None
            # With chosen heads, the second pass that calibration needs was measured to bring no
            # gain.
            return AttentionReranker(
                language_model(self.model), heads=heads, layout=self.layout, standardise=few, calibrate=not few
            )

        return rerank_with(
            context, query, hits, make, name=self.name, candidates=self.candidates, weight=self.weight, seconds=self.seconds
        )
