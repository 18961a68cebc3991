"""What puts passages into order, tried on held-out queries: the first of BM25 in its order, at several shares of the score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...evaluate.collection import Collection
from ...evaluate.measures import measure
from ...hits import Hits
from ...library.library import Library
from ...library.passage_texts import opening_texts
from ...library.search_options import MAX_K
from ...rank.stages.rerank.interpolate import interpolated
from ...rank.stages.reranking import Reranked, combine
from ..safety import MEASURE

__all__ = ["FIRST", "WEIGHTS", "Candidates", "Mix", "Scorer", "as_interpolate", "as_rerankers", "evenly"]

WEIGHTS = (0.25, 0.5, 0.75, 1.0)
"""Shares of the score that are tried."""
FIRST = 0.0
"""The share that leaves the first stage's order as it is."""
DEEP = 60
"""Passages of a query that are ranked, at least; more where they are of fewer than `DOCUMENTS`."""
DOCUMENTS = 10
"""Those that `MEASURE` looks at."""


class Scorer(Protocol):
    """Gives each of ``texts`` a score for a query, the larger the better."""

    def score(self, query: str, texts: Sequence[str]) -> Sequence[float | None] | NDArray[np.float32]:
        """The scores, (texts,)."""


Mix = Callable[[Hits, NDArray[np.float32], float], Hits]
"""BM25's hits, what another gives them (n,), and its share of the score, to the hits in their new order."""


def as_rerankers(hits: Hits, own: NDArray[np.float32], weight: float) -> Hits:
    """As the stages `cross`, `late` and others do: both scores standardised."""
    return combine(hits, Reranked(own, np.ones(len(own), np.bool_)), weight, "reranking")


def as_interpolate(hits: Hits, own: NDArray[np.float32], weight: float) -> Hits:
    """As the stage `interpolate` does: both scores as shares of the best one."""
    found = interpolated(hits, _Given(hits, own), weight)
    return Hits(found.ids, found.scores)


class _Given:
    """A retriever whose scores are known. They are none below 0."""

    floor = 0.0

    def __init__(self, hits: Hits, own: NDArray[np.float32]) -> None:
        self._known = dict(zip(hits.ids.tolist(), own.tolist(), strict=True))

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Of each of ``ids``."""
        return np.array([self._known[one] for one in ids.tolist()], np.float32)


class Candidates:
    """BM25's rankings of some queries of a collection, of which the first ``count`` passages are put into order.

    What is made of them is what the recipe ``bm25 >> cross(…)`` (or another stage, by ``mix``) would make.
    """

    def __init__(
        self, library: Library, collection: Collection, queries: Sequence[str], count: int, mix: Mix = as_rerankers
    ) -> None:
        self.count, self.mix = count, mix
        self.collection, self.queries = collection, list(queries)
        self._store = library._snapshot.store
        self._hits = _ranked(library, [collection.queries[one] for one in self.queries], max(DEEP, count))
        named = self._store.documents_of(sorted({number for hits in self._hits for number in hits.ids.tolist()}))
        self._names = {number: name for number, (_, name) in named.items()}

    def __len__(self) -> int:
        return len(self.queries)

    def scored(
        self, scorer: Scorer, advance: Callable[[int], None] = lambda _: None, *, after: int = 0, first: int | None = None
    ) -> list[NDArray[np.float32]]:
        """Of each query the scores of its first ``count`` passages; of those between ``after`` and ``first`` alone, if so asked."""
        found = []
        for _, query, texts in islice(self.texts(), after, first):
            found.append(np.array(scorer.score(query, texts), np.float32))
            advance(1)
        return found

    def texts(self) -> Iterator[tuple[str, str, list[str]]]:
        """The name of each query, its text, and those of its first ``count`` passages."""
        for query, hits in zip(self.queries, self._hits, strict=True):
            yield query, self.collection.queries[query], opening_texts(self._store, hits.ids[: self.count].tolist())

    def values(self, scores: Sequence[NDArray[np.float32]], weight: float) -> Mapping[str, float]:
        """What each query reaches with so much of ``scores``; `FIRST` for BM25 alone."""
        run: dict[str, list[tuple[str, float]]] = {}
        for query, hits, own in zip(self.queries, self._hits, scores, strict=True):
            best: dict[str, float] = {}
            for number in self._ordered(hits, own, weight):
                if number in self._names:
                    best.setdefault(self._names[number], -float(len(best)))
            run[query] = list(best.items())
        return measure(run, {one: self.collection.qrels[one] for one in self.queries}, [MEASURE]).of(MEASURE)

    def _ordered(self, hits: Hits, own: NDArray[np.float32], weight: float) -> list[int]:
        """The passages, best first."""
        head = hits.top(self.count)
        every: list[int] = hits.ids.tolist()
        if weight == FIRST or len(head) < 2:
            return every
        found = self.mix(head, own, weight)
        return [*found.ids.tolist(), *every[len(head) :]]


def _ranked(library: Library, texts: Sequence[str], depth: int) -> list[Hits]:
    """What BM25 ranks first for each of ``texts``: ``depth`` passages, or so many that they are of `DOCUMENTS`."""
    found = library.rank_many(texts, depth, "bm25")
    while True:
        full = [at for at, hits in enumerate(found) if len(hits) == depth]
        owners = library._snapshot.store.documents_of(sorted({number for at in full for number in found[at].ids.tolist()}))
        short = [at for at in full if len({owners[one][0] for one in found[at].ids.tolist() if one in owners}) < DOCUMENTS]
        if not short or depth == MAX_K:
            return found
        depth = min(4 * depth, MAX_K)
        for at, hits in zip(short, library.rank_many([texts[at] for at in short], depth, "bm25"), strict=True):
            found[at] = hits


def evenly(queries: Sequence[str], most: int) -> list[str]:
    """At most ``most`` of ``queries``, as far apart as they lie: queries of one way to make them stand together.

    >>> evenly(["a", "b", "c", "d", "e"], 3)
    ['a', 'c', 'e']
    """
    places = np.linspace(0, len(queries) - 1, min(most, len(queries))).round().astype(int)
    return [queries[at] for at in places.tolist()]
