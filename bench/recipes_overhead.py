"""What the recipe algebra itself costs: stages that do nothing, on retrievers whose lists are ready.

    python bench/recipes_overhead.py

Processor time a stage and query, the least of five rounds, for reranking and feedback stages, with and without the trace.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np

from common import ROOT, keep, table

sys.path.insert(0, str(ROOT / "src"))

from bookwheel.rank import Hits, Query, Recipe, bm25, dense
from bookwheel.rank.runner import Runner, TracingRunner
from bookwheel.rank.stages.base import Feedback, Rerank
from bookwheel.rank.stages.context import Context

STAGES, QUERIES, ROUNDS = 10, 500, 5


@dataclass(frozen=True, slots=True)
class Same(Rerank):
    """Gives the hits it was given."""

    name = "same"

    def depth(self, want: int) -> int:
        return want

    def rerank(self, context: Context, query: Query, hits: Hits, want: int) -> Hits:
        return hits


@dataclass(frozen=True, slots=True)
class Unchanged(Feedback):
    """Gives the query it was given."""

    name = "unchanged"

    def depth(self) -> int:
        return 10

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        return query


class Ready:
    """A retriever whose list is there."""

    floor = 0.0

    def __init__(self, seed: int) -> None:
        self.hits = Hits.ranked(np.arange(100), np.random.default_rng(seed).random(100))

    def retrieve(self, depth: int) -> Hits:
        return self.hits.top(depth)

    def score(self, ids: np.ndarray) -> np.ndarray:
        return np.zeros(len(ids), np.float32)


class Lists:
    """As much of a context as these recipes ask for."""

    def __init__(self) -> None:
        self.lists = {"bm25": Ready(0), "dense": Ready(1)}

    def retriever(self, name: str, query: Query) -> Ready:
        return self.lists[name]

    def take_notes(self) -> list[str]:
        return []


def microseconds(recipe: Recipe, runner: type[Runner]) -> float:
    """Processor time of one query."""
    context, query = Lists(), Query("x")
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(QUERIES):
            runner(context).ranking(recipe, query, 10)
        best = min(best, (time.process_time() - started) / QUERIES)
    return best * 1e6


def main() -> None:
    reranking: Recipe = bm25
    feeding: Recipe = bm25
    for _ in range(STAGES):
        reranking, feeding = reranking >> Same(), feeding >> Unchanged()
    feeding = feeding >> bm25
    rows, found = [], {}
    for name, runner in (("plain", Runner), ("traced", TracingRunner)):
        alone = microseconds(bm25, runner)
        found[name] = {
            "one retriever": alone,
            "a reranking stage": (microseconds(reranking, runner) - alone) / STAGES,
            "a feedback stage": (microseconds(feeding, runner) - 2 * alone) / STAGES,
            "fusion of two": microseconds(bm25 + dense, runner),
        }
    for part in found["plain"]:
        rows.append([part, *(f"{found[name][part]:.1f}" for name in found)])
    keep("recipes_overhead", found, table(["microseconds a query", "plain", "with the trace"], rows))


if __name__ == "__main__":
    main()
