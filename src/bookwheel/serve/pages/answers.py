"""An answer as pages show it: each sentence with links to its quotes, the evidence, a refusal with what is nearest.

It is made of what `Answer.to_dict` gives, so that an answer that was kept looks as it did when it was given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .links import address_of, link
from .marked import QUOTE, Piece, Spot, pieces_of

__all__ = ["AnswerView", "Source", "answer_view", "evidence_view"]

AROUND = 220
"""Characters of a passage on each side of what is quoted of it."""
_WORD = re.compile(r"\w[\w'’.-]*")
_SMALL = 3
NEAREST, LISTED = 3, 20
"""Passages shown with a refusal, and documents with an answer about the whole collection; more are told, or folded away."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A link from a sentence to what it rests on."""

    number: int
    href: str
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer."""

    pieces: list[Piece]
    status: str
    note: str
    quotes: list[Quoted]


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that was read."""

    number: int
    title: str
    place: str
    href: str
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A document of a whole-collection answer."""

    title: str
    href: str
    places: int
    around: list[Piece]


@dataclass(frozen=True, slots=True)
class AnswerView:
    """An answer."""

    question: str
    sentences: list[Sentence]
    left_out: list[Sentence]
    """What a model wrote and the documents do not support."""
    sources: list[Source]
    refused: bool
    reason: str
    notes: list[str]
    limits: list[str]
    model: str
    seconds: float
    mentioned: list[Mentioned] = field(default_factory=list)
    more_mentioned: int = 0

    @property
    def shown(self) -> list[Source]:
        """What is quoted; of a refusal, or where nothing is, the nearest."""
        quoted = {quote.number for one in (*self.sentences, *self.left_out) for quote in one.quotes}
        return [one for one in self.sources if one.number in quoted] or self.sources[:NEAREST]

    @property
    def rest(self) -> list[Source]:
        """The other passages that were read."""
        shown = {one.number for one in self.shown}
        return [one for one in self.sources if one.number not in shown]


def answer_view(answer: Mapping[str, Any], library: str, everywhere: Any = None) -> AnswerView:
    """``answer`` as `Answer.to_dict` gives it; ``library`` as links name it; ``everywhere``: that of the `Answer`."""
    claims = [claim for claim in answer.get("claims") or () if isinstance(claim, Mapping)]
    evidence = [one for one in answer.get("evidence") or () if isinstance(one, Mapping)]
    quotes = [quote for claim in claims for quote in claim.get("quotes") or ()]
    words = {word.casefold() for one in evidence for word in _WORD.findall(str(one.get("text", "")))}
    told = partial(_sentence, library=library, words=words)
    mentioned: list[Mentioned] = []
    for document in everywhere if everywhere is not None else ():
        if len(mentioned) == LISTED:
            break
        first = document.mentions[0]
        spot = Spot(first.offset, first.offset + len(first.text), QUOTE)
        place = {} if first.in_title else {"start": first.start, "end": first.end}
        href = link("/read", "here", library=library, id=address_of(document.id, document.source), q=first.text, **place)
        mentioned.append(
            Mentioned(document.title or document.id, href, len(document.mentions), pieces_of(first.around, [spot]))
        )
    return AnswerView(
        str(answer.get("question", "")),
        [told(claim) for claim in claims],
        [told(claim) for claim in answer.get("omitted") or ()],
        [evidence_view(one, library, quotes) for one in evidence],
        bool(answer.get("refused")),
        str(answer.get("reason", "")),
        list(map(str, answer.get("notes") or ())),
        list(map(str, answer.get("limits") or ())),
        str(answer.get("model", "")),
        float(sum((answer.get("timings") or {}).values())),
        mentioned,
        0 if everywhere is None else max(0, everywhere.documents - len(mentioned)),
    )


def _sentence(claim: Mapping[str, Any], library: str, words: set[str]) -> Sentence:
    text, status = str(claim.get("text", "")), str(claim.get("status", ""))
    spots: list[Spot] = []
    if status in ("altered", "unsupported") and words:
        spots = [
            Spot(*match.span(), "bad")
            for match in _WORD.finditer(text)
            if match[0].casefold() not in words and (len(match[0]) > _SMALL or not match[0].isalpha())
        ]
    quotes = [
        Quoted(int(quote["evidence"]), _href(quote, library), str(quote.get("place") or quote["source"]), str(quote["text"]))
        for quote in claim.get("quotes") or ()
    ]
    return Sentence(pieces_of(text, spots), status, str(claim.get("note", "")), quotes)


def evidence_view(one: Mapping[str, Any], library: str, quotes: Sequence[Mapping[str, Any]] = ()) -> Source:
    """A passage with what is quoted of it marked, as far as its text was kept."""
    text, start = str(one.get("text", "")), int(one["start"])
    spots = [
        Spot(int(quote["start"]), int(quote["end"]), QUOTE)
        for quote in quotes
        if quote["id"] == one["id"] and quote["source"] == one["source"]
    ]
    here = [spot for spot in spots if spot.start < start + len(text) and spot.end > start]
    first = min((spot.start for spot in here), default=start)
    low = max(0, first - start - AROUND) if text else 0
    high = min(len(text), max((spot.end for spot in here), default=start) - start + 2 * AROUND)
    if low:
        low = max(text.find(" ", low, low + 40) + 1, low)
    pieces = pieces_of(text[low:high], spots, start + low)
    shown = [Piece("… "), *pieces] if low else pieces
    return Source(
        int(one["number"]),
        str(one.get("title") or one["id"]),
        str(one.get("place") or one["source"]),
        _href(one, library),
        [*shown, Piece(" …")] if high < len(text) else shown,
    )


def _href(span: Mapping[str, Any], library: str) -> str:
    address = address_of(str(span["id"]), str(span["source"]))
    return link("/read", "here", library=library, id=address, start=int(span["start"]), end=int(span["end"]))
