"""Reranking by query likelihood: how probable a language model finds the query after each passage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError, UsageError
from ...language.prompts import Prompt, load_prompt
from ...language.protocols import Scorer
from .base import Reranked

__all__ = ["COMBINATIONS", "QueryLikelihood", "combined"]

COMBINATIONS = ("mean", "gain")
QUANTILE = 0.25


class QueryLikelihood:
    """Sachan et al., "Improving Passage Retrieval with Zero-Shot Question Generation" (EMNLP 2022), the pointwise way.

    ``combine`` says how a score is made of the query's tokens: ``mean`` of their log-probabilities (the paper's), or ``gain``,
    the mean of what each lies above the lower quartile of the candidates (see `combined`). Passages count up to ``max_tokens``.
    A local model reads each passage once and keeps it for the next query. Raises `ModelError` for a model that gives no
    probabilities.
    """

    def __init__(self, model: Any, *, prompt: str = "likelihood", combine: str = "mean", max_tokens: int = 256) -> None:
        if not isinstance(model, Scorer):
            raise ModelError(
                "query likelihood needs a language model that gives probabilities; take a local one, 'smollm2' say"
            )
        if combine not in COMBINATIONS:
            raise UsageError(f"query likelihood combines tokens by {' or '.join(COMBINATIONS)}, not by {combine!r}")
        self._model: Any = model
        self._prompt: Prompt = load_prompt(prompt)
        self._before, self._between, after = self._prompt.around("passage", "query")
        if after:
            raise UsageError(f"the prompt {prompt!r} must end with {{query}}: what follows it has no influence")
        self._combine = combine
        self._max_tokens = max_tokens

    def rerank(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> Reranked:
        """Scores in nats a token (``mean``: 0 for a certain query, below otherwise; ``gain``: 0 and up)."""
        return combined(self.tokens(query, texts, deadline=deadline), self._combine)

    def tokens(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> list[NDArray[np.float32] | None]:
        """Log-probabilities of the query's tokens after each text, None where there was no time."""
        model = self._model
        if not hasattr(model, "block_likelihoods"):
            contexts = [self._before + text + self._between for text in texts]
            found: list[NDArray[np.float32] | None] = model.log_likelihoods(contexts, [query] * len(texts), deadline=deadline)
            return found
        out: list[NDArray[np.float32] | None] = [None] * len(texts)
        # A few at a time from reading to score, so that those begun are also finished in time.
        for at in range(0, len(texts), 4):
            prefix, blocks = model.blocks(self._before, texts[at : at + 4], max_tokens=self._max_tokens, deadline=deadline)
            ready = [block for block in blocks if block is not None]
            scores = model.block_likelihoods(prefix, ready, self._between, query, deadline=deadline)
            out[at : at + len(ready)] = scores
            if len(ready) < len(blocks) or any(score is None for score in scores):
                break
        return out


def combined(tokens: Sequence[NDArray[np.float32] | None], how: str) -> Reranked:
    """One score a text from its tokens' log-probabilities.

    ``gain`` counts of each token of the query only what a passage gives it above the lower quartile of all candidates: words
    that no passage explains stay out, and one that a passage makes improbable costs it no more than being of no help.
    """
    done = [values for values in tokens if values is not None]
    if not done or not len(done[0]):
        return Reranked.of([None if values is None else 0.0 for values in tokens])
    if how == "gain":
        table = np.stack(done)
        floor = np.quantile(table, QUANTILE, axis=0)
        return Reranked.of([None if v is None else float(np.maximum(v - floor, 0).mean()) for v in tokens])
    return Reranked.of([None if values is None else float(values.mean()) for values in tokens])
