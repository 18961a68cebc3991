"""All measures of a log of answers, and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..proportions import wilson
from .base import Gold, Judged
from .entailment import Entailment, Words
from .log import judged
from .registry import MEASURES

__all__ = ["AnswerScores", "Stored", "answer_scores"]

SHARES = ("exact", "contained", "cited", "answered", "refused", "str_hit")
"""Measures that are 0 or 1 for each question, so that an interval of a share fits them."""


@dataclass(slots=True)
class AnswerScores:
    """What was measured, as shares from 0 to 1 (None where there was nothing to measure) and numbers."""

    questions: int = 0
    """Questions of the log that have a gold answer, or are known to have none."""
    unmatched: int = 0
    """Questions of the log that the gold file does not know."""
    failed: int = 0
    """Questions of the log that ended with an error."""
    exact: float | None = None
    """Of the answerable questions, refused ones counting as wrong."""
    contained: float | None = None
    """The answer has a gold answer in it, word for word."""
    f1: float | None = None
    cited: float | None = None
    """A quote of the answer has a gold answer in it."""
    answered: float | None = None
    """Of the answerable questions, those that were not refused."""
    refused: float | None = None
    """Of the questions without an answer, those that were refused."""
    measures: dict[str, float] = field(default_factory=dict)
    """Every measure of `MEASURES` that had something to measure, those above too."""
    over: dict[str, int] = field(default_factory=dict)
    """How many questions each rests on."""
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    """95 % by Wilson, of those that are shares of questions."""
    entailment: str = Words.name
    """Who said whether a sentence follows from what it cites."""
    quotes: int = 0
    """Quotes that were shown, in all answers of the log."""
    exact_quotes: float | None = None
    """Of the quotes, those that are exactly the text at their place."""
    wrong_quotes: list[str] = field(default_factory=list)
    """The first of those that are not: question and quote."""
    unsupported: int = 0
    """Sentences shown that are neither quoted, counted nor supported."""
    calls: int = 0
    tokens: int = 0
    """Of prompts and answers."""
    seconds: float | None = None
    """Mean time of an answer."""
    seconds95: float | None = None
    """95 of 100 answers took no longer."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


Stored = Callable[[str, int, int], str | None]
"""The stored text of the document with an id, from start to end; None where there is no such document."""


def answer_scores(
    records: Iterable[Mapping[str, Any]],
    gold: Mapping[str, Gold],
    stored: Stored | None = None,
    entailment: Entailment | None = None,
) -> AnswerScores:
    """The measures of a log. Quotes are compared with ``stored``, or else with the evidence that the log has itself.

    ``entailment`` says whether a sentence follows from what it cites, and whether an answer has a nugget; by its words where None.
    """
    judge = entailment or Words()
    scores = AnswerScores(entailment=judge.name)
    every: list[Judged] = []
    right = 0
    times: list[float] = []
    for record in records:
        if "error" in record:
            scores.failed += 1
        quotes = list(_quotes(record))
        scores.quotes += len(quotes)
        for quote in quotes:
            if _is_exact(quote, record, stored):
                right += 1
            elif len(scores.wrong_quotes) < 10:
                scores.wrong_quotes.append(f"{str(record['question'])[:100]}: {str(quote.get('text'))[:100]}")
        statuses = [claim.get("status") for claim in record.get("claims") or ()]
        scores.unsupported += sum(status not in ("quoted", "counted", "supported") for status in statuses)
        spent = record.get("spent") or {}
        scores.calls += int(spent.get("calls", 0))
        scores.tokens += int(spent.get("prompt_tokens", 0)) + int(spent.get("completion_tokens", 0))
        if (seconds := (record.get("timings") or {}).get("total")) is not None:
            times.append(float(seconds))
        known = gold.get(str(record.get("id")), gold.get(str(record["question"])))
        if known is None:
            scores.unmatched += 1
            continue
        every.append(judged(record, known, judge))
    scores.questions = len(every)
    for name, kind in MEASURES.items():
        value, count = kind.of(every)
        if value is not None:
            scores.measures[name], scores.over[name] = value, count
            if name in SHARES:
                scores.intervals[name] = wilson(value * count, count)
            if name in scores.__slots__:
                setattr(scores, name, value)
    if scores.quotes:
        scores.exact_quotes = right / scores.quotes
    if times:
        times.sort()
        scores.seconds = sum(times) / len(times)
        scores.seconds95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    return scores


def _quotes(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for claim in record.get("claims") or ():
        yield from claim.get("quotes", ())


def _is_exact(quote: Mapping[str, Any], record: Mapping[str, Any], stored: Stored | None) -> bool:
    start, end, text = quote.get("start"), quote.get("end"), quote.get("text")
    if not isinstance(start, int) or not isinstance(end, int) or not isinstance(text, str) or not text or start < 0:
        return False
    if stored is not None:
        return stored(str(quote.get("id")), start, end) == text
    evidence: Sequence[Any] = record.get("evidence") or ()
    return any(
        one.get("id") == quote.get("id")
        and one.get("start", 0) <= start
        and str(one.get("text", ""))[start - one.get("start", 0) : end - one.get("start", 0)] == text
        for one in evidence
        if isinstance(one, Mapping)
    )
