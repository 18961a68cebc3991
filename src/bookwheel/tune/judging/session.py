"""Judging by hand: what is to be judged next, until no more judgment matters to the order of the recipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._errors import UsageError
from ...evaluate.agreement import kendall_tau
from ...library.library import Library
from ...progress import Progress, silent
from .grades import Judgment, grades_of
from .journal import Journal, Pooled
from .order import MEASURE, Order, parse_measure, pool_of
from .passages import Shown, shown
from .strategies import STRATEGIES, Choice

__all__ = ["CONFIDENCE", "MOST_QUERIES", "Session", "Standing", "pooled_of", "same_order"]

CONFIDENCE = 0.95
MOST_QUERIES = 10_000
MOST_RECIPES = 50
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Standing:
    """How far judging is, and what is known by now."""

    judged: int
    """Pairs of the pool with a grade."""
    skipped: int
    pool: int
    left: int
    """Judgments that can still matter to the order of the recipes."""
    measure: str
    recipes: tuple[dict[str, Any], ...]
    """Best first: ``recipe``, and the least, the expected and the greatest value it can have."""
    undecided: tuple[tuple[str, str, float], ...]
    """Two recipes that are not told apart, and how probable it is that the order is as shown; the least sure first."""
    confidence: float
    proven: bool
    """Whether no further judgment at all can change the order."""
    reason: str
    """Why there is nothing to judge; empty where there is."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            name: [list(one) if isinstance(one, tuple) else one for one in value] if isinstance(value, tuple) else value
            for name in self.__slots__
            for value in [getattr(self, name)]
        }


def pooled_of(
    library: Library,
    queries: Mapping[str, str],
    recipes: Sequence[str] = (),
    depth: int = 20,
    *,
    known: Pooled | None = None,
    progress: Progress = silent,
) -> Pooled:
    """Rank ``queries`` by every recipe (none: the library's own); ``known`` is given back where it is the same.

    Raises `UsageError`, `RecipeError`, and what searching raises.
    """
    names = tuple(dict.fromkeys(recipes)) or (str(library.recipe(None)),)
    asked = {query: text for query, text in queries.items() if text.strip()}
    if not asked:
        raise UsageError("there is no query to judge for; give a file with one query a line, or BEIR's queries.jsonl")
    for what, count, most in (("queries", len(asked), MOST_QUERIES), ("recipes", len(names), MOST_RECIPES)):
        if count > most:
            raise UsageError(f"there are {count:,} {what}; one session judges at most {most:,}")
    for recipe in names:
        library.recipe(recipe)
    if known is not None and known.same(asked, names, depth, library.version):
        return known
    runs: dict[str, dict[str, list[str]]] = {}
    items = list(asked.items())
    task = progress("ranking", len(items) * len(names), "queries")
    try:
        for recipe in names:
            run = runs[recipe] = {}
            for at in range(0, len(items), _BATCH):
                batch = items[at : at + _BATCH]
                ranked = library.rank_documents([text for _, text in batch], k=depth, recipe=recipe)
                for (query, _), found in zip(batch, ranked, strict=True):
                    run[query] = list(dict.fromkeys(document for document, _ in found))
                task.advance(len(batch), recipe)
    finally:
        task.close()
    return Pooled(asked, runs, depth, library.version)


class Session:
    """Judges what ``journal`` has pooled. Raises `UsageError` where it has pooled nothing, or an option makes no sense."""

    def __init__(
        self,
        journal: Journal,
        *,
        measure: str = "",
        strategy: str = "minimal",
        confidence: float = CONFIDENCE,
        everything: bool = False,
    ) -> None:
        if journal.pooled is None:
            raise UsageError("nothing is pooled yet; name the queries to judge for")
        if strategy not in STRATEGIES:
            raise UsageError(f"the order of judging is one of {', '.join(STRATEGIES)}, not {strategy!r:.40}")
        if not 0.5 < confidence <= 1:
            raise UsageError(f"the confidence is above 0.5 and at most 1, which is proof, not {confidence:g}")
        self.journal = journal
        self.pooled = journal.pooled
        self.measure = parse_measure(measure or f"DCG@{min(10, self.pooled.depth)}")
        if self.measure.cutoff > self.pooled.depth:
            raise UsageError(
                f"{self.measure} looks at {self.measure.cutoff} documents and only {self.pooled.depth} are pooled; "
                f"pool as many (--depth {self.measure.cutoff}), or look at fewer"
            )
        self.strategy = strategy
        self.confidence = confidence
        self.everything = everything
        """Whether to go on where the order is known, until the whole pool is judged."""
        self.pool = pool_of(self.pooled)
        self._places = {pair: at for at, pair in enumerate(self.pool.pairs)}

    def order(self) -> Order:
        """The recipes under the judgments so far."""
        return Order(self.pool, self.measure, self.pool.grades(grades_of(self.journal.judgments)))

    def _choice(self) -> Choice:
        order = self.order()
        judged = {(one.query, one.document): one for one in self.journal.judgments}
        fresh = np.array([pair not in judged for pair in self.pool.pairs], bool)
        worth = order.worth(self.confidence)
        history = tuple(self._places[pair] for pair in judged if pair in self._places)
        if self.everything and not worth[fresh].any():
            worth = np.where(order.unknown, order.weights.sum(0) + 1e-6, 0.0)
        return Choice(order, fresh & (worth > 0), worth, history)

    def next(self) -> tuple[str, str] | None:
        """Query and document to judge now; None where nothing is left that matters."""
        self.journal.refresh()
        choice = self._choice()
        if not choice.open.any():
            return None
        return self.pool.pairs[STRATEGIES[self.strategy](choice)]

    def show(self, library: Library, pair: tuple[str, str]) -> Shown:
        """What there is to see of a pair."""
        query, document = pair
        return shown(library, query, self.pooled.queries.get(query, ""), document)

    def judge(self, pair: tuple[str, str], grade: int | None) -> None:
        """Grade it, or skip it (None). Raises `UsageError` for a pair that is not in the pool."""
        if pair not in self._places:
            raise UsageError(f"document {pair[1]!r:.100} is not pooled for query {pair[0]!r:.60}; judge what is shown")
        self.journal.judge(*pair, grade)

    def undo(self) -> Judgment | None:
        """Take the newest judgment back."""
        return self.journal.undo()

    def standing(self) -> Standing:
        """How far it is."""
        choice = self._choice()
        order = choice.order
        sure = order.confidence
        loose = [
            (order.pool.recipes[a], order.pool.recipes[b], float(sure[at]))
            for at, (a, b) in enumerate(zip(order.first, order.second, strict=True))
            if not order.decided[at]
        ]
        proven = not loose
        known = len(self.pool.recipes) > 1 and not order.open_pairs(self.confidence).any()
        skipped = sum(
            one.grade is None and (one.query, one.document) in self._places for one in self.journal.judgments
        )  # fmt: skip
        left = int(choice.open.sum())
        reason = ""
        if not left:
            if not order.unknown.any():
                reason = "all of the pool is judged"
            elif known and proven:
                reason = "no further judgment can change the order of the recipes"
            elif known:
                reason = f"the order of the recipes is known with a confidence of {self.confidence:g}"
            else:
                reason = f"what is left was skipped ({skipped:,}), and the order of the recipes is not known without it"
        return Standing(
            judged=int((~order.unknown).sum()),
            skipped=skipped,
            pool=len(self.pool.pairs),
            left=left,
            measure=str(self.measure),
            recipes=tuple(order.table()),
            undecided=tuple(sorted(loose, key=lambda one: one[2])),
            confidence=self.confidence,
            proven=proven,
            reason=reason,
        )


def same_order(pooled: Pooled, first: Mapping[str, Mapping[str, int]], second: Mapping[str, Mapping[str, int]]) -> float:
    """Kendall's tau of the order of the recipes under two judges' grades; NaN with fewer than two recipes.

    By `MEASURE` (or as deep as is pooled), documents without a grade counting nothing.
    """
    pool = pool_of(pooled)
    measure = parse_measure(MEASURE if pooled.depth >= 10 else f"DCG@{pooled.depth}")
    values = [Order(pool, measure, pool.grades(grades)).lower for grades in (first, second)]
    return kendall_tau(*values)
