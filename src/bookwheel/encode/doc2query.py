"""The queries a passage answers as a representation of its own: weighted terms of generated and filtered queries.

Sources: doc2query (Nogueira et al. 2019), doc2query-- (Gospodinov, MacAvaney, Macdonald 2023). Kept apart
from the passage's own words, the generated ones have a weight in a recipe (``bm25 + 0.3*questions``) and
can be removed again.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence

import numpy as np

from .._errors import UsageError
from ..analysis.analyzer import Analyzer
from .expansion import PROMPT, Generate, Score, expand
from .protocols import SparseVectors

__all__ = ["Doc2QueryEncoder"]


class Doc2QueryEncoder:
    """A learned-sparse encoder: a passage's terms are those of the queries that ``generate`` writes for it.

    The weight of a term is log(1 + times it was generated), so that one query in three wordings counts
    little more than once. A query has its own terms, each once. ``score``, ``share`` and ``threshold``
    filter as in `bookwheel.encode.expansion.expand`: ``threshold`` in the same way for all passages,
    ``share`` within each call. ``name`` is that of the generator, and goes into the manifest: another name is
    another model. Raises `UsageError` for numbers out of range, and what ``generate`` raises.
    """

    def __init__(
        self,
        generate: Generate,
        name: str,
        analyzer: Analyzer,
        *,
        score: Score | None = None,
        count: int = 5,
        share: float = 0.3,
        threshold: float | None = None,
        prompt: str = PROMPT,
        revision: str = "1",
    ) -> None:
        if count < 1:
            raise UsageError(f"count, the number of queries for each passage, must be at least 1, not {count}")
        if "{text}" not in prompt:
            raise UsageError("the prompt must contain {text}, where the passage goes")
        self.name, self.revision = f"doc2query of {name}", revision
        settings = [name, revision, analyzer.to_dict(), count, share, threshold, prompt, score is not None]
        self.sha256 = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
        self.vocabulary: list[str] = []
        """Terms so far; it grows, and numbers do not change."""
        self._numbers: dict[str, int] = {}
        self._generate, self._score, self._analyzer = generate, score, analyzer
        self._count, self._share, self._threshold, self._prompt = count, share, threshold, prompt

    def encode(self, texts: Sequence[str]) -> SparseVectors:
        """Terms of the queries generated for each text."""
        if not texts:
            return self._vectors([])
        written = expand(
            texts,
            self._generate,
            self._score,
            count=self._count,
            share=self._share,
            threshold=self._threshold,
            prompt=self._prompt,
        )
        return self._vectors([Counter(self._analyzer(added)) for added in written.texts(len(texts))])

    def encode_queries(self, texts: Sequence[str]) -> SparseVectors:
        """Terms of queries, each of weight 1."""
        return self._vectors([dict.fromkeys(self._analyzer(text), np.e - 1) for text in texts])

    def _vectors(self, rows: Sequence[Counter[str] | dict[str, float]]) -> SparseVectors:
        terms: list[int] = []
        weights: list[float] = []
        indptr = np.zeros(len(rows) + 1, np.int64)
        for at, row in enumerate(rows):
            numbered = sorted((self._number(term), float(np.log1p(times))) for term, times in row.items())
            terms += [number for number, _ in numbered]
            weights += [weight for _, weight in numbered]
            indptr[at + 1] = len(terms)
        return SparseVectors(indptr, np.array(terms, np.int32), np.array(weights, np.float32))

    def _number(self, term: str) -> int:
        number = self._numbers.get(term)
        if number is None:
            number = self._numbers[term] = len(self.vocabulary)
            self.vocabulary.append(term)
        return number
