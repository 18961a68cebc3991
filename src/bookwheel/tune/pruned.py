"""Is the ranking as good without the passages that pruning would leave out? Asked of judged queries, on a copy of the library.

Equivalence, not a difference that is not significant: Chang et al., "Neural Passage Quality Estimation for Static Pruning" (2024), test
it by two one-sided t-tests, as here (`evaluate.equivalence`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import InputError
from ..evaluate.collection import Collection
from ..evaluate.compare import Comparison, compare
from ..evaluate.equivalence import Equivalence, equivalence
from ..evaluate.measures import Scores, measure
from ..library.copying import copy_library
from ..library.library import Library
from ..library.reader import Reader
from ..library.static_pruning.report import Pruning
from ..progress import Progress, silent
from ..rank.recipe import Recipe
from .temporary import beside

__all__ = ["MARGIN", "PruningTrial", "try_pruning"]

MARGIN = 0.01
"""The smallest difference of nDCG@10 that matters."""
MEASURE = "nDCG@10"
DEPTH = 10
LEAST = 10
"""Judged queries, fewer of which say nothing."""


@dataclass(frozen=True, slots=True)
class PruningTrial:
    """What judged queries say of pruning."""

    pruning: Pruning
    before: float
    """nDCG@10 with all passages."""
    after: float
    comparison: Comparison
    equivalence: Equivalence
    queries: int

    @property
    def harmless(self) -> bool:
        """Whether the ranking is shown to be not worse by the margin or more (one-sided t-test, p < 0.05)."""
        return self.equivalence.not_worse

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        tests = {"difference": self.comparison.to_dict(), "equivalence": self.equivalence.to_dict()}
        return {"measure": MEASURE, "before": self.before, "after": self.after, "queries": self.queries, **tests}

    def __str__(self) -> str:
        one = self.equivalence
        if one.equivalent:
            verdict = f"equivalent to within {one.margin:g} (p = {one.p_equivalent:.2g})"
        elif one.not_worse:
            verdict = f"not worse by {one.margin:g} or more (p = {one.p_not_worse:.2g})"
        elif self.comparison.p_t < 0.05 and one.difference < 0:
            verdict = f"significantly worse (p = {self.comparison.p_t:.2g})"
        else:
            verdict = f"not shown to be as good to within {one.margin:g} (p = {one.p_not_worse:.2g})"
        return (
            f"{MEASURE} of {self.queries:,} queries {self.before:.4f} -> {self.after:.4f}, a change of {one.difference:+.4f} "
            f"(90 % interval {one.low:+.4f} to {one.high:+.4f}): {verdict}"
        )


def try_pruning(
    library: Library,
    collection: Collection,
    share: float | None = None,
    *,
    recipe: str | Recipe | None = None,
    margin: float = MARGIN,
    progress: Progress = silent,
) -> PruningTrial:
    """Prune a copy of ``library`` as `Library.prune` does with ``share``, and rank the judged queries with it and without.

    ``recipe``: the library's own where None; ``margin``: of nDCG@10. The copy shares its segments on the disk, and is deleted. A
    library that is pruned now is compared with all of its passages. Raises `InputError` where there are too few judged queries, and
    what searching raises.
    """
    queries = {query: text for query, text in collection.judged.items() if any(g > 0 for g in collection.qrels[query].values())}
    if len(queries) < LEAST:
        some = "1 judged query" if len(queries) == 1 else f"{len(queries):,} judged queries"
        raise InputError(f"{collection.name} has {some}; pruning is tried with at least {LEAST}")
    qrels = {query: collection.qrels[query] for query in queries}
    with beside(library.path, ".bookwheel-prune-") as folder:
        path = Path(folder) / "copy"
        copy_library(library, path)
        with Library(path, ram=library.ram) as copy:
            copy.restore()
            before = _scores(copy, queries, qrels, recipe, progress)
            pruning = copy.prune(share, progress=progress)
            after = _scores(copy, queries, qrels, recipe, progress)
    scores = {"all": before, "pruned": after}
    (difference,) = compare(scores)
    (same,) = equivalence(scores, margin)
    return PruningTrial(pruning, difference.before, difference.after, difference, same, len(queries))


def _scores(library: Reader, queries: dict[str, str], qrels: Any, recipe: str | Recipe | None, progress: Progress) -> Scores:
    run: dict[str, list[tuple[str, float]]] = {}
    task = progress("ranking", len(queries), "queries")
    try:
        for query, text in queries.items():
            run[query] = library.rank_documents([text], k=DEPTH, recipe=recipe)[0] if library.passage_count else []
            task.advance()
    finally:
        task.close()
    return measure(run, qrels, [MEASURE])
