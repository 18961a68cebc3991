"""Reads a log of answers: that of `bookwheel ask --log`, or of any other reader that says what it answered and from what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..._errors import InputError
from .base import Claim, Gold, Judged
from .entailment import Entailment
from .gold import json_lines

__all__ = ["judged", "read_answers", "without_marks"]

_MARKS = re.compile(r"\[(\d{1,6}(?:\s*,\s*\d{1,6})*)\]")
_MARK_AND_SPACE = re.compile(r"\s*\[\d{1,6}(?:\s*,\s*\d{1,6})*\]")


def read_answers(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a log of answers. Raises `InputError` naming the line that is none.

    Besides what `bookwheel ask --log` writes: ``{"question": …, "answer": "text [1][2]. …", "evidence": [text, …]}``, with ``output``
    and ``docs`` in their place as ALCE has them; a refusal has no answer. Numbers in brackets cite the passages from 1.
    """
    for number, record in json_lines(path):
        if "question" not in record or not any(key in record for key in ("claims", "error", "answer", "output")):
            raise InputError(
                f"{path}:{number} is no answer that `bookwheel ask --log` wrote: it has no question, or neither claims nor an answer"
            )
        problem = _problem(record)
        if problem:
            raise InputError(f"{path}:{number} is no answer: {problem}")
        yield record


def _problem(record: Mapping[str, Any]) -> str:
    claims, evidence = record.get("claims"), record.get("evidence", record.get("docs"))
    if claims is not None and not (isinstance(claims, list) and all(isinstance(claim, Mapping) for claim in claims)):
        return "claims must be a list of objects"
    for claim in claims or ():
        quotes = claim.get("quotes", [])
        if not isinstance(quotes, list) or not all(isinstance(quote, Mapping) for quote in quotes):
            return "the quotes of a claim must be a list of objects"
    if evidence is not None and not (isinstance(evidence, list) and all(isinstance(one, Mapping | str) for one in evidence)):
        return "evidence must be a list of texts or of objects with a text"
    answer = record.get("answer", record.get("output"))
    if answer is not None and not isinstance(answer, str):
        return "the answer must be text"
    for name in ("confidence", "probability"):
        value = record.get(name)
        if value is not None and not (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1):
            return f"{name} must be a number from 0 to 1"
    return ""


@dataclass(frozen=True, slots=True)
class _Passage:
    number: int
    id: str
    text: str


def judged(record: Mapping[str, Any], gold: Gold, entailment: Entailment) -> Judged:
    """What the measures see of a record."""
    text = str(record.get("answer", record.get("output")) or "")
    refused = bool(record.get("refused", not text.strip()))
    passages = _passages(record.get("evidence", record.get("docs")) or ())
    claims = _claims(record["claims"]) if record.get("claims") is not None else _marked(text)
    sure = record.get("confidence", record.get("probability"))
    return Judged(
        question=str(record["question"]),
        text="" if refused else without_marks(text),
        refused=refused,
        claims=() if refused else claims,
        evidence={one.number: one.text for one in passages},
        documents={one.number: one.id for one in passages},
        gold=gold,
        probability=None if sure is None else float(sure),
        entailment=entailment,
    )


def without_marks(text: str) -> str:
    """``text`` without numbers in brackets."""
    return _MARK_AND_SPACE.sub("", text).strip()


def _passages(given: Sequence[Any]) -> list[_Passage]:
    found = []
    for at, one in enumerate(given, 1):
        if isinstance(one, str):
            found.append(_Passage(at, str(at), one))
            continue
        number = one.get("number", at)
        title, text = str(one.get("title") or ""), str(one.get("text") or "")
        whole = f"{title}\n{text}" if title and title not in text[: len(title) + 2] else text
        found.append(_Passage(number if isinstance(number, int) else at, str(one.get("id", one.get("_id", at))), whole))
    return found


def _claims(given: Sequence[Mapping[str, Any]]) -> tuple[Claim, ...]:
    found = []
    for claim in given:
        quotes = claim.get("quotes", ())
        numbers = [number for quote in quotes if isinstance(number := quote.get("evidence"), int)]
        texts = tuple(str(quote.get("text") or "") for quote in quotes)
        found.append(Claim(str(claim.get("text") or ""), tuple(dict.fromkeys(numbers)), texts, str(claim.get("status") or "")))
    return tuple(found)


def _marked(text: str) -> tuple[Claim, ...]:
    """The sentences of an answer with numbers in brackets; marks after a full stop belong to the sentence before them."""
    from ...read.sentences import spans

    joined = re.sub(r"([.!?。！？])((?:\s*\[\d[\d\s,]*\])+)", lambda found: f"{found[2]}{found[1]}", text)
    found = []
    for start, end in spans(joined):
        sentence = joined[start:end]
        numbers = [int(number) for marks in _MARKS.findall(sentence) for number in marks.split(",")]
        if plain := without_marks(sentence):
            found.append(Claim(plain, tuple(numbers)))  # ALCE counts what is cited twice twice
    return tuple(found)
