"""Every place where the documents say something: found by the index, verified in the stored text, counted without exception.

The index names the documents that have the rarest word of a phrase; their texts are read, some megabytes at a time, and every
place is compared word by word (`analysis.phrases`). What the index cannot name (stop words alone, scripts without spaces) is
looked for in all documents. Counts are kept, places are not: those of a document are found again when they are looked at.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryDamaged, QueryError, UsageError
from ..analysis.phrases import PhraseFinder
from ..analysis.words import split_words
from ..read.mentions import DocumentMentions, Mention
from .document_rows import SOME, DocumentRow, document_rows
from .results import LEFT_OUT
from .retrieval.query_terms import expanded
from .snapshot import Masks, Snapshot
from .store import Store
from .whole_texts import DamagedText, called, windows

__all__ = ["MAX_PHRASE", "Mentions", "Together", "documents_in", "documents_of_filter"]

Together = Literal["all", "any"]
MAX_PHRASE = 1 << 10
"""Characters of a phrase."""
MOST_PHRASES = 32
FEW = 5_000
"""Passages whose documents are asked for one by one; of more, all documents are listed once."""
AROUND = 200
"""Characters of context on each side of a place."""


class Mentions(Sequence[DocumentMentions]):
    """The documents that have ``phrases`` (all of them, or any), in the order in which they were added, with every place.

    Exact: what a reading of every stored text and title would find. ``len`` is the number of documents; an item is read when it
    is looked at. Raises `QueryError`, `FilterError`, `LibraryEmpty`.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        phrases: Sequence[str],
        *,
        where: str | None = None,
        together: Together = "all",
        exact: bool = False,
    ) -> None:
        if together not in ("all", "any"):
            raise UsageError(f"together must be 'all' or 'any', not {together!r}")
        self.phrases = tuple(dict.fromkeys(" ".join(_checked(phrase).split()) for phrase in phrases))
        if not 1 <= len(self.phrases) <= MOST_PHRASES:
            raise QueryError(f"give between 1 and {MOST_PHRASES} phrases to look for, not {len(self.phrases)}")
        self.together = together
        self.where = where
        self._snapshot = snapshot
        self._finders = [PhraseFinder(phrase, snapshot.analyzer, exact=exact) for phrase in self.phrases]
        self._numbers = array("q")
        self.passages = 0
        """Passages in which at least one place begins."""
        self.occurrences = 0
        """Places in all, those in titles included."""
        with snapshot.store.noting() as damaged:
            self._count()
        self.notes = tuple(f"{LEFT_OUT}{one}" for one in damaged)
        """Damaged documents that could not be read, one sentence each."""

    @property
    def documents(self) -> int:
        """Documents that mention it."""
        return len(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> DocumentMentions: ...

    @overload
    def __getitem__(self, at: slice) -> list[DocumentMentions]: ...

    def __getitem__(self, at: int | slice) -> DocumentMentions | list[DocumentMentions]:
        if isinstance(at, slice):
            return list(self._read(list(self._numbers[at])))
        for found in self._read([self._numbers[at]]):
            return found
        raise LibraryDamaged(f"a document of {self._snapshot.library} is damaged or gone; search again")

    def __iter__(self) -> Iterator[DocumentMentions]:
        for at in range(0, len(self._numbers), SOME):
            yield from self._read(list(self._numbers[at : at + SOME]))

    def __repr__(self) -> str:
        return (
            f"<{self.documents:,} documents, {self.passages:,} passages, {self.occurrences:,} places of "
            f"{', '.join(map(repr, self.phrases))}>"
        )

    # -- counting ------------------------------------------------------------------------------------------------------

    def _count(self) -> None:
        store = self._snapshot.store
        for document in document_rows(store, self._candidates()):
            titles, spans = self._spans(store, document)
            if not titles and not spans:
                continue
            self._numbers.append(document.number)
            self.occurrences += len(titles) + len(spans)
            starts = _starts(store, document)
            inside = {bisect_right(starts, start) for start, _ in spans}
            if titles:
                inside.add(1)  # a title is indexed with the first passage
            self.passages += len(inside)

    def _spans(self, store: Store, document: DocumentRow) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """The places in the title and in the text; none where the phrases are not there together."""
        titles = [finder.spans(document.title, document.language) for finder in self._finders]
        spans: list[list[tuple[int, int]]] = [[] for _ in self._finders]
        try:
            for offset, text, until in windows(store, document.number):
                for found, finder in zip(spans, self._finders, strict=True):
                    found += [(offset + s, offset + e) for s, e in finder.spans(text, document.language) if s < until]
        except DamagedText:  # named by now
            return [], []
        present = [bool(a or b) for a, b in zip(titles, spans, strict=True)]
        if not (all(present) if self.together == "all" else any(present)):
            return [], []
        return _merged(titles), _merged(spans)

    def _read(self, numbers: Sequence[int]) -> Iterator[DocumentMentions]:
        store = self._snapshot.store
        for document in document_rows(store, numbers):
            titles, spans = self._spans(store, document)
            starts = _starts(store, document)
            name = called(document.source, document.name)
            found = [Mention(document.title[s:e], -1, s, e, document.title, s, name) for s, e in titles]
            texts = _texts(store, document, spans)
            placed = store.places([(document.number, start, end) for start, end in spans])
            for (start, end), (text, around, offset), where in zip(spans, texts, placed, strict=True):
                passage = document.first + max(bisect_right(starts, start) - 1, 0)
                place = where.text(name, heading=False)
                found.append(Mention(text, passage, start, end, around, offset, place, bool(where.hidden)))
            yield DocumentMentions(document.name, document.title, document.source, tuple(found))

    # -- candidates ----------------------------------------------------------------------------------------------------

    def _candidates(self) -> list[int]:
        """Numbers of the documents that may have the phrases, rising: none that has them is missing."""
        masks, dropped = self._snapshot.masks(self.where, pruned=True), self._snapshot.dropped(self.where)
        found: set[int] | None = None
        for finder in self._finders:
            some = self._may_have(finder, masks, dropped)
            if some is None:  # all of them
                if self.together == "any":
                    found = None
                    break
                continue
            found = some if found is None else found & some if self.together == "all" else found | some
        return sorted(_every(self._snapshot, self.where) if found is None else found)

    def _may_have(self, finder: PhraseFinder, masks: Masks, dropped: NDArray[np.int64]) -> set[int] | None:
        """Documents with the rarest word of a phrase, and those of ``dropped``; None where the index does not tell."""
        snapshot = self._snapshot
        if finder.unspaced:
            return None
        analyzer = snapshot.analyzer
        rarest: tuple[int, list[str]] | None = None
        for word in split_words(finder.phrase):
            for form in analyzer.forms(word):
                terms = [one for term in dict.fromkeys(form.values()) if term for one in expanded(snapshot, term)]
                if "" in form.values() or not terms:  # a stop word in some language
                    continue
                frequency = int(snapshot.document_frequencies(terms).sum())
                if rarest is None or frequency < rarest[0]:
                    rarest = frequency, terms
        if rarest is None:
            return None
        ids: list[NDArray[np.int64]] = []
        for segment, mask in zip(snapshot.segments, masks, strict=True):
            bits = segment.sparse.bitmap(rarest[1][0])
            for term in rarest[1][1:]:
                bits = bits | segment.sparse.bitmap(term)
            ids.append(segment.numbers(_set(bits if mask is None else bits & mask, len(segment.ids))))
        return _documents(snapshot, np.concatenate([dropped, *ids]))


def _checked(phrase: Any) -> str:
    if not isinstance(phrase, str):
        raise QueryError(f"what to look for must be a string, not {type(phrase).__name__}")
    if len(phrase) > MAX_PHRASE:
        raise QueryError(f"a phrase can have at most {MAX_PHRASE:,} characters, not {len(phrase):,}; shorten it")
    if "\0" in phrase:
        raise QueryError("the phrase contains NUL characters; remove them")
    return phrase


def _set(bits: NDArray[np.uint64], length: int) -> NDArray[np.int64]:
    """The positions of the bits that are set."""
    return np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little")[:length])


def _every(snapshot: Snapshot, where: str | None) -> set[int]:
    """All documents that meet a filter, whether their passages are searched or not."""
    ids = [
        np.asarray(segment.ids, np.int64) if mask is None else segment.numbers(_set(mask, len(segment.ids)))
        for segment, mask in zip(snapshot.segments, snapshot.masks(where, pruned=True), strict=True)
    ]
    return _documents(snapshot, np.concatenate([snapshot.dropped(where), *ids]))


def documents_in(snapshot: Snapshot, where: str | None = None) -> int:
    """How many documents meet a filter. Raises `FilterError`."""
    return snapshot.documents if where is None else len(_every(snapshot, where))


def documents_of_filter(snapshot: Snapshot, where: str) -> list[int]:
    """The numbers of the documents that meet a filter, rising. Raises `FilterError`."""
    return sorted(_every(snapshot, where))


def _documents(snapshot: Snapshot, passages: NDArray[np.int64]) -> set[int]:
    """The documents of ``passages``, which segments hold."""
    store = snapshot.store
    if len(passages) <= FEW:
        return {number for number, _ in store.documents_of(passages.tolist(), known=True).values()}
    table = array("q")
    for number, first, count in store.stream(
        "SELECT id, first, passages FROM documents WHERE added <= ?", (snapshot.generation,)
    ):
        if type(number) is int and type(first) is int and type(count) is int and count > 0:
            table.extend((number, first, count))
    rows = np.frombuffer(table, np.int64).reshape(-1, 3)
    rows = rows[np.argsort(rows[:, 1], kind="stable")]
    at = np.searchsorted(rows[:, 1], passages, side="right") - 1
    known = (at >= 0) & (passages < rows[at, 1] + rows[at, 2])
    missing = passages[~known].tolist()
    found = set(np.unique(rows[at[known], 0]).tolist())
    return found | {number for number, _ in store.documents_of(missing[:FEW], known=True).values()}


def _starts(store: Store, document: DocumentRow) -> list[int]:
    """Where the passages of a document start, rising."""
    rows = store.execute(
        "SELECT start FROM passages WHERE id >= ? AND id < ? ORDER BY id",
        (document.first, document.first + document.passages),
    )
    return sorted(row[0] for row in rows)


def _merged(spans: Sequence[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    return sorted({span for some in spans for span in some})


def _texts(store: Store, document: DocumentRow, spans: Sequence[tuple[int, int]]) -> list[tuple[str, str, int]]:
    """Each place as it is written, what stands around it, and where it begins there."""
    found: list[tuple[str, str, int]] = []
    for offset, text, until in windows(store, document.number):
        while len(found) < len(spans) and spans[len(found)][0] < offset + until:
            start, end = (at - offset for at in spans[len(found)])
            found.append((text[start:end], *_context(text, start, end)))
    return found


def _context(text: str, start: int, end: int) -> tuple[str, int]:
    """What stands around a place, from one space to another, and where it begins there."""
    low, high = max(0, start - AROUND), min(len(text), end + AROUND)
    left, right = text[low:start], text[end:high]
    if low:
        left = left.partition(" ")[2] if " " in left else left
    if high < len(text):
        right = right.rpartition(" ")[0] if " " in right else right
    return left + text[start:end] + right, len(left)
