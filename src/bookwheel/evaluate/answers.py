"""Answers measured against the right ones: what `bookwheel ask --log` wrote, and a file of gold answers.

Exact match and F1 of words are those of SQuAD (Rajpurkar et al., 2016), with its normalisation: lower case, no punctuation, no
articles, single spaces; refusals are counted as SQuAD 2.0 does (Rajpurkar et al., 2018): right where there is no answer.
"""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._errors import InputError

__all__ = ["AnswerScores", "Gold", "answer_scores", "contains", "exact", "f1", "normalised", "read_answers", "read_gold"]

LONGEST = 64 << 20
"""Bytes of one line."""
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """``text`` as SQuAD compares it."""
    lower = unicodedata.normalize("NFC", text).lower().translate(_PUNCTUATION)
    lower = "".join(" " if unicodedata.category(c)[0] == "P" else c for c in lower) if not lower.isascii() else lower
    return " ".join(_ARTICLES.sub(" ", lower).split())


def exact(answer: str, golds: Iterable[str]) -> bool:
    """Whether ``answer`` is one of ``golds``, normalised."""
    text = normalised(answer)
    return any(text == normalised(gold) for gold in golds)


def contains(answer: str, golds: Iterable[str]) -> bool:
    """Whether one of ``golds`` is in ``answer``, word for word, normalised."""
    text = f" {normalised(answer)} "
    return any((plain := normalised(gold)) != "" and f" {plain} " in text for gold in golds)


def f1(answer: str, golds: Iterable[str]) -> float:
    """The best F1 of words of ``answer`` against one of ``golds``."""
    words = Counter(normalised(answer).split())
    best = 0.0
    for gold in golds:
        wanted = Counter(normalised(gold).split())
        if not words or not wanted:
            best = max(best, float(words == wanted))
            continue
        shared = sum((words & wanted).values())
        if shared:
            best = max(best, 2 * shared / (sum(words.values()) + sum(wanted.values())))
    return best


@dataclass(frozen=True, slots=True)
class Gold:
    """The right answers to a question."""

    answers: tuple[str, ...]
    """None where the documents do not have it."""


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


def read_answers(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a log of answers. Raises `InputError` naming the line that is none."""
    for number, record in _lines(path):
        if "question" not in record or not ("claims" in record or "error" in record):
            raise InputError(f"{path}:{number} is no answer that `bookwheel ask --log` wrote: it has no question or no claims")
        yield record


def read_gold(path: Path) -> dict[str, Gold]:
    """The right answers by id and by question. Raises `InputError` naming the line that is wrong.

    A line is ``{"id": …, "question": …, "answers": [text, …]}``; an id or a question is enough, ``answer`` may be one text, and
    none, or ``"is_impossible": true``, means that the documents do not have it. ``answers`` as SQuAD has them (``{"text": […]}``,
    or ``[{"text": …}]``) are read too.
    """
    found: dict[str, Gold] = {}
    for number, record in _lines(path):
        given = record.get("answers", record.get("answer"))
        if isinstance(given, Mapping):
            given = given.get("text")
        if isinstance(given, str):
            given = [given]
        if given is None:
            given = []
        texts = [one.get("text") if isinstance(one, Mapping) else one for one in given] if isinstance(given, list) else [None]
        keys = [str(record[key]) for key in ("id", "_id", "question") if record.get(key) is not None]
        if not keys or not all(isinstance(text, str) for text in texts):
            raise InputError(
                f'{path}:{number} is no gold answer; a line is {{"id": "q1", "question": "…", "answers": ["…"]}}, without answers '
                "where there is none"
            )
        gold = Gold(() if record.get("is_impossible") else tuple(text for text in texts if text))
        for key in keys:
            found[key] = gold
    if not found:
        raise InputError(f"{path} has no gold answer")
    return found


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST):
                number += 1
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise InputError(f"{path}:{number} is no JSON ({str(error)[:100]})") from None
                if not isinstance(record, dict):
                    raise InputError(f"{path}:{number} is no JSON object")
                yield number, record
    except OSError as error:
        raise InputError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error


Stored = Callable[[str, int, int], str | None]
"""The stored text of the document with an id, from start to end; None where there is no such document."""


def answer_scores(records: Iterable[Mapping[str, Any]], gold: Mapping[str, Gold], stored: Stored | None = None) -> AnswerScores:
    """The measures of a log. Quotes are compared with ``stored``, or else with the evidence that the log has itself."""
    scores = AnswerScores()
    sums: dict[str, list[float]] = {name: [] for name in ("exact", "contained", "f1", "cited", "answered", "refused")}
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
        statuses = [claim.get("status") for claim in record.get("claims", ())]
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
        scores.questions += 1
        refused = bool(record.get("refused", True))
        if not known.answers:
            sums["refused"].append(float(refused))
            continue
        text = "" if refused else str(record.get("answer") or "")
        sums["answered"].append(float(not refused))
        sums["exact"].append(float(exact(text, known.answers)))
        sums["contained"].append(float(contains(text, known.answers)))
        sums["f1"].append(f1(text, known.answers))
        sums["cited"].append(float(not refused and any(contains(str(q.get("text")), known.answers) for q in quotes)))
    for name, values in sums.items():
        if values:
            setattr(scores, name, sum(values) / len(values))
    if scores.quotes:
        scores.exact_quotes = right / scores.quotes
    if times:
        times.sort()
        scores.seconds = sum(times) / len(times)
        scores.seconds95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    return scores


def _quotes(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for claim in record.get("claims", ()):
        yield from claim.get("quotes", ())


def _is_exact(quote: Mapping[str, Any], record: Mapping[str, Any], stored: Stored | None) -> bool:
    start, end, text = quote.get("start"), quote.get("end"), quote.get("text")
    if not isinstance(start, int) or not isinstance(end, int) or not isinstance(text, str) or not text or start < 0:
        return False
    if stored is not None:
        return stored(str(quote.get("id")), start, end) == text
    evidence: Sequence[Mapping[str, Any]] = record.get("evidence", ())
    return any(
        one.get("id") == quote.get("id")
        and one.get("start", 0) <= start
        and str(one.get("text", ""))[start - one.get("start", 0) : end - one.get("start", 0)] == text
        for one in evidence
    )
