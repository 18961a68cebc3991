"""A teacher without a model: BM25 over loose texts, with the statistics of a library.

Chen et al., Salient Phrase Aware Dense Retrieval: Can a Dense Retriever Imitate a Sparse One? (Findings of EMNLP 2022, SPAR).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...kernels.bm25 import norm, saturation
from ...library.reader import Reader
from ...library.retrieval.query_terms import query_weights

__all__ = ["WordTeacher"]


class WordTeacher:
    """See `Teacher`. A text need not be of the library: an answer is not, of which the query was taken out."""

    name = "bm25"
    quick = True
    cosines = False

    def __init__(self, library: Reader) -> None:
        self._snapshot = library._snapshot
        bm25 = self._snapshot.bm25
        self._k1, self._b, self._average = bm25.parameters(self._snapshot.average_length).tolist()
        self.sha256 = f"bm25 {self._k1} {self._b} {self._snapshot.manifest.version}"

    def scores(self, queries: Sequence[str], texts: Sequence[str], which: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Teacher`."""
        weights = [query_weights(self._snapshot, query) for query in queries]
        wanted = {term for some in weights for term in some}
        analyzer = self._snapshot.analyzer
        counts: list[dict[str, float]] = []
        for text in texts:
            terms = Counter(analyzer(text))
            length = sum(terms.values()) / max(1, len(analyzer.languages))  # it has each word in every language
            own = norm(length, self._k1, self._b, self._average)
            counts.append({term: saturation(count, own) for term, count in terms.items() if term in wanted})
        found = [
            sum(weight * has for term, weight in weights[query].items() if (has := counts[text].get(term)))
            for query, text in which.tolist()
        ]
        return np.array(found, np.float32)
