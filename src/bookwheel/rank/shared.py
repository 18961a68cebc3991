"""Ranks one query by several recipes; what the recipes have in common runs once."""

from __future__ import annotations

from collections.abc import Sequence

from ..hits import Hits
from .candidates import Candidates
from .query import Query
from .recipe import Fuse, Pipe, Recipe, Retrieve
from .retriever import Retriever
from .runner import Runner, cut_of
from .stages.context import Context
from .trace import Ranking

__all__ = ["rank_all"]


def rank_all(recipes: Sequence[Recipe], query: Query, context: Context, k: int) -> list[Ranking]:
    """The ranking by each of ``recipes``, the same as if each ran alone."""
    if len(recipes) == 1:
        return [Runner(context).ranking(recipes[0], query, k)]
    runner = _SharingRunner(context)
    for recipe in recipes:
        runner.expect(recipe, query, k)
    rankings = []
    for recipe in recipes:
        runner.notes = []
        rankings.append(runner.ranking(recipe, query, k))
    return rankings


class _SharingRunner(Runner):
    """Caches what each node made of a query and hits.

    Queries and candidates are known by their ``id()``, so those in use are held, lest another
    object gets the same one.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._results: dict[tuple[Recipe, int, int, int], tuple[Query, Candidates | None, list[str]]] = {}
        self._held: list[object] = []
        self._retrievers: dict[tuple[str, int], Retriever] = {}
        self._expected: dict[str, int] = {}
        self._deepest: dict[tuple[str, int], tuple[int, Hits]] = {}

    def expect(self, node: Recipe, query: Query, want: int) -> None:
        """Note how deep a recipe will ask its first retrievers, so that the deepest list can serve
        all recipes.
        """
        match node:
            case Retrieve(name):
                self._expected[name] = max(want, self._expected.get(name, 0))
            case Pipe(parts):
                self.expect(parts[0], query, self.wanted(parts, 0, want))
            case Fuse(terms) if len(terms) > 1:
                for term in terms:
                    self.expect(term.recipe, query, cut_of(term.recipe) or max(self.depth, want))
            case _:
                for child in node.children()[:1]:
                    self.expect(child, query, min(want, cut_of(node) or want))

    def step(self, node: Recipe, query: Query, before: Candidates | None, want: int) -> tuple[Query, Candidates | None]:
        """See `Runner.step`."""
        if isinstance(node, Pipe):  # its parts are cached one by one, so that recipes share prefixes
            return super().step(node, query, before, want)
        key = (node, id(query), id(before), want)
        if key not in self._results:
            outer, self.notes = self.notes, []
            given, found = super().step(node, query, before, want)
            notes = self.notes + self.context.take_notes()
            self.notes = outer
            self._held += [query, before]
            self._results[key] = given, found, notes
        given, found, notes = self._results[key]
        self.notes += [note for note in notes if note not in self.notes]
        return given, found

    def retrieve(self, name: str, query: Query, want: int) -> Candidates:
        """See `Runner.retrieve`."""
        key = (name, id(query))
        if key not in self._retrievers:
            self._retrievers[key] = self.context.retriever(name, query)
            self._held.append(query)
        retriever = self._retrievers[key]
        if not getattr(retriever, "exact", False):  # another depth may find other passages
            return Candidates.retrieved(name, retriever, want)
        if key not in self._deepest or self._deepest[key][0] < want:
            deep = max(want, self._expected.get(name, 0))
            self._deepest[key] = deep, retriever.retrieve(deep)
        return Candidates.retrieved(name, _Ready(retriever, self._deepest[key][1]), want)


class _Ready:
    """A retriever whose list has been retrieved already."""

    def __init__(self, retriever: Retriever, hits: Hits) -> None:
        self._hits = hits
        self.floor = retriever.floor
        self.score = retriever.score

    def retrieve(self, depth: int) -> Hits:
        """The best ``depth`` of the list."""
        return self._hits.top(depth)
