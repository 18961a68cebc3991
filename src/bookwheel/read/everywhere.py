"""The answer to a whole-collection question: exact counts, a quote from each of the first documents, and all places."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Protocol

from .answer import Answer, Claim
from .evidence import Evidence, Quote
from .mentions import DocumentMentions, Mention
from .options import AskOptions
from .protocols import Collection
from .sentence_cuts import sentence_cuts
from .whole import WholeQuestion, apart

__all__ = ["MentionList", "everywhere"]

METHOD = "scan"
SENTENCE = 400
"""Characters of a sentence that is quoted whole; of a longer one, what stands around the place."""


class MentionList(Protocol):
    """The documents that mention something, with exact counts (`library.mentions.Mentions`)."""

    @property
    def documents(self) -> int:
        """How many documents."""

    @property
    def passages(self) -> int:
        """How many passages."""

    @property
    def occurrences(self) -> int:
        """How many places."""

    @property
    def phrases(self) -> tuple[str, ...]:
        """What was looked for."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be read."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[DocumentMentions]: ...


class _Counts(Collection, Protocol):
    def count(self, where: str | None) -> int: ...
    def mentions(self, phrases: Sequence[str], where: str | None, together: str) -> MentionList: ...


def everywhere(collection: _Counts, question: str, whole: WholeQuestion, where: str | None, options: AskOptions) -> Answer:
    """All that ``whole`` asks for: counted over every document that meets ``where``, never estimated."""
    started = time.perf_counter()
    searched = collection.count(where)
    if not whole.phrases:
        within = "the library" if where is None else "the library, within the limits"
        told = f"There {'is' if searched == 1 else 'are'} {_plural(searched, 'document')} in {within}."
        timings = {"search": time.perf_counter() - started}
        listed = () if whole.counting else ("`bookwheel export` lists them",)
        return Answer(question, (Claim(told, "counted"),), (), METHOD, notes=listed, timings=timings)
    found = collection.mentions(whole.phrases, where, whole.together)
    notes = list(found.notes)
    told = _listed(whole)
    if not found.documents and len(whole.phrases) == 1 and not whole.quoted:
        found, told = _otherwise(collection, whole.phrases[0], where, notes) or (found, told)
    scanned = time.perf_counter()
    if not found.documents:
        reason = f"no document mentions {told}: all {_plural(searched, 'document')} were searched"
        return Answer(
            question, (), (), METHOD, refused=True, reason=reason, probability=0.0, notes=tuple(notes),
            timings={"search": scanned - started},
        )  # fmt: skip
    claim = Claim(
        f"{_plural(found.documents, 'document')} of {searched:,} mention{'s' if found.documents == 1 else ''} {told}: "
        f"{_plural(found.occurrences, 'place')} in {_plural(found.passages, 'passage')}.",
        "counted",
    )
    evidence, quotes = _quoted(collection, found, options)
    claims = (claim, *(Claim(quote.text, "quoted", (quote,)) for quote in quotes))
    return Answer(
        question,
        claims,
        evidence,
        METHOD,
        notes=tuple(notes),
        timings={"search": scanned - started, "reading": time.perf_counter() - scanned},
        everywhere=found,
    )


def _otherwise(collection: _Counts, phrase: str, where: str | None, notes: list[str]) -> tuple[MentionList, str] | None:
    """What has the phrases that "and" or "or" joins in ``phrase``, or all of its words; None where no document does."""
    told = f'"{phrase}"'
    if (parts := apart(phrase)) is not None:
        found = collection.mentions(parts[0], where, parts[1])
        if found.documents:
            both = "all" if parts[1] == "all" else "one"
            notes.append(f"no document has the words {told} in a row; counted are documents that have {both} of its parts")
            return found, (" and " if parts[1] == "all" else " or ").join(f'"{part}"' for part in parts[0])
    if len(words := phrase.split()) > 1:
        found = collection.mentions(words, where, "all")
        if found.documents:
            notes.append(f"no document has the words {told} in a row; counted are documents that have all of them")
            return found, f"all of the words {told}"
    return None


def _quoted(collection: _Counts, found: MentionList, options: AskOptions) -> tuple[tuple[Evidence, ...], list[Quote]]:
    """The sentence of the first place in each of the first documents, with its place."""
    evidence: list[Evidence] = []
    quotes: list[Quote] = []
    for document in found:
        if len(evidence) == options.passages:
            break
        inside = [mention for mention in document.mentions if not mention.in_title and (options.hidden or not mention.hidden)]
        if not inside:  # only its title does, or what nobody sees
            continue
        first = inside[0]
        start, end = _sentence(first)
        text = first.around[start - _left(first) :][: end - start]
        one = Evidence(
            len(evidence) + 1, first.passage, document.id, document.title, document.source, first.place, text, start, end
        )
        evidence.append(one)
        quotes.append(Quote(one.number, one.id, one.source, start, end, text))
    places = collection.places(quotes) if quotes else []
    placed = [
        Quote(quote.evidence, quote.id, quote.source, quote.start, quote.end, quote.text, place)
        for quote, place in zip(quotes, places, strict=True)
    ]
    return tuple(evidence), placed


def _left(mention: Mention) -> int:
    """Where in the document ``mention.around`` begins."""
    return mention.start - mention.offset


def _sentence(mention: Mention) -> tuple[int, int]:
    """Start and end in the document of the sentence around a place, as far as its context goes, without spaces at its ends."""
    around = mention.around
    starts, _ = sentence_cuts(around)
    inside = mention.offset
    low = max(start for start in starts if start <= inside)
    high = min((start for start in starts if start >= inside + len(mention.text)), default=len(around))
    text = around[low:high]
    low += len(text) - len(text.lstrip())
    high = low + len(text.strip())
    return _left(mention) + low, _left(mention) + high


def _listed(whole: WholeQuestion) -> str:
    joined = " and " if whole.together == "all" else " or "
    return joined.join(f'"{phrase}"' for phrase in whole.phrases)


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
