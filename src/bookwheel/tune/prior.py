"""Learns a document prior from judgments: how often documents of such length, kind and age are relevant, whatever is asked.

A logistic regression of whether anybody judged a document relevant, on what is known of it when it is indexed (`QUALITIES`), with a
penalty on the squares of the weights that is chosen by cross-validation. Sources: Kraaij, Westerveld and Hiemstra, "The Importance of Prior
Probabilities for Entry Page Search" (SIGIR 2002); Craswell et al., "Relevance Weighting for Query Independent Evidence" (SIGIR 2005);
Zhao et al., "From Words to Worth: Newborn Article Impact Prediction with LLM" (2024), learn an impact from title and abstract by a
language model; in part: the same idea, with a handful of qualities in place of the words.

Whether it helps a ranking is measured on queries that neither the prior nor its weight has seen: judged queries are dealt to folds; for
each fold the prior is learned from the relevant documents of the other folds, its weight is what serves those best, and the fold is
ranked. It has earned its place where the paired t-test over all queries finds it better (p < 0.05).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import InputError, LibraryDamaged
from ..evaluate.collection import Collection
from ..evaluate.compare import Comparison, compare
from ..evaluate.measures import measure
from ..evaluate.runs import Run
from ..hits import Hits
from ..library.qualities import qualities
from ..library.reader import Reader
from ..progress import Progress, silent
from ..rank.recipe import Recipe
from ..rank.stages.qualities import QUALITIES
from ..rank.stages.rerank.prior import Prior
from ..rank.stages.reranking import Reranked, combine

__all__ = ["LearnedPrior", "fit_logistic", "learn_prior"]

WEIGHTS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
"""Of the prior in the ranking."""
PENALTIES = (0.1, 1.0, 10.0, 100.0)
CANDIDATES = 100
FOLDS = 5
LEAST = 20
"""Judged queries, fewer of which say nothing."""
LOOKED_AT = 20_000
"""Documents that are not known to be relevant, drawn with the seed."""
MEASURE = "nDCG@10"


@dataclass(frozen=True, slots=True)
class LearnedPrior:
    """What was learned, and whether it helps."""

    recipe: Recipe
    """The recipe with the prior behind it, learned from all judgments."""
    weights: Mapping[str, float]
    """Of each quality, on its own scale; above 0: more of it is more often relevant."""
    weight: float
    """Of the prior in the ranking: what most folds chose, or the middle of it."""
    comparison: Comparison
    """With the prior against without it, each query ranked by what was learned from others."""
    area: float
    """How often a relevant document has higher odds than another, on documents that were not learned from: 0.5 says nothing."""

    @property
    def earned(self) -> bool:
        """Whether rankings are shown to be better with it."""
        return self.comparison.p_t < 0.05 and self.comparison.difference > 0

    def evidence(self) -> dict[str, Any]:
        """For JSON, and for the library that keeps the recipe."""
        return {
            "weights": dict(self.weights),
            "weight": self.weight,
            "measure": MEASURE,
            "before": self.comparison.before,
            "after": self.comparison.after,
            "p": self.comparison.p_t,
            "area": self.area,
            "earned": self.earned,
        }

    def __str__(self) -> str:
        change = f"{self.comparison.difference:+.4f} {MEASURE} (p = {self.comparison.p_t:.2g})"
        if self.earned:
            return f"the prior earns its place: {change} on queries that it was not learned from"
        return f"the prior does not earn its place: {change} on queries that it was not learned from; leave it out"


def learn_prior(
    library: Reader, collection: Collection, recipe: str | Recipe | None = None, *, seed: int = 0, progress: Progress = silent
) -> LearnedPrior:
    """Learn a prior for ``recipe`` (the library's own where None) from the judged queries of ``collection``, whose documents are indexed.

    Raises `InputError` where there are too few judged queries or relevant documents, `RecipeError`.
    """
    queries = [query for query in collection.judged if any(grade > 0 for grade in collection.qrels[query].values())]
    if len(queries) < LEAST:
        some = "1 judged query" if len(queries) == 1 else f"{len(queries):,} judged queries"
        raise InputError(f"{collection.name} has {some}; a prior is learned from at least {LEAST}")
    names, values = _documents(library, {one for query in queries for one, g in collection.qrels[query].items() if g > 0}, seed)
    chosen = library.recipe(recipe)
    run = _run(library, chosen, {query: collection.queries[query] for query in queries}, progress)
    at = {name: row for row, name in enumerate(names)}
    missing = {name for ranking in run.values() for name, _ in ranking if name not in at}
    more, extra = _named(library, missing)
    at |= {name: len(names) + row for row, name in enumerate(more)}
    every = np.concatenate([values, extra]) if len(extra) else values
    random.Random(seed).shuffle(queries)
    folds = [queries[fold::FOLDS] for fold in range(FOLDS)]
    ranked: dict[str, Sequence[tuple[str, float]]] = {}
    picked: list[float] = []
    areas: list[float] = []
    for held in folds:
        others = [query for query in queries if query not in set(held)]
        relevant = _relevant(collection, others, at, len(names))
        weights, _ = _fitted(values, relevant, seed)
        odds = every @ weights
        best = max(WEIGHTS, key=lambda one: (_value(collection, others, run, at, odds, one), -one))
        picked.append(best)
        ranked |= _reranked(held, run, at, odds, best)
        areas.append(_area(odds[: len(names)], _relevant(collection, held, at, len(names)), relevant))
    qrels = {query: collection.qrels[query] for query in queries}
    scores = {name: measure(one, qrels, [MEASURE]) for name, one in (("without", run), ("with the prior", ranked))}
    (comparison,) = compare(scores, seed=seed)
    weights, _ = _fitted(values, _relevant(collection, queries, at, len(names)), seed)
    weight = float(np.median(picked))
    rounded = {name: round(float(one), 4) for name, one in zip(QUALITIES, weights, strict=True)}
    stage = Prior(candidates=CANDIDATES, weight=weight, **rounded)
    return LearnedPrior(chosen >> stage, rounded, weight, comparison, float(np.mean(areas)))


def _documents(library: Reader, relevant: set[str], seed: int) -> tuple[list[str], NDArray[np.float64]]:
    """The relevant documents and others, with their qualities."""
    snapshot = library._snapshot
    numbers = list(snapshot.store.numbers(snapshot.generation))
    if len(numbers) > LOOKED_AT:
        numbers = random.Random(seed).sample(numbers, LOOKED_AT)
    names: dict[str, NDArray[np.float32]] = {}
    for number in numbers:
        try:
            document = library.document(number)
        except (LibraryDamaged, KeyError):
            continue
        names[document.id] = qualities(document)
    more, values = _named(library, relevant - names.keys())
    names |= dict(zip(more, values.astype(np.float32), strict=True))
    if not relevant & names.keys():
        raise InputError("none of the relevant documents is in the library; name the library that was made of the collection")
    return list(names), np.array(list(names.values()), np.float64)


def _named(library: Reader, names: set[str]) -> tuple[list[str], NDArray[np.float64]]:
    found = {}
    for name in sorted(names):
        documents = library.get(name, 1)
        if documents:
            found[name] = qualities(documents[0])
    return list(found), np.array(list(found.values()), np.float64).reshape(len(found), len(QUALITIES))


def _run(library: Reader, recipe: Recipe, queries: Mapping[str, str], progress: Progress) -> dict[str, list[tuple[str, float]]]:
    task = progress("ranking", len(queries), "queries")
    found = {}
    try:
        for query, text in queries.items():
            (found[query],) = library.rank_documents([text], k=CANDIDATES, recipe=recipe)
            task.advance()
    finally:
        task.close()
    return found


def _relevant(collection: Collection, queries: Sequence[str], at: Mapping[str, int], count: int) -> NDArray[np.bool_]:
    rows = np.zeros(count, np.bool_)
    for query in queries:
        for name, grade in collection.qrels[query].items():
            if grade > 0 and at.get(name, count) < count:
                rows[at[name]] = True
    return rows


def _fitted(values: NDArray[np.float64], relevant: NDArray[np.bool_], seed: int) -> tuple[NDArray[np.float64], float]:
    """Weights of the qualities on their own scales, with the penalty that loses least on documents held back."""
    folds = np.random.default_rng(seed).integers(0, FOLDS, len(values))
    losses = {}
    for penalty in PENALTIES:
        lost = 0.0
        for fold in range(FOLDS):
            inside, held = folds != fold, folds == fold
            weights, start = fit_logistic(values[inside], relevant[inside], penalty)
            odds = values[held] @ weights + start
            lost += float(np.logaddexp(0, np.where(relevant[held], -odds, odds)).sum())
        losses[penalty] = lost
    best = min(PENALTIES, key=lambda one: (losses[one], -one))
    return fit_logistic(values, relevant, best)[0], best


def fit_logistic(values: NDArray[np.float64], labels: NDArray[np.bool_], penalty: float) -> tuple[NDArray[np.float64], float]:
    """Weights (qualities,) and start of the logistic regression of ``labels`` (n,) on ``values`` (n, qualities), by Newton's method.

    The values are standardised for the ``penalty``, half of which is taken times the sum of the weights' squares; the start is free.
    """
    means, scales = values.mean(axis=0), values.std(axis=0)
    scales[scales < 1e-9] = np.inf  # what never varies gets no weight
    rows = np.column_stack([(values - means) / scales, np.ones(len(values))])
    ridge = np.array([penalty] * values.shape[1] + [1e-6])
    weights = np.zeros(rows.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        slope = rows.T @ (p - labels) + ridge * weights
        curve = (rows * (p * (1 - p))[:, np.newaxis]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        weights -= step
        if float(np.abs(step).max()) < 1e-9:
            break
    own = weights[:-1] / scales
    return own, float(weights[-1] - own @ means)


def _reranked(
    queries: Sequence[str], run: Run, at: Mapping[str, int], odds: NDArray[np.float64], weight: float
) -> dict[str, Sequence[tuple[str, float]]]:
    """As the stage does it, whose code this is, with places in the ranking for ids."""
    found: dict[str, Sequence[tuple[str, float]]] = {}
    for query in queries:
        names = [name for name, _ in run[query]]
        if len(names) < 2 or not weight:
            found[query] = run[query]
            continue
        hits = Hits(np.arange(len(names), dtype=np.int64), np.array([score for _, score in run[query]], np.float32))
        prior = np.array([odds[at[name]] if name in at else 0.0 for name in names], np.float32)
        best = combine(hits, Reranked(prior, np.ones(len(names), np.bool_)), weight, "prior")
        found[query] = [(names[row], score) for row, score in zip(best.ids.tolist(), best.scores.tolist(), strict=True)]
    return found


def _value(
    collection: Collection, queries: Sequence[str], run: Run, at: Mapping[str, int], odds: NDArray[np.float64], weight: float
) -> float:
    qrels = {query: collection.qrels[query] for query in queries}
    return measure(_reranked(queries, run, at, odds, weight), qrels, [MEASURE]).means[MEASURE]


def _area(odds: NDArray[np.float64], relevant: NDArray[np.bool_], seen: NDArray[np.bool_]) -> float:
    """Of documents that were not learned from as relevant: how often a relevant one has the higher odds."""
    good, bad = odds[relevant & ~seen], np.sort(odds[~relevant & ~seen])
    if not len(good) or not len(bad):
        return 0.5
    below, upto = np.searchsorted(bad, good, "left"), np.searchsorted(bad, good, "right")
    return float((below + upto).sum() / 2 / (len(good) * len(bad)))
