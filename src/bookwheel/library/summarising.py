"""Summaries of documents of a library: their sentences, one window of a text at a time, and the places of those chosen."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._errors import InputError, UsageError
from ..language import problem
from ..read.answer import Answer, Claim
from ..read.evidence import Evidence, Quote
from ..read.summary import Sentence, SummaryOptions, sentences_of, summarised
from ..read.written_summary import SummaryWriting, WrittenSummary, leaves_for, write_summary
from .asking import LibraryCollection
from .mentions import documents_of_filter
from .naming import find
from .results import LEFT_OUT
from .searcher import Searcher
from .whole_texts import DamagedText, called, windows

__all__ = ["MOST_SENTENCES", "summarise", "wanted"]

MOST_SENTENCES = 200_000
"""Of more than these, a sample of documents is read; the summary says so."""
METHOD = "lexrank"
MOST_PASSAGES = 200
"""Of documents with more passages, a model reads those that have the most central sentences."""
CHOSEN = 8
"""Central sentences whose passages are read, for each prompt at the leaves."""


def summarise(
    searcher: Searcher,
    numbers: Sequence[int],
    what: str,
    options: SummaryOptions,
    *,
    hidden: bool = False,
    writing: SummaryWriting | None = None,
) -> Answer:
    """A summary of the documents ``numbers``; every sentence is stored text, in the order of the documents.

    With ``writing`` a model writes it, and every sentence of it is bound to stored text.
    """
    started = time.perf_counter()
    collection = LibraryCollection(searcher)
    snapshot = searcher.snapshot
    encoder = searcher.encoders.built_in(snapshot.manifest)

    def terms(text: str) -> list[str]:
        return [term for _, _, some in collection.terms(text) for term in some[:1]]

    notes: list[str] = []
    read = _Reading(searcher, numbers, notes)
    wide = replace(options, sentences=2 * options.sentences, words=None if options.words is None else 2 * options.words)
    with snapshot.store.noting() as damaged:
        found = summarised(
            read.sentences(), options if hidden else wide, terms, collection.idf, None if encoder is None else encoder.encode
        )
        if not hidden:
            shown = [one for one in found if not _is_hidden(searcher, one)]
            if len(shown) < len(found):
                notes.append("sentences that readers of the document do not see were left out")
            found = summarised(iter(shown), options, terms, collection.idf, None if encoder is None else encoder.encode)
        evidence, claims = _quoted(searcher, found)
        told, written_in = WrittenSummary(), 0.0
        if writing is not None and claims:
            about = SummaryOptions(max(options.sentences, CHOSEN * leaves_for(writing.calls)), None, options.query)
            central = summarised(read.sentences(), about, terms, collection.idf, None if encoder is None else encoder.encode)
            began = time.perf_counter()
            passages = _passages(searcher, numbers, [one for one in central if hidden or not _is_hidden(searcher, one)], hidden)
            told = write_summary(collection, options.query or _subject(passages), passages, claims, options.sentences, writing)
            written_in = time.perf_counter() - began
            if told.claims:
                cited = {quote.evidence for claim in told.claims for quote in claim.quotes}
                claims, evidence = told.claims, tuple(one for one in passages if one.number in cited)
    notes += told.notes
    notes += [f"{LEFT_OUT}{one}" for one in damaged]
    timings = {"total": time.perf_counter() - started}
    question = f"summary of {what}" + (f": {options.query}" if options.query else "")
    if not claims:
        reason = f"{what} has no sentences to choose from"
        if writing is not None and (wrong := problem(writing.model)):
            notes.append(wrong)
        return Answer(question, (), (), METHOD, refused=True, reason=reason, notes=tuple(notes), timings=timings)
    if writing is not None:
        timings = {"writing": written_in, **timings}
    return Answer(
        question, claims, evidence, "write" if told.claims else METHOD, told.model, notes=tuple(notes), timings=timings,
        spent=told.spent, omitted=told.omitted,
    )  # fmt: skip


def _subject(passages: Sequence[Evidence]) -> str:
    """What a model is told that the text is: a path of this machine says nothing to it, and is nobody's business."""
    titles = list(dict.fromkeys(one.title for one in passages if one.title))
    return ", ".join(titles[:3]) or "the text"


def _passages(searcher: Searcher, numbers: Sequence[int], central: Sequence[Sentence], hidden: bool) -> list[Evidence]:
    """The passages that a model reads, in the order of the text: all of them where they are few, else those of central sentences."""
    store = searcher.snapshot.store
    ranges = [store.range_of(number) for number in numbers[: MOST_PASSAGES + 1]]
    if sum(count for _, count in ranges) <= MOST_PASSAGES and len(numbers) <= MOST_PASSAGES:
        ids = [first + at for first, count in ranges for at in range(count)]
    else:
        ids = sorted({_passage(store, *store.range_of(one.document), one.start) for one in central})
    rows = store.passages(ids)
    made: list[Evidence] = []
    for number, row in enumerate((rows[one] for one in ids if one in rows), 1):
        unseen = () if hidden else tuple((span.start - row.start, span.end - row.start) for span in row.place.hidden)
        where = row.place.text(called(row.source, row.name), heading=False)
        made.append(
            Evidence(number, row.id, row.name, row.title, row.source, where, row.text, row.start, row.end, hidden=unseen)
        )
    return made


class _Reading:
    """The sentences of documents, and what there is to tell of reading them."""

    def __init__(self, searcher: Searcher, numbers: Sequence[int], notes: list[str]) -> None:
        self._store = searcher.snapshot.store
        self._numbers = numbers
        self._notes = notes

    def sentences(self) -> Iterator[Sentence]:
        """All of them, or of a very large collection those of documents at even distances."""
        passages = sum(count for _, count in map(self._store.range_of, self._numbers[:1000]))
        mean = 6 * passages / max(len(self._numbers[:1000]), 1)
        step = max(1, round(mean * len(self._numbers) / MOST_SENTENCES))
        if step > 1:
            self._notes.append(f"read was one document of {step:,}, of {len(self._numbers):,}")
        count = 0
        for number in self._numbers[::step]:
            position = 0
            try:
                for offset, text, until in windows(self._store, number, 1 << 20, 1 << 11):
                    for one in sentences_of(number, text, offset, position):
                        if one.start < offset + until and count < MOST_SENTENCES:
                            count += 1
                            yield one
                        position = one.position + 1
            except DamagedText:
                continue
        if count == MOST_SENTENCES:
            self._notes.append(f"only the first {MOST_SENTENCES:,} sentences were read")


def _is_hidden(searcher: Searcher, one: Sentence) -> bool:
    return bool(searcher.snapshot.store.places([(one.document, one.start, one.end)])[0].hidden)


def _quoted(searcher: Searcher, found: Sequence[Sentence]) -> tuple[tuple[Evidence, ...], tuple[Claim, ...]]:
    store = searcher.snapshot.store
    evidence: list[Evidence] = []
    claims: list[Claim] = []
    places = store.places([(one.document, one.start, one.end) for one in found])
    for number, (one, place) in enumerate(zip(found, places, strict=True), 1):
        first, count = store.range_of(one.document)
        row = store.passages([_passage(store, first, count, one.start)])
        passage = next(iter(row.values()))
        where = place.text(called(passage.source, passage.name), heading=False)
        evidence.append(
            Evidence(number, passage.id, passage.name, passage.title, passage.source, where, one.text, one.start, one.end)
        )
        quote = Quote(number, passage.name, passage.source, one.start, one.end, one.text, where)
        claims.append(Claim(one.text, "quoted", (quote,)))
    return tuple(evidence), tuple(claims)


def _passage(store: Any, first: int, count: int, start: int) -> int:
    """The passage in which a sentence begins."""
    rows = store.execute("SELECT id, start FROM passages WHERE id >= ? AND id < ? ORDER BY id", (first, first + count))
    starts = np.array([row[1] for row in rows])
    return int(rows[max(int(np.searchsorted(starts, start, side="right")) - 1, 0)][0])


def wanted(searcher: Searcher, names: Sequence[str], where: str | None) -> list[int]:
    """The documents with these ids, or from these files or folders, that meet a filter. Raises `InputError`, `FilterError`."""
    from ..read.limits import folder_filter

    snapshot = searcher.snapshot
    collection = LibraryCollection(searcher)
    if not names and where is None:
        raise UsageError("name a document, file or folder to summarise, or a filter (--where)")
    found: set[int] = set()
    for name in names:
        numbers = find(snapshot.store, snapshot.generation, name)
        if not numbers and (inside := folder_filter(name, collection.matches)) is not None:
            numbers = documents_of_filter(snapshot, inside)
        if not numbers:
            raise InputError(f"there is no document, file or folder {name!r:.200} in {snapshot.library}")
        found.update(numbers)
    if where is not None:
        meeting = set(documents_of_filter(snapshot, where))
        found = found & meeting if names else meeting
    return sorted(found)
