"""What each source of a collection is worth to its users: how much worse a ranking would serve the judged queries without it.

The worth of a source is its Shapley value: what it adds to the mean utility of the other sources, over all orders in which the
sources could have been added (Shapley 1953; for data Ghorbani and Zou, "Data Shapley", ICML 2019; for retrieval corpora Lyu et al.,
"Improving Retrieval-Augmented Large Language Models via Data Importance Learning" (2023)). Nothing is indexed again: with some of the
sources withheld, a ranking is the one there is without their documents (recombination), as deep as it was made. The utility is nDCG
at a depth, its ideal that of all sources, so that the worths add up to the collection's nDCG.

Only the sources among a query's ranked documents matter to it. So a query is worked out exactly over their subsets where they are few,
and by random orders where they are many; the standard error of those, and of the queries as a sample, is told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import UsageError
from .collection import Collection
from .judgments import Qrels
from .runs import AnyRun, ranked_documents
from .significance import mean_interval

__all__ = ["EXACT", "Worth", "format_worth", "sources_by_field", "worth_of_sources"]

EXACT = 12
"""Sources among a query's ranked documents up to which all their subsets are worked out."""
ORDERS = 200
"""Random orders of the sources of a query that has more."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What one source adds to the mean nDCG of the judged queries."""

    source: str
    documents: int
    """Documents of it among the ranked ones, each counted once."""
    queries: int
    """Queries that have one of them in their ranking."""
    worth: float
    """Below 0 where the queries are served better without it."""
    low: float
    """The 95 % interval over the queries, and over the orders that were drawn."""
    high: float

    @property
    def harmful(self) -> bool:
        """Whether the ranking is shown to be better without it."""
        return self.high < 0

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in ("source", "documents", "queries", "worth", "low", "high", "harmful")}


def worth_of_sources(
    run: AnyRun,
    qrels: Qrels,
    source_of: Callable[[str], str | None] | Mapping[str, str],
    *,
    k: int = 10,
    orders: int = ORDERS,
    seed: int = 0,
) -> list[Worth]:
    """The worth of each source that ``run`` has documents of, the least first.

    ``source_of`` tells the source of a document's id; documents without one are there whatever is withheld. The run should be a few
    times as deep as ``k``: what a withheld source makes room for comes from there. Raises `UsageError` for a run without judged
    queries, or numbers that are none.
    """
    if k < 1 or orders < 2:
        raise UsageError(f"k must be at least 1 and orders at least 2, not {k} and {orders}")
    tell = source_of.get if isinstance(source_of, Mapping) else source_of
    queries = [query for query in run if any(grade > 0 for grade in qrels.get(query, {}).values())]
    if not queries:
        raise UsageError(
            "none of the run's queries has a relevant document among the judgments, so that no source can be weighed"
        )
    dice = np.random.default_rng(seed)
    values: dict[str, NDArray[np.float64]] = {}
    errors: dict[str, float] = {}
    documents: dict[str, set[str]] = {}
    for at, query in enumerate(queries):
        judged = qrels[query]
        names = ranked_documents(run[query])
        sources = [tell(name) for name in names]
        gains = np.array([max(judged.get(name, 0), 0) for name in names], np.float64)
        local = list(dict.fromkeys(source for source in sources if source is not None))
        for name, source in zip(names, sources, strict=True):
            if source is not None:
                documents.setdefault(source, set()).add(name)
                values.setdefault(source, np.zeros(len(queries)))
        numbers = {source: number for number, source in enumerate(local)}
        owner = np.array([-1 if source is None else numbers[source] for source in sources], np.int64)
        utility = _Utility(gains, owner, sorted((grade for grade in judged.values() if grade > 0), reverse=True), k)
        shares, variances = exact(utility, len(local)) if len(local) <= EXACT else sampled(utility, len(local), orders, dice)
        for source, share, variance in zip(local, shares.tolist(), variances.tolist(), strict=True):
            values[source][at] = share
            errors[source] = errors.get(source, 0.0) + variance
    found = []
    for source, some in values.items():
        mean, low, high = float(some.mean()), *_interval(some)
        drawn = 1.96 * math.sqrt(errors[source]) / len(queries)
        spread = math.hypot((high - low) / 2, drawn)
        found.append(Worth(source, len(documents[source]), int(np.count_nonzero(some)), mean, mean - spread, mean + spread))
    return sorted(found, key=lambda one: (one.worth, one.source))


def sources_by_field(collection: Collection, field: str) -> dict[str, str]:
    """The source of each document: its value of the metadata ``field``. Raises `UsageError` where none has one, `InputError`."""
    found = {one.id: str(one.metadata[field]) for one in collection.documents() if one.metadata.get(field) is not None}
    if not found:
        raise UsageError(
            f"no document of {collection.name} has a field {field!r:.80}; name one that tells where documents are from"
        )
    return found


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    if len(values) < 2:
        return -math.inf, math.inf
    return mean_interval(values)


class _Utility:
    """nDCG@k of a query's ranking with some of its sources only."""

    def __init__(self, gains: NDArray[np.float64], owner: NDArray[np.int64], ideal: Sequence[int], k: int) -> None:
        self.gains, self.owner, self.k = gains, owner, k
        self.discounts = 1 / np.log2(np.arange(2, k + 2))
        best = np.array(ideal[:k], np.float64)
        self.ideal = float((best * self.discounts[: len(best)]).sum())

    def __call__(self, present: NDArray[np.bool_]) -> float:
        """The value where only the sources that are ``present``, and documents without a source, are there."""
        kept = self.gains[np.append(present, True)[self.owner]][: self.k]
        return float((kept * self.discounts[: len(kept)]).sum() / self.ideal)


def exact(utility: Callable[[NDArray[np.bool_]], float], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shapley values of ``count`` players by all their subsets: float64 (count,), and variances, which are 0."""
    subsets = np.arange(1 << count)
    present = (subsets[:, np.newaxis] >> np.arange(count)) & 1 == 1
    values = np.array([utility(row) for row in present])
    sizes = present.sum(axis=1)
    weights = np.array([1 / (count * math.comb(count - 1, size)) for size in range(count)] + [0.0])
    shares = np.zeros(count)
    for player in range(count):
        without = subsets[~present[:, player]]
        shares[player] = (weights[sizes[without]] * (values[without | (1 << player)] - values[without])).sum()
    return shares, np.zeros(count)


def sampled(
    utility: Callable[[NDArray[np.bool_]], float], count: int, orders: int, dice: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same from random orders, each taken forwards and backwards (antithetic), and the variances of these estimates."""
    pairs = np.zeros((orders // 2, count))
    for draw in range(orders // 2):
        order = dice.permutation(count)
        for turn in (order, order[::-1]):
            present = np.zeros(count, np.bool_)
            before = utility(present)
            for player in turn:
                present[player] = True
                after = utility(present)
                pairs[draw, player] += (after - before) / 2
                before = after
    variance = pairs.var(axis=0, ddof=1) / len(pairs) if len(pairs) > 1 else np.zeros(count)
    return pairs.mean(axis=0), variance


def format_worth(found: Sequence[Worth], most: int = 20) -> str:
    """A table for a terminal: the ``most`` least and most valuable."""
    shown = list(found) if len(found) <= 2 * most else [*found[:most], *found[-most:]]
    width = max([6, *(len(one.source[:60]) for one in shown)])
    lines = [f"{'source':<{width}}  {'worth':>8}  {'95 % interval':>18}  {'documents':>9}  {'queries':>7}"]
    for at, one in enumerate(shown):
        if len(shown) < len(found) and at == most:
            lines.append(f"… {len(found) - len(shown):,} sources between")
        interval = f"{one.low:+.4f} to {one.high:+.4f}"
        mark = "  worse than nothing" if one.harmful else ""
        lines.append(
            f"{one.source[:60]:<{width}}  {one.worth:+8.4f}  {interval:>18}  {one.documents:>9,}  {one.queries:>7,}{mark}"
        )
    return "\n".join(lines)
