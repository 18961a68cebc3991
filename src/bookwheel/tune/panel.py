"""A panel of recipes of different kinds, by whose order two sets of judgments of one library are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..evaluate.collection import Collection
from ..evaluate.measures import measure
from ..library.library import Library
from ..library.search_options import MAX_K
from ..progress import Progress, silent

__all__ = ["MEASURE", "PANEL", "PanelRecipe", "PanelScores", "panel_of", "panel_scores"]

MEASURE = "nDCG@10"
DEPTH = 10
_DEEPER = 4
"""Passages ranked for each document that is wanted, where documents have several."""
BATCH = 32


@dataclass(frozen=True, slots=True)
class PanelRecipe:
    """A recipe, and BM25's parameters where they are not the library's own."""

    recipe: str
    k1: float | None = None
    b: float | None = None

    @property
    def name(self) -> str:
        """How it is called in tables."""
        return self.recipe if self.k1 is None else f"{self.recipe} (k1={self.k1:g}, b={self.b:g})"


PANEL: tuple[PanelRecipe, ...] = (
    *map(
        PanelRecipe,
        (
            "bm25",
            "bm25 >> rm3() >> bm25",
            "bm25 >> rm3(docs=5, terms=20, weight=0.5) >> bm25",
            "0.5*bm25 + 0.5*(bm25 >> rm3() >> bm25)",
            "bm25 >> rocchio() >> bm25",
            "bm25 >> sentences() >> bm25",
            "keywords(terms=5, longer=5) >> bm25",
            "dense",
            "0.9*bm25 + 0.1*dense",
            "0.8*bm25 + 0.2*dense",
            "0.7*bm25 + 0.3*dense",
            "0.6*bm25 + 0.4*dense",
            "0.5*bm25 + 0.5*dense",
            "0.4*bm25 + 0.6*dense",
            "0.3*bm25 + 0.7*dense",
            "0.2*bm25 + 0.8*dense",
            "rrf(bm25, dense)",
            'normalised(0.5*bm25 + 0.5*dense, by="minmax")',
            'normalised(0.5*bm25 + 0.5*dense, by="zscore")',
            "bm25 % 20 >> interpolate(dense)",
            "bm25 % 100 >> interpolate(dense)",
            "dense % 20 >> interpolate(bm25)",
            "dense >> vector_feedback() >> dense",
            "hybrid >> vector_feedback() >> hybrid",
            "bm25 >> rm3() >> hybrid",
            "bm25 >> neighbours()",
            "hybrid >> neighbours()",
            "hybrid >> mmr()",
            "keywords(terms=5, longer=5) >> hybrid",
        ),
    ),
    *(PanelRecipe("bm25", k1, b) for k1, b in ((0.6, 0.3), (2.0, 0.9), (0.9, 0.0), (0.9, 1.0))),
    *(PanelRecipe("hybrid", k1, b) for k1, b in ((0.6, 0.3), (2.0, 0.9), (0.9, 0.0), (0.9, 1.0))),
)
"""Chosen before anything was measured by it: fusions in steps, feedback, prefix cuts, queries cut short, k1 and b."""


@dataclass(frozen=True, slots=True, eq=False)
class PanelScores:
    """What each recipe reaches for each query."""

    names: tuple[str, ...]
    queries: tuple[str, ...]
    values: NDArray[np.float64]
    """nDCG@10, shape (recipes, queries)."""

    @property
    def means(self) -> NDArray[np.float64]:
        """Of each recipe, float64 (recipes,)."""
        found: NDArray[np.float64] = self.values.mean(axis=1)
        return found


def panel_of(library: Library) -> tuple[PanelRecipe, ...]:
    """The part of the panel that ``library`` can run: without ``dense``, and what uses it, where it has no vectors."""
    if library._searcher.representations.keys() >= {"bm25", "dense"}:
        return PANEL
    return tuple(one for one in PANEL if not any(word in one.recipe for word in ("dense", "hybrid", "vector", "neighbours")))


def panel_scores(
    library: Library, collection: Collection, trials: Sequence[PanelRecipe] | None = None, *, progress: Progress = silent
) -> PanelScores:
    """Search the judged queries of ``collection`` in ``library`` by each of ``trials`` (its panel where None).

    ``library`` is searched with other k1 and b than its own, and has its own again at the end: give a copy where others search
    it. What the recipes have in common runs once a query. Raises what searching raises.
    """
    chosen = panel_of(library) if trials is None else tuple(trials)
    queries = [(query, text) for query, text in collection.judged.items() if text.strip()]
    values = np.zeros((len(chosen), len(queries)))
    own = library.settings.k1, library.settings.b
    settings = list(dict.fromkeys((one.k1, one.b) for one in chosen))
    task = progress("searching", len(queries) * len(settings), "queries")
    try:
        for k1, b in settings:
            rows = [at for at, one in enumerate(chosen) if (one.k1, one.b) == (k1, b)]
            library.configure(k1=own[0] if k1 is None else k1, b=own[1] if b is None else b)
            for start in range(0, len(queries), BATCH):
                some = queries[start : start + BATCH]
                for row, runs in zip(rows, _runs(library, some, [chosen[row].recipe for row in rows]), strict=True):
                    found = measure(runs, {query: collection.qrels[query] for query, _ in some}, [MEASURE])
                    values[row, start : start + len(some)] = found.values[0]
                task.advance(len(some))
    finally:
        task.close()
        library.configure(k1=own[0], b=own[1])
    return PanelScores(tuple(one.name for one in chosen), tuple(query for query, _ in queries), values)


def _runs(
    library: Library, queries: Sequence[tuple[str, str]], recipes: Sequence[str]
) -> list[dict[str, list[tuple[str, float]]]]:
    """A run of documents for each recipe."""
    depth = DEPTH if library.settings.unit == "document" else DEPTH * _DEEPER
    runs: list[dict[str, list[tuple[str, float]]]] = [{} for _ in recipes]
    asked = queries
    while asked:
        ranked = library.rank_recipes([text for _, text in asked], recipes, depth)
        names = library.documents_of(sorted({passage for row in ranked for one in row for passage in one.hits.ids.tolist()}))
        short = []
        for (query, text), row in zip(asked, ranked, strict=True):
            for run, one in zip(runs, row, strict=True):
                pairs = zip(one.hits.ids.tolist(), one.hits.scores.tolist(), strict=True)
                best: dict[str, float] = {}
                for passage, score in pairs:
                    if passage in names:
                        best.setdefault(names[passage][1], score)
                run[query] = list(best.items())[:DEPTH]
            if any(len(run[query]) < DEPTH and len(one.hits) == depth for run, one in zip(runs, row, strict=True)):
                short.append((query, text))  # a few documents have all these passages: look deeper, as a search does
        asked, depth = (short, min(4 * depth, MAX_K)) if depth < MAX_K else ([], depth)
    return runs
