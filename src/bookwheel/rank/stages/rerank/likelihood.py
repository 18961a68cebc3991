"""``bm25 >> likelihood(20, model="smollm2", weight=0.5)``: reranking by query likelihood."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...._errors import ModelError, UsageError
from ....hits import Hits
from ....language import language_model
from ....language.prompts import load_prompt
from ....language.protocols import Scorer
from ...query import Query
from ..base import Rerank
from ..context import Context
from ..parameters import check_choice, check_model, check_number, check_whole
from ..reranking import Reranked, rerank_with

__all__ = ["Likelihood", "QueryLikelihood", "passage_scores"]

COMBINATIONS = ("mean", "gain")
QUANTILE = 0.25
"""``gain`` counts what a token has above this quantile of the candidates."""
TOGETHER = 4
"""Passages taken from reading to score at a time, so that those begun are also finished in time."""


class QueryLikelihood:
    """Scores passages by how probable a language model finds the query after each (pointwise).

    Sachan et al., "Improving Passage Retrieval with Zero-Shot Question Generation" (EMNLP 2022,
    UPR). ``combine`` says how a score is made of the log-probabilities of the query's tokens:
    ``mean`` (the paper's) or ``gain`` (see `passage_scores`). Each passage is cut to
    ``max_tokens``. A causal local model reads each passage once and caches it for the next query; of
    an encoder-decoder model the encoder reads passage and prompt, and the query is the decoder's, as
    in the paper, which takes T5. Raises `ModelError` for a model that gives no probabilities.
    """

    def __init__(self, model: Any, *, prompt: str = "likelihood", combine: str = "mean", max_tokens: int = 256) -> None:
        if not isinstance(model, Scorer):
            raise ModelError(
                "query likelihood needs a language model that gives probabilities; use a local one, such as 'smollm2'"
            )
        if combine not in COMBINATIONS:
            raise UsageError(f"query likelihood combines tokens by {' or '.join(COMBINATIONS)}, not by {combine!r}")
        self._model: Any = model
        self._before, self._between, after = load_prompt(prompt).around("passage", "query")
        if after:
            raise UsageError(f"the prompt {prompt!r} must end with {{query}}: text after it has no influence")
        self._combine = combine
        self._max_tokens = max_tokens

    def rerank(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> Reranked:
        """Scores in nats per token: ``mean`` is 0 for a certain query and negative otherwise,
        ``gain`` is 0 or more.
        """
        return passage_scores(self.tokens(query, texts, deadline=deadline), self._combine)

    def tokens(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> list[NDArray[np.float32] | None]:
        """Log-probabilities of the query's tokens after each text, float32 (tokens,); None where
        there was no time.
        """
        model = self._model
        if not hasattr(model, "block_likelihoods"):
            cut = getattr(model, "cut", None)  # a model that reads whole contexts and has a tokenizer here
            some = texts if cut is None else [cut(text, self._max_tokens) for text in texts]
            contexts = [self._before + text + self._between for text in some]
            found: list[NDArray[np.float32] | None] = model.log_likelihoods(contexts, [query] * len(texts), deadline=deadline)
            return found
        out: list[NDArray[np.float32] | None] = [None] * len(texts)
        for at in range(0, len(texts), TOGETHER):
            part = texts[at : at + TOGETHER]
            prefix, blocks = model.blocks(self._before, part, max_tokens=self._max_tokens, deadline=deadline)
            ready = [block for block in blocks if block is not None]
            scores = model.block_likelihoods(prefix, ready, self._between, query, deadline=deadline)
            out[at : at + len(ready)] = scores
            if len(ready) < len(blocks) or any(score is None for score in scores):
                break
        return out


def passage_scores(tokens: Sequence[NDArray[np.float32] | None], how: str) -> Reranked:
    """One score per passage from the log-probabilities of the query's tokens after it.

    ``gain`` counts for each token only what a passage gives it above the lower quartile of all
    candidates: words that no passage explains do not count, and one that a passage makes improbable
    costs it no more than giving no help.
    """
    done = [values for values in tokens if values is not None]
    if not done or not len(done[0]):
        return Reranked.of([None if values is None else 0.0 for values in tokens])
    if how == "gain":
        floor = np.quantile(np.stack(done), QUANTILE, axis=0)
        return Reranked.of([None if v is None else float(np.maximum(v - floor, 0).mean()) for v in tokens])
    return Reranked.of([None if values is None else float(values.mean()) for values in tokens])


@dataclass(frozen=True, slots=True)
class Likelihood(Rerank):
    """Reranks by how probable a language model finds the query after each candidate, which gets
    ``weight`` of the score.
    """

    name = "likelihood"
    summary = "reranks by how probable a language model finds the query after each passage"
    source = "Sachan et al., Improving Passage Retrieval with Zero-Shot Question Generation, EMNLP 2022"
    needs = ("a language model", "texts")
    cost = "about 0.3 s per passage with smollm2 on one core; 0.05 s if the passage was read recently"

    candidates: int = 20
    model: str = "smollm2"
    weight: float = 0.5
    combine: str = "gain"
    seconds: float = math.inf

    def check_parameters(self) -> None:
        """Check all of them."""
        check_model(self.model)
        check_whole("candidates", self.candidates, 1, 1000)
        check_number("weight", self.weight, 0, 1)
        check_choice("combine", self.combine, COMBINATIONS)
        check_number("seconds", self.seconds, 0.001, math.inf)

    def depth(self, want: int) -> int:
        """The candidates that are read, or ``want`` if that is more."""
        return max(self.candidates, want)

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        """The hits in the new order."""

        def make() -> QueryLikelihood:
            return QueryLikelihood(language_model(self.model), combine=self.combine)

        return rerank_with(
            context, query, hits, make, name=self.name, candidates=self.candidates, weight=self.weight, seconds=self.seconds
        )
