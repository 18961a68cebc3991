"""What each trial is worth for each query: computed once, and kept in a file so that an interrupted run goes on from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .._errors import UsageError
from ..evaluate.measures import parse_measures
from ..evaluate.measures.base import JudgedRanking, Measure
from ..library.search_options import MAX_K
from ..library.trial import TrialReader
from ..rank.query import Query
from .cached import CachedRunner
from .design import Trial
from .journal import Journal

__all__ = ["OutOfTime", "Scorer", "usable_measure"]


class OutOfTime(Exception):
    """The minutes are over; what was computed is kept."""


def usable_measure(measure: str) -> Measure:
    """The measure of that name. Raises `UsageError` for one that is not computed query by query here, from a few documents."""
    (parsed,) = parse_measures([measure])
    if not isinstance(parsed, Measure) or parsed.cutoff is None:
        raise UsageError(f"tuning needs a measure with a cut-off that is built in, such as nDCG@10 or RR@10, not {measure}")
    return parsed


class Scorer:
    """Scores trials on the judged queries of one library, as a search and `bookwheel.evaluate` would.

    ``queries``: texts by id. ``qrels``: grades by query and document id. ``deadline``: of `time.monotonic`. Raises `UsageError`
    as `usable_measure` does.
    """

    def __init__(
        self,
        reader: TrialReader,
        queries: Mapping[str, str],
        qrels: Mapping[str, Mapping[str, int]],
        measure: str = "nDCG@10",
        *,
        journal: Journal | None = None,
        deadline: float = float("inf"),
        tick: Callable[[str], object] = lambda note: None,
    ) -> None:
        self.reader = reader
        self.measure = usable_measure(measure)
        self.depth: int = self.measure.cutoff or 0
        self.names = list(queries)
        self.texts = [queries[name].strip() for name in self.names]
        self.grades = [qrels[name] for name in self.names]
        self.deadline = deadline
        self.journal = journal or Journal(None, "")
        self.tick = tick
        self.ranked = 0
        """Rankings computed in this run."""
        self._scores: dict[str, NDArray[np.float64]] = {}
        self._runners: list[CachedRunner | None] = [None] * len(self.names)
        self._documents: dict[int, tuple[int, str]] = {}
        self._groups = reader.settings.unit != "document"
        for key, places, values in self.journal.scores():
            self._row(key)[places] = values

    @property
    def trials(self) -> int:
        """How many different ones were scored, for some queries at least."""
        return len(self._scores)

    def __len__(self) -> int:
        return len(self.names)

    def scores(self, trial: Trial, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """The measure of each of the queries at ``places``, float64 of that shape. Raises `OutOfTime`."""
        row = self._row(trial.key)
        missing = places[np.isnan(row[places])]
        if len(missing):
            self.reader.try_bm25(trial.bm25)
            done: list[int] = []
            try:
                for at in missing.tolist():
                    if time.monotonic() > self.deadline:
                        raise OutOfTime
                    row[at] = self.score(trial, at)
                    done.append(at)
            finally:
                self.ranked += len(done)
                self.journal.add_scores(trial.key, done, row[done])
                self.tick(str(trial.recipe))
        return row[places]

    def score(self, trial: Trial, at: int) -> float:
        """The measure of one query's ranking."""
        return float(self.measure.of(JudgedRanking.of(self.documents(trial, at), self.grades[at])))

    def documents(self, trial: Trial, at: int) -> list[str]:
        """The best documents for a query, as `Library.rank_documents` gives them; none for one without text."""
        if not self.texts[at]:
            return []
        runner = self._runners[at]
        if runner is None:
            runner = self._runners[at] = CachedRunner(self.reader.context, Query(self.texts[at]))
        runner.bm25 = trial.bm25
        k = self.depth
        want = 2 * k if self._groups else k
        while True:  # see `Searcher._grouped`
            passages = runner.passages(trial.recipe, min(want, MAX_K))
            found = self._names(passages)
            if len(found) >= k or len(passages) < want or want >= MAX_K:
                return found[:k]
            want *= 4

    def _names(self, passages: Sequence[int]) -> list[str]:
        known = self._documents
        if missing := [passage for passage in passages if passage not in known]:
            known.update(self.reader.documents_at(missing))
        best: dict[int, str] = {}
        for passage in passages:
            if passage in known:
                number, name = known[passage]
                best.setdefault(number, name)
        return list(best.values())

    def _row(self, key: str) -> NDArray[np.float64]:
        if key not in self._scores:
            self._scores[key] = np.full(len(self.names), np.nan)
        return self._scores[key]
