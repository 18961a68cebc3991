"""One query ranked by many recipes: what recipes have in common runs once.

A retriever runs once for each depth and each ``k1`` and ``b``, a stage once for each list that it is given, and the exact scores
of a fusion's candidates are gathered once for all its weights and normalisations. Everything else is `Runner`, so that a ranking
is to the last bit the one that a search gives; sharing the prefixes of recipes follows PyTerrier (Macdonald, Tonellotto, MacAvaney
and Ounis, "PyTerrier: Declarative Experimentation in Python from BM25 to Dense Retrieval", CIKM 2021).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from ..hits import Hits
from ..kernels.bm25 import Bm25
from ..rank.candidates import Candidates, Gathered
from ..rank.query import Query
from ..rank.recipe import Recipe
from ..rank.retriever import Retriever
from ..rank.runner import Runner
from ..rank.stages.base import Feedback, Rerank, Rewrite
from ..rank.stages.context import Context

__all__ = ["CachedRunner"]

T = TypeVar("T")
KEPT = 48
"""Lists, and outcomes of stages, that are kept for one query: about 2 KB each."""
GATHERED = 12
"""Fusions whose scores are kept for one query: about 8 KB each."""


class CachedRunner(Runner):
    """Runs recipes for one query, and keeps what their parts gave. `bm25` must be set to the parameters in use."""

    def __init__(self, context: Context, query: Query) -> None:
        super().__init__(context)
        self.query = query
        self.bm25 = Bm25()
        self._retrievers: OrderedDict[Any, tuple[Retriever, Any]] = OrderedDict()
        self._lists: OrderedDict[Any, tuple[Candidates, Any]] = OrderedDict()
        self._latest: dict[int, Candidates] = {}
        """The lists that the recipe being run has met, by their ids: those that come again in another recipe."""
        self._outcomes: OrderedDict[Any, tuple[Any, ...]] = OrderedDict()
        self._gathered: OrderedDict[Any, Gathered] = OrderedDict()

    def passages(self, recipe: Recipe, want: int) -> list[int]:
        """The best ``want`` passages by ``recipe``."""
        self._latest.clear()
        found = self.hits(recipe, self.query, None, want)
        self.context.take_notes()
        return [int(number) for number in found.ids.tolist()]

    def retrieve(self, name: str, query: Query, want: int) -> Candidates:
        """See `Runner.retrieve`."""
        # All that a retriever knows of a query; what the ids are of is in the value, so that nothing else gets them meanwhile.
        given = query.sparse.get(name), query.vectors.get(name)
        asked = (name, query.text, id(given[0]), id(given[1]), query.constraints, self.bm25 if name == "bm25" else None)
        retriever, _ = _kept(self._retrievers, asked, lambda: (self.context.retriever(name, query), given), KEPT)
        lists = (*asked, want)
        found = _kept(self._lists, lists, lambda: (Candidates.retrieved(name, retriever, want), given), KEPT)[0]
        self._latest[id(found)] = found
        return found

    def rewrite(self, node: Rewrite | Feedback, query: Query, before: Candidates | None) -> Query:
        """See `Runner.rewrite`."""
        hits = None if before is None or isinstance(node, Rewrite) else before.hits().top(node.depth())
        key = (node, id(query), self.bm25, _bytes(hits))
        made: Query = _kept(self._outcomes, key, lambda: (Runner.rewrite(self, node, query, before), query), KEPT)[0]
        return made

    def step(self, node: Recipe, query: Query, before: Candidates | None, want: int) -> tuple[Query, Candidates | None]:
        """See `Runner.step`."""
        if not isinstance(node, Rerank):
            return super().step(node, query, before, want)
        key = (node, id(query), self.bm25, want, _bytes(None if before is None else before.hits()))
        run = super().step
        return _kept(self._outcomes, key, lambda: run(node, query, before, want), KEPT)

    def fuse(self, parts: list[Candidates], weights: list[float], want: int) -> Candidates:
        """See `Runner.fuse`."""
        if not all(id(part) in self._latest for part in parts):
            return super().fuse(parts, weights, want)
        key = tuple(map(id, parts))  # the parts are in the value, so that their ids stay theirs
        return _kept(self._gathered, key, lambda: Gathered.of(parts), GATHERED).fused(weights, want, self.fit)


def _bytes(hits: Hits | None) -> tuple[bytes, bytes] | None:
    return None if hits is None else (hits.ids.tobytes(), hits.scores.tobytes())


def _kept(table: OrderedDict[Any, T], key: Any, make: Callable[[], T], most: int) -> T:
    """The value at ``key``, made where there is none; the one not asked for longest goes where there are too many."""
    if key in table:
        table.move_to_end(key)
        return table[key]
    value = table[key] = make()
    if len(table) > most:
        table.popitem(last=False)
    return value
