"""Measures recipes, or any other way to search, on a judged collection."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._errors import UsageError
from ..progress import Progress, silent
from .collections import Collection
from .compare import Change, Comparison, changed, compare
from .measures import DEFAULT_MEASURES, Scores, depth_of, measure
from .runs import Run

__all__ = ["Evaluation", "Search", "evaluate", "evaluate_runs"]

Search = Callable[[list[str], int], list[list[tuple[str, float]]]]
"""Searches several queries: their texts and k, to each one's at most k documents (id, score), best first."""

_BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What several rankings reach on one collection."""

    collection: Collection
    measures: tuple[str, ...]
    depth: int | None
    """How many documents were asked for per query; None for runs from elsewhere."""
    runs: dict[str, Run]
    scores: dict[str, Scores]
    """By the name of the recipe, each over the collection's judged queries."""
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Mean time per query of each recipe that was searched here."""
    comparisons: list[Comparison] = field(default_factory=list)
    """Each but the first against the first."""

    def changes(self, name: str, measure: str | None = None, n: int = 5) -> Sequence[Change]:
        """The queries on which ``name`` differs most from the first, by ``measure`` (the first where None)."""
        baseline = next(iter(self.scores))
        return changed(self.scores[baseline], self.scores[name], measure or self.measures[0], self.collection.queries, n)

    def to_dict(self, per_query: bool = False) -> dict[str, Any]:
        """For JSON; a measure that is not defined is None."""
        recipes = []
        for name, scores in self.scores.items():
            entry: dict[str, Any] = {"recipe": name, "measures": _defined(scores.means)}
            if name in self.milliseconds:
                entry["milliseconds_per_query"] = self.milliseconds[name]
            if per_query:
                entry["queries"] = {
                    query: _defined(dict(zip(self.measures, scores.values[:, at].tolist(), strict=True)))
                    for at, query in enumerate(scores.queries)
                }
            recipes.append(entry)
        return {
            "collection": self.collection.name,
            "queries": len(self.collection.judged),
            "queries_without_judgments": self.collection.unjudged,
            "judged_queries_without_text": self.collection.without_text,
            "depth": self.depth,
            "recipes": recipes,
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
        }


def evaluate(
    collection: Collection,
    searches: Mapping[str, Search],
    measures: Sequence[str] = DEFAULT_MEASURES,
    *,
    depth: int | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Evaluation:
    """Search all judged queries of ``collection`` in each way of ``searches`` (name to function), and measure.

    ``depth``: documents per query; where None, as many as the measures look at. ``seed``: of the randomisation test. The
    first of ``searches`` is what the others are compared with. A judged query without text finds nothing. Raises
    `UsageError` for measures that do not exist, before anything is searched.
    """
    if not searches:
        raise UsageError("there is nothing to evaluate; name a recipe")
    if depth is None:
        depth = depth_of(measures)
    elif depth < 1:
        raise UsageError(f"the depth is {depth}; it must be at least 1")
    queries = [(query, text) for query, text in collection.judged.items() if text.strip()]
    runs: dict[str, Run] = {}
    milliseconds: dict[str, float] = {}
    task = progress("evaluating", len(queries) * len(searches), "queries")
    try:
        for name, search in searches.items():
            run: dict[str, list[tuple[str, float]]] = {}
            seconds = 0.0
            for at in range(0, len(queries), _BATCH):
                batch = queries[at : at + _BATCH]
                started = time.perf_counter()
                rankings = search([text for _, text in batch], depth)
                seconds += time.perf_counter() - started
                run.update((query, ranking) for (query, _), ranking in zip(batch, rankings, strict=True))
                task.advance(len(batch), name)
            runs[name] = run
            milliseconds[name] = 1000 * seconds / max(1, len(queries))
    finally:
        task.close()
    return _measured(collection, runs, measures, depth, milliseconds, seed)


def evaluate_runs(
    collection: Collection, runs: Mapping[str, Run], measures: Sequence[str] = DEFAULT_MEASURES, *, seed: int = 0
) -> Evaluation:
    """Measure and compare finished ``runs``, of other systems say (see `read_run`). Raises `UsageError`."""
    if not runs:
        raise UsageError("there is nothing to evaluate; give a run")
    return _measured(collection, dict(runs), measures, None, {}, seed)


def _measured(
    collection: Collection,
    runs: dict[str, Run],
    measures: Sequence[str],
    depth: int | None,
    milliseconds: dict[str, float],
    seed: int,
) -> Evaluation:
    qrels = {query: collection.qrels[query] for query in collection.judged}
    scores = {name: measure(run, qrels, measures) for name, run in runs.items()}
    names = next(iter(scores.values())).measures
    return Evaluation(collection, names, depth, runs, scores, milliseconds, compare(scores, seed=seed))


def _defined(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}
