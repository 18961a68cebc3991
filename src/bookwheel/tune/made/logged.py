"""Queries that people asked: questions with the documents that their answers quote, and queries with the results that were opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...evaluate.lines import json_values
from .drawn import Drawn
from .query import Draft
from .wording import one_line

__all__ = ["Answers", "Clicks"]

LONGEST = 16 << 20
"""Bytes of one line."""
MOST = 100_000
"""Different queries of the logs."""
DEEPEST = 10
"""A click further down counts as one at this rank, so that a single one does not outweigh many (clipping)."""
HALF = 0.5
"""Of the greatest weight of a query's documents: what has less is taken for opened by chance, or for being on top."""


class Answers:
    """From what `bookwheel ask --log` writes: a question is answered by the documents that its answer quotes.

    They were found by the recipe in use, which these judgments therefore favour; nothing is taken out of the documents.
    """

    name = "answers"
    summary = "a question that was asked; the documents that its answer quotes"
    source = "Joachims, Optimizing Search Engines Using Clickthrough Data (KDD 2002), with quotes for clicks"
    needs = "logs"

    def drafts(self, drawn: Drawn) -> Iterator[Draft]:
        """See `Way.drafts`. Raises `InputError` for a log that cannot be read."""
        asked: dict[str, dict[str, float]] = {}
        for record in _records(drawn.logs):
            if isinstance(record.get("question"), str) and not record.get("refused", True):
                for claim in _list(record.get("claims")):
                    for quote in _list(claim.get("quotes")) if claim.get("status") in ("quoted", "supported") else ():
                        _note(asked, record["question"], quote.get("id"))
        yield from _drafts(drawn, asked, "answer")


class Clicks:
    """From lines ``{"query": …, "clicked": ID, "rank": 3}``, or ``"id": ID``: a query is answered by what was opened for it.

    Who sees the recipe's order opens what is on top. Where ranks are known, from 1, a click at rank r counts r times, since a result is
    looked at about 1/r times as often as the first (inverse propensity weighting: Joachims, Swaminathan and Schnabel, "Unbiased
    Learning-to-Rank with Biased Feedback", WSDM 2017, with their propensities at eta = 1, clipped); documents with half of the greatest
    weight or more are relevant. Without ranks every opened document is, and clicks favour the recipe in use. So they do anyway as to
    what it never showed. Nothing is taken out of the documents.
    """

    name = "clicks"
    summary = "a query that was searched; the results that were opened"
    source = "Joachims, Swaminathan and Schnabel, Unbiased Learning-to-Rank with Biased Feedback (WSDM 2017)"
    needs = "logs"

    def drafts(self, drawn: Drawn) -> Iterator[Draft]:
        """See `Way.drafts`. Raises `InputError` for a log that cannot be read."""
        searched: dict[str, dict[str, float]] = {}
        ranked: set[str] = set()
        for record in _records(drawn.logs):
            if isinstance(record.get("query"), str):
                given, rank = record.get("clicked", record.get("id")), record.get("rank")
                weight = min(rank, DEEPEST) if isinstance(rank, int) and not isinstance(rank, bool) and rank >= 1 else None
                if weight is not None:
                    ranked.add(one_line(record["query"]))
                for one in given if isinstance(given, list) else [given]:
                    _note(searched, record["query"], one, weight or 1)
        corrected = {text: _outweighing(found) if text in ranked else found for text, found in searched.items()}
        yield from _drafts(drawn, corrected, "click")


def _outweighing(weights: Mapping[str, float]) -> dict[str, float]:
    most = max(weights.values())
    return {document: weight for document, weight in weights.items() if weight >= HALF * most}


def _note(found: dict[str, dict[str, float]], query: str, document: object, weight: int = 1) -> None:
    text = one_line(query)
    if isinstance(document, str) and text and (text in found or len(found) < MOST):
        counts = found.setdefault(text, {})
        counts[document] = counts.get(document, 0) + weight


def _drafts(drawn: Drawn, queries: Mapping[str, Mapping[str, float]], what: str) -> Iterator[Draft]:
    """A draft for each query, in an order drawn with the seed; documents that the library has not are left out."""
    snapshot = drawn.library._snapshot
    for text in sorted(queries, key=lambda one: drawn.chance(one)):
        relevant: dict[int, int] = {}
        for name in queries[text]:
            found = snapshot.store.find(snapshot.generation, name)
            if len(found) == 1:
                relevant[found[0]] = 1
        if relevant:
            count = len(queries[text])
            yield Draft(text, relevant, {}, f"{what}s of {count} document{'' if count == 1 else 's'}")


def _list(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _records(paths: tuple[Path, ...] | Any) -> Iterator[Mapping[str, Any]]:
    for path in paths:
        yield from (record for _, record in json_values(Path(path), LONGEST) if isinstance(record, dict))
