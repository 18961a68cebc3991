"""Measures several rankings of one judged collection and compares them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._errors import UsageError
from ..progress import Progress, silent
from .collection import Collection
from .compare import Change, Comparison, changed, compare
from .equivalence import Equivalence, equivalence
from .following import Following, following_notes, following_rows
from .groups import Group, groups
from .html import html_evaluation
from .judgments import Qrels
from .labels import LabelStep, order_with_fewer_labels
from .measures import DEFAULT_MEASURES, Scores, depth_of, measure
from .missing import Coverage, Missing, coverage, missing_judgments
from .robust import Loss, format_losses
from .runs import AnyRun, Run, ranked_pairs
from .table import format_comparisons, format_evaluation, format_table

__all__ = ["Evaluation", "Search", "evaluate", "evaluate_runs"]

Search = Callable[[list[str], int], list[list[tuple[str, float]]]]
"""Searches several queries: from their texts and k to each one's at most k documents (id, score),
best first.
"""

_BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What several rankings reach on one collection. A notebook shows it as a table; ``str`` makes
    one for a terminal.
    """

    collection: Collection
    measures: tuple[str, ...]
    depth: int | None
    """How many documents were ranked per query; None for runs from elsewhere."""
    baseline: str
    """The name of the ranking that the others are compared with."""
    runs: dict[str, Run]
    scores: dict[str, Scores]
    """By the name of the recipe, each over the collection's judged queries."""
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Mean time per query of each recipe that was searched here."""
    comparisons: list[Comparison] = field(default_factory=list)
    """Every other ranking against the baseline, on every measure."""
    notes: tuple[str, ...] = ()
    """What should be known about the figures, a sentence each: documents left out, weights that
    were fitted.
    """
    seed: int = 0
    """Of the randomisation test, and of the halves where weights were fitted."""
    recipes: Mapping[str, str] = field(default_factory=dict)
    """By name, each recipe in full, where recipes were searched."""
    library: Mapping[str, Any] = field(default_factory=dict)
    """What the library was that was searched (see `Library.state`); empty where it was none of ours."""
    following: Sequence[Following] = ()
    """How each recipe follows the collection's instructions, where it has any."""
    losses: Sequence[Loss] = ()
    """What it costs that queries are written otherwise, where that was asked for."""

    @property
    def compared(self) -> list[str]:
        """The names of the rankings other than the baseline."""
        return [name for name in self.scores if name != self.baseline]

    def changes(self, name: str, measure: str | None = None, n: int = 5) -> Sequence[Change]:
        """The ``n`` queries on which ``name`` differs most from the baseline by ``measure`` (the
        first where None).

        Raises `UsageError` for a name or a measure that was not evaluated.
        """
        before, after = self._scores(self.baseline), self._scores(name)
        return changed(before, after, self._measure(measure), self.collection.queries, n)

    def values(self, name: str, measure: str | None = None) -> dict[str, float]:
        """Query id to the value of ``measure`` (the first where None) that ``name`` reaches. Raises `UsageError`."""
        return self._scores(name).of(self._measure(measure))

    def best(self, measure: str | None = None) -> str:
        """The name of the ranking with the highest mean of ``measure`` (the first where None); of equal ones the first."""
        return max(self.scores, key=lambda name: self.scores[name].means[self._measure(measure)])

    def per_query(self, measure: str | None = None) -> list[dict[str, Any]]:
        """One dictionary per judged query: ``query`` (its id), ``text``, and the value of
        ``measure`` for each recipe.

        ``measure`` is the first one where None. A value that is not defined is None. Raises
        `UsageError`.
        """
        columns = {name: scores.of(self._measure(measure)) for name, scores in self.scores.items()}
        return [
            {"query": query, "text": text, **{name: _number(values[query]) for name, values in columns.items()}}
            for query, text in self.collection.judged.items()
        ]

    @property
    def qrels(self) -> Qrels:
        """The judgments of the judged queries."""
        return {query: self.collection.qrels[query] for query in self.collection.judged}

    def coverage(self, measure: str | None = None) -> Coverage | None:
        """How far judgments cover the rankings as ``measure`` (the first where None) sees them; see `missing.coverage`."""
        return coverage(self.runs, self.qrels, self._measure(measure), self.depth)

    def missing(self) -> list[Missing]:
        """What missing judgments may do to each measure of each ranking; see `missing_judgments`."""
        return missing_judgments(self.runs, self.qrels, self.measures)

    def fewer_labels(self, measure: str | None = None, *, seed: int = 0) -> list[LabelStep]:
        """The order of the rankings with fewer labels than there are; see `order_with_fewer_labels`. Raises `UsageError`."""
        return order_with_fewer_labels(self.runs, self.qrels, self._measure(measure), seed=seed)

    def equivalence(self, margin: float) -> list[Equivalence]:
        """Whether each ranking is as good as the baseline, to within ``margin``; see `equivalence`. Raises `UsageError`."""
        return equivalence(self.scores, margin, self.baseline)

    def groups(self, name: str, measure: str | None = None) -> list[Group]:
        """The queries by a column ``name`` of theirs, or by that field of their relevant documents; see `groups`. Raises `UsageError`."""
        return groups(self, name, measure)

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dictionary per recipe: ``recipe``, each measure, ``milliseconds`` where it was
        searched here, and against the baseline ``<measure> difference``, ``<measure> p`` (t-test)
        and ``<measure> p (randomisation)``, both corrected.
        """
        rows = []
        for name, scores in self.scores.items():
            row: dict[str, Any] = {"recipe": name, **_numbers(scores.means)}
            if name in self.milliseconds:
                row["milliseconds"] = self.milliseconds[name]
            for comparison in self.comparisons:
                if comparison.name == name:
                    row[f"{comparison.measure} difference"] = _number(comparison.difference)
                    row[f"{comparison.measure} p"] = comparison.p_t_holm
                    row[f"{comparison.measure} p (randomisation)"] = comparison.p_randomisation_holm
            rows.append(row)
        return rows

    def to_pandas(self) -> Any:
        """`to_dicts` as a pandas data frame, indexed by recipe. Raises `UsageError` where pandas is
        not installed.
        """
        try:
            import pandas
        except ImportError:
            raise UsageError("to_pandas needs pandas; install it with: pip install pandas") from None
        return pandas.DataFrame(self.to_dicts()).set_index("recipe")

    def to_dict(self, per_query: bool = False) -> dict[str, Any]:
        """Everything, for JSON; a value that is not defined is None."""
        recipes = []
        for name, scores in self.scores.items():
            entry: dict[str, Any] = {"recipe": name, "measures": _numbers(scores.means)}
            if name in self.milliseconds:
                entry["milliseconds_per_query"] = self.milliseconds[name]
            if per_query:
                entry["queries"] = {
                    query: _numbers(dict(zip(self.measures, scores.values[:, at].tolist(), strict=True)))
                    for at, query in enumerate(scores.queries)
                }
            recipes.append(entry)
        return {
            "collection": self.collection.name,
            "queries": len(self.collection.judged),
            "queries_without_judgments": self.collection.unjudged,
            "judged_queries_without_text": self.collection.without_text,
            "depth": self.depth,
            "baseline": self.baseline,
            "recipes": recipes,
            "comparisons": [comparison.to_dict() for comparison in self.comparisons],
            "notes": list(self.notes),
            "seed": self.seed,
            "recipes_in_full": dict(self.recipes),
            "library": dict(self.library),
            **({"taken_for": self.collection.kind} if self.collection.kind else {}),
            **({"robustness": [one.to_dict() for one in self.losses]} if self.losses else {}),
            **({"following": [one.to_dict() for one in self.following]} if self.following else {}),
        }

    def __str__(self) -> str:
        parts = [format_evaluation(self), *([format_comparisons(self)] if self.comparisons else [])]
        if self.following:
            parts += [format_table(*following_rows(self.following)), "\n".join(following_notes(self.following))]
        if self.losses:
            parts.append(format_losses(self.losses))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        return html_evaluation(self)

    def _scores(self, name: str) -> Scores:
        if name not in self.scores:
            raise UsageError(f"{name!r} was not evaluated; there is {', '.join(map(repr, self.scores))}")
        return self.scores[name]

    def _measure(self, measure: str | None) -> str:
        if measure is not None and measure not in self.measures:
            raise UsageError(f"{measure!r} was not measured; there is {', '.join(self.measures)}")
        return measure or self.measures[0]


def evaluate(
    collection: Collection,
    searches: Mapping[str, Search],
    measures: Sequence[object] = DEFAULT_MEASURES,
    *,
    baseline: str | None = None,
    depth: int | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Evaluation:
    """Search all judged queries in each way of ``searches`` (name to function), and measure.

    ``measures``: see `parse_measures`. ``baseline``: the name to compare the others with (the first
    where None). ``depth``: documents ranked per query; as many as the measures look at where None.
    ``seed``: of the randomisation test. A judged query without text finds nothing. Raises
    `UsageError` for wrong arguments, before anything is searched.
    """
    if not searches:
        raise UsageError("there is nothing to evaluate; name a recipe")
    baseline = _baseline(baseline, searches)
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
    return _measured(collection, runs, measures, baseline, depth, milliseconds, seed)


def evaluate_runs(
    collection: Collection,
    runs: Mapping[str, AnyRun],
    measures: Sequence[object] = DEFAULT_MEASURES,
    *,
    baseline: str | None = None,
    seed: int = 0,
) -> Evaluation:
    """Measure and compare finished ``runs`` (name to run), for example of other systems.

    ``runs``: see `read_run`. ``baseline``: the name to compare the others with (the first where
    None). Raises `UsageError`.
    """
    if not runs:
        raise UsageError("there is nothing to evaluate; give a run")
    baseline = _baseline(baseline, runs)
    ordered = {name: {query: ranked_pairs(ranking) for query, ranking in run.items()} for name, run in runs.items()}
    return _measured(collection, ordered, measures, baseline, None, {}, seed)


def _baseline(baseline: str | None, names: Mapping[str, object]) -> str:
    if baseline is not None and baseline not in names:
        raise UsageError(f"the baseline {baseline!r} is not among what is evaluated: {', '.join(map(repr, names))}")
    return next(iter(names)) if baseline is None else baseline


def _measured(
    collection: Collection,
    runs: Mapping[str, Run],
    measures: Sequence[object],
    baseline: str,
    depth: int | None,
    milliseconds: dict[str, float],
    seed: int,
) -> Evaluation:
    qrels = {query: collection.qrels[query] for query in collection.judged}
    scores = {name: measure(run, qrels, measures) for name, run in runs.items()}
    names = scores[baseline].measures
    compared = compare(scores, baseline, seed)
    return Evaluation(collection, names, depth, baseline, dict(runs), scores, milliseconds, compared, collection.notes, seed)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _numbers(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: _number(value) for name, value in values.items()}
