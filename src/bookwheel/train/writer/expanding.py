"""Whether the terms of written queries help to put BM25's candidates into order: tried on held-out queries, as they will be searched."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...analysis.analyzer import Analyzer
from ...encode.expansion import queries_of, similarity
from ...encode.load import load_encoder
from ...language.query_writer import WriterSettings, drawn_queries
from ...library.library import Library
from ...tune.made import MadeCollection
from ..lists.comparing import FIRST, WEIGHTS, Candidates, as_interpolate, evenly
from ..run import Run
from ..safety import FEWEST, Verdict, judged, languages_of, thirds

__all__ = ["CANDIDATES", "QUESTIONS", "Expanded", "Terms", "expanded"]

CANDIDATES = 10
"""Of BM25, for which queries are written: each takes a second or more."""
KEPT = (1.0, 0.5)
"""Shares of the written queries, those nearest to their passages, that are tried."""
QUESTIONS = "questions"
"""What recommended recipes call the model."""
TIMED = 2
"""Queries by which it is told how long they take."""


@dataclass(frozen=True)
class Expanded:
    """What was found. ``weight`` 0 and no verdict: nothing was gained on validation queries, or there was no time to tell."""

    passages: int = 0
    weight: float = FIRST
    threshold: float | None = None
    validation: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    verdict: Verdict = field(default_factory=lambda: Verdict(()))

    @property
    def recipe(self) -> str | None:
        """What searches so."""
        return stage(self.weight) if self.weight else None


def stage(weight: float) -> str:
    """The recipe with so much of the score."""
    return f"bm25 >> interpolate({QUESTIONS}, weight={weight:g})"


class Terms:
    """Scores of passages by the terms of the queries that ``model`` writes for them, each written once and kept by ``run``."""

    def __init__(self, run: Run, model: Any, settings: WriterSettings) -> None:
        self.run, self.model, self.settings = run, model, settings
        known = run.kept.fact("drawn")
        self.drawn: dict[str, list[str]] = known if isinstance(known, dict) else {}
        self.cosines: dict[str, list[float]] = {}
        self._similar = similarity(load_encoder())

    def write(self, texts: Sequence[str]) -> None:
        """Have queries for all of ``texts``."""
        new = [text for text in dict.fromkeys(texts) if _key(text) not in self.drawn]
        for text in new:
            found = queries_of(drawn_queries(self.model, text, self.settings))
            self.drawn[_key(text)] = found[: self.settings.count]
        if new:
            self.run.kept.note(drawn=self.drawn)

    def near(self, text: str) -> list[float]:
        """The cosine of each of its queries with ``text``."""
        key = _key(text)
        if key not in self.cosines:
            queries = self.drawn[key]
            self.cosines[key] = self._similar(queries, [text] * len(queries)).tolist() if queries else []
        return self.cosines[key]

    def scores(self, query: str, texts: Sequence[str], threshold: float | None) -> NDArray[np.float32]:
        """Of each of ``texts``, float32 (texts,), as `QueryWriter` makes them: the product of the weights of terms."""
        analyzer: Analyzer = self.settings.analyzer
        asked = set(analyzer(query))
        found = []
        for text in texts:
            kept = [
                one
                for one, cosine in zip(self.drawn[_key(text)], self.near(text), strict=True)
                if threshold is None or cosine >= threshold
            ]
            counts = Counter(analyzer("\n".join(kept)))
            found.append(sum(float(np.log1p(counts[term])) for term in asked if term in counts))
        return np.array(found, np.float32)


def expanded(run: Run, copy: Library, made: MadeCollection, model: Any, settings: WriterSettings) -> Expanded:
    """The best share of the score and the best filter on a third of the queries, and what the others say of them."""
    validation, test = thirds(made)
    terms = Terms(run, model, settings)
    count = _affordable(run, copy, validation, terms)
    if not count:
        return Expanded()
    asked = Candidates(copy, validation, evenly(list(validation.judged), count), CANDIDATES, as_interpolate)
    with run.shown("writing queries of validation passages", len(asked), "queries") as advance:
        lists = _written(asked, terms, advance)
    near = [cosine for _, texts in lists for text in texts for cosine in terms.near(text)]
    thresholds = {one: None if one == 1.0 or not near else float(np.quantile(near, 1 - one)) for one in KEPT}
    reached: dict[tuple[float, float], float] = {}
    for share, threshold in thresholds.items():
        scores = [terms.scores(query, texts, threshold) for query, texts in lists]
        for weight in (FIRST, *WEIGHTS):
            reached[share, weight] = float(np.mean(list(asked.values(scores, weight).values())))
    table = {f"{share:g}": {f"{w:g}": value for (s, w), value in reached.items() if s == share} for share in KEPT}
    # Of equals BM25 alone, then all queries, then the smaller share of the score.
    share, weight = max(reached, key=lambda one: (reached[one], one[1] == FIRST, one[0], -one[1]))
    if weight == FIRST:
        return Expanded(len(terms.drawn), validation=table)
    asked = Candidates(copy, test, evenly(list(test.judged), 2 * count), CANDIDATES, as_interpolate)
    with run.shown("writing queries of test passages", len(asked), "queries") as advance:
        lists = _written(asked, terms, advance)
    scores = [terms.scores(query, texts, thresholds[share]) for query, texts in lists]
    pairs = {stage(weight): (asked.values(scores, FIRST), asked.values(scores, weight))}
    return Expanded(len(terms.drawn), weight, thresholds[share], table, judged(pairs, languages_of(copy, test)))


def _written(asked: Candidates, terms: Terms, advance: Callable[[int], None]) -> list[tuple[str, list[str]]]:
    found = []
    for _, query, texts in asked.texts():
        terms.write(texts)
        found.append((query, texts))
        advance(1)
    return found


def _affordable(run: Run, copy: Library, validation: MadeCollection, terms: Terms) -> int:
    """Validation queries that the rest of the minutes has room for, with twice as many to compare by; 0 where those are too few."""
    count = run.kept.fact("expanded")
    if count is None:
        timed = Candidates(copy, validation, evenly(list(validation.judged), TIMED), CANDIDATES, as_interpolate)
        began, before = time.monotonic(), len(terms.drawn)
        _written(timed, terms, lambda _: None)
        each = CANDIDATES * (time.monotonic() - began) / max(1, len(terms.drawn) - before)
        count = min(len(validation.judged), int(run.left(1.0) / (3 * max(1e-6, each))))
        count = 0 if 2 * count < FEWEST else count
        run.kept.note(expanded=count)
    return int(count)


def _key(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
