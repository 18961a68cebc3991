"""Runs a recipe for one query.

In a fusion each retriever *selects* candidates cheaply, and the exact scores of every retriever
then *decide* between all candidates. A passage that only one retriever selected is scored by the
others too, so no score is missing when they are added.
"""

from __future__ import annotations

import time
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ..hits import Hits
from .candidates import Candidates, fused
from .normalisation import DEFAULT_NORMALISATION, Normalisation, normalisation
from .query import Query
from .recipe import Cut, Fuse, Pipe, Recipe, Retrieve
from .stages.base import ExplainedHits, Feedback, Rerank, Rewrite, Search
from .stages.context import Context
from .trace import Ranking, StageTrace, Trace

__all__ = ["DEFAULT_DEPTH", "Runner", "TracingRunner", "cut_of"]

DEFAULT_DEPTH = 100
"""Candidates that each part of a fusion selects, unless the recipe says otherwise
(``bm25 % 1000``).
"""


class Runner:
    """Runs recipes on one context.

    ``depth``: candidates of each part of a fusion without a ``%`` of its own. ``fit``: the
    normalisation of fusions. ``strict`` raises errors of feedback and rewriting, which are
    otherwise noted and skipped.
    """

    def __init__(
        self,
        context: Context,
        depth: int = DEFAULT_DEPTH,
        fit: Normalisation | None = None,
        *,
        strict: bool = False,
    ) -> None:
        self.context = context
        self.depth = depth
        self.fit = fit or normalisation(DEFAULT_NORMALISATION)
        self.strict = strict
        self.notes: list[str] = []

    def ranking(self, recipe: Recipe, query: Query, k: int) -> Ranking:
        """The best ``k`` passages with the explanation of their scores, for a recipe that was
        validated.
        """
        query, found = self.step(recipe, query, None, k)
        assert found is not None
        notes = (*self.notes, *self.context.take_notes())
        return Ranking(found.hits(), found.parts(), found.scores(), query, notes)

    def features(self, recipe: Fuse, query: Query, want: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The best ``want`` candidates of a fusion, ids int64 (n,), with the normalised score of
        each part, float64 (n, parts).
        """
        deep = max(self.depth, 1)
        parts = [self.hits(term.recipe, query, None, cut_of(term.recipe) or deep) for term in recipe.terms]
        found = fused(parts, [1.0] * len(parts), want, self.fit)
        ends = np.cumsum([len(part.names) for part in parts])[:-1]
        columns = [rows.sum(axis=0) for rows in np.split(found.rows, ends)]
        return found.ids, np.stack(columns, axis=1)

    def step(self, node: Recipe, query: Query, before: Candidates | None, want: int) -> tuple[Query, Candidates | None]:
        """What ``node`` makes of a query and the candidates before it: the next query, and the best
        ``want`` candidates.
        """
        match node:
            case Retrieve(name):
                return query, self.retrieve(name, query, want)
            case Cut(recipe, k):
                return self.step(recipe, query, before, min(k, want))
            case Fuse(terms) if len(terms) == 1:
                query, found = self.step(terms[0].recipe, query, before, want)
                return query, cast(Candidates, found).times(float(terms[0].weight))
            case Fuse(terms):
                deep = max(self.depth, want)
                parts = [self.hits(t.recipe, query, before, cut_of(t.recipe) or deep) for t in terms]
                return query, self.fuse(parts, [float(t.weight) for t in terms], want)
            case Pipe(parts):
                for at, part in enumerate(parts):
                    query, before = self.step(part, query, before, self.wanted(parts, at, want))
                return query, before
            case Rewrite() | Feedback():
                return self.rewrite(node, query, before), before
            case Rerank():
                given = Hits.empty() if before is None else before.hits()
                hits = node.rerank(self.context, query, given, want).top(want)
                return query, Candidates.of_stage(node.name, hits, node.floor)
            case Search():
                hits = node.search(self.context, query, want, self.search).top(want)
                return query, Candidates.of_stage(node.name, hits, node.floor)
        raise TypeError(f"not a recipe: {node!r}")

    def hits(self, node: Recipe, query: Query, before: Candidates | None, want: int) -> Candidates:
        """The candidates of a node that gives hits."""
        return cast(Candidates, self.step(node, query, before, want)[1])

    def search(self, recipe: Recipe, query: Query, want: int, *, normalise: str | None = None) -> ExplainedHits:
        """Runs a recipe for a stage that has it among its parameters; see `stages.base.Run`."""
        fit = self.fit
        if normalise is not None:
            self.fit = normalisation(normalise)
        try:
            found = self.hits(recipe, query, None, cut_of(recipe) or want)
        finally:
            self.fit = fit
        return ExplainedHits(found.ids, found.hits().scores, found.parts(), found.scores())

    def fuse(self, parts: list[Candidates], weights: list[float], want: int) -> Candidates:
        """The best ``want`` of several parts."""
        return fused(parts, weights, want, self.fit)

    def retrieve(self, name: str, query: Query, want: int) -> Candidates:
        """The best ``want`` passages of one retriever."""
        return Candidates.retrieved(name, self.context.retriever(name, query), want)

    def rewrite(self, node: Rewrite | Feedback, query: Query, before: Candidates | None) -> Query:
        """The query that a stage makes of ``query``. If the stage fails, a note, and ``query`` as
        it was.
        """
        try:
            if isinstance(node, Rewrite):
                return node.rewrite(self.context, query)
            hits = Hits.empty() if before is None else before.hits()
            return node.feed(self.context, query, hits.top(node.depth())) if len(hits) else query
        except Exception as error:
            if self.strict:
                raise
            self.context.note(f"{node.name} was skipped: {str(error) or type(error).__name__}")
            return query

    def wanted(self, parts: tuple[Recipe, ...], at: int, want: int, cut: int | None = None) -> int:
        """The number of hits that the part at ``at`` must give so that the parts after it can give
        ``want``.

        An ``at`` of -1 stands for what comes before the first part, and ``cut`` is the ``%`` of
        that.
        """
        need = want
        for after in range(len(parts) - 1, at, -1):
            part = parts[after]
            if not part.needs_hits and part.gives == "hits":
                need = 1  # it retrieves again: parts before it only change the query
                continue
            need = self.taken(part, need, cut_of(parts[after - 1]) if after else cut)
        return need

    def taken(self, node: Recipe, want: int, cut: int | None) -> int:
        """The number of hits that ``node`` needs to give the best ``want``; ``cut`` is the ``%`` of
        the part before it.
        """
        match node:
            case Cut(recipe, k):
                return self.taken(recipe, min(k, want), cut)
            case Feedback():
                return max(want, node.depth())
            case Rerank():
                depth = node.depth(want)
                return (cut or max(self.depth, want)) if depth is None else depth
            case Fuse(terms) if len(terms) > 1:
                deep = max(self.depth, want)
                return max(self.taken(t.recipe, cut_of(t.recipe) or deep, cut) for t in terms if t.recipe.needs_hits)
            case Fuse(terms):
                return self.taken(terms[0].recipe, want, cut)
            case Pipe(parts):
                return self.wanted(parts, -1, want, cut)
        return want


class TracingRunner(Runner):
    """Records the own time of each stage, and the number of hits that it took and gave."""

    def __init__(self, context: Context, depth: int = DEFAULT_DEPTH, fit: Normalisation | None = None) -> None:
        super().__init__(context, depth, fit)
        self.trace = Trace()
        self._inside = 0.0
        self._nested = -1

    def ranking(self, recipe: Recipe, query: Query, k: int) -> Ranking:
        """The best ``k`` passages, with the trace."""
        found = super().ranking(recipe, query, k)
        return Ranking(found.hits, found.parts, found.raw, found.query, found.notes, self.trace)

    def step(self, node: Recipe, query: Query, before: Candidates | None, want: int) -> tuple[Query, Candidates | None]:
        """See `Runner.step`."""
        if isinstance(node, Pipe | Cut) or (isinstance(node, Fuse) and len(node.terms) == 1):
            return super().step(node, query, before, want)
        outer, self._inside = self._inside, 0.0
        self._nested += 1
        place = len(self.trace.stages)
        started = time.perf_counter()
        try:
            given, found = super().step(node, query, before, want)
        finally:
            self._nested -= 1
        seconds = time.perf_counter() - started
        own, self._inside = seconds - self._inside, outer + seconds
        notes = self.context.take_notes()
        self.notes += notes
        taken = len(before.ids) if before is not None and node.needs_hits else None
        after = len(found.ids) if found is not None and node.gives == "hits" else None
        text = "fuse" if isinstance(node, Fuse) else str(node)
        self.trace.stages.insert(place, StageTrace(text, self._nested + 1, own, taken, after, tuple(notes)))
        return given, found


def cut_of(node: Recipe) -> int | None:
    """The number of the ``%`` at the end of ``node``; None without one."""
    match node:
        case Cut(_, k):
            return k
        case Fuse(terms) if len(terms) == 1:
            return cut_of(terms[0].recipe)
        case Pipe(parts):
            return cut_of(parts[-1])
    return None
