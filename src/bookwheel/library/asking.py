"""A library as answers read it: `read.protocols.Collection` over the searcher of one snapshot."""

from __future__ import annotations

from collections.abc import Sequence

from .._errors import FilterError
from ..rank.query import Query
from ..rank.stages.rewrite.follow_up import completed
from ..read.evidence import Evidence, Quote
from ..read.options import AskOptions
from ..read.refusal import Fitted
from .mentions import Mentions, documents_in
from .results import LEFT_OUT, Result
from .retrieval.cutoff import fitted
from .search_options import SearchOptions
from .searcher import Searcher
from .whole_texts import called
from .wording import LibraryWording

__all__ = ["LibraryCollection"]

FOLLOW_UP = 10
"""Words of earlier questions that complete a follow-up question."""


class LibraryCollection(LibraryWording):
    """Answers of one question all come from the generation that ``searcher`` reads."""

    def __init__(self, searcher: Searcher) -> None:
        super().__init__(searcher.encoders, searcher.snapshot)
        self._searcher = searcher
        self._numbers: dict[tuple[str, str], int] = {}
        """Passage of each document that a search has found, by id and source."""
        self._left_out: list[str] = []

    def search(self, question: str, k: int, options: AskOptions) -> list[Evidence]:
        """See `Collection.search`."""
        query = Query(question, history=options.history) if options.history else question
        found = self._searcher.search(query, SearchOptions(k, recipe=options.recipe, where=options.where))
        self._left_out += [note for note in found.notes if note.startswith(LEFT_OUT)]
        self.meet(result.text for result in found)
        self._numbers.update({(result.id, result.source): result.passage for result in found})
        shown = found if options.hidden else [one for one in found if not _unseen(one)]
        return [
            Evidence(
                number,
                result.passage,
                result.id,
                result.title,
                result.source,
                result.place,
                result.text,
                result.start,
                result.end,
                result.score,
                result.metadata,
                result.hidden,
            )
            for number, result in enumerate(shown or found, 1)
        ]

    def text(self, document: str, passage: int, start: int, end: int) -> str:
        """See `Collection.text`."""
        store = self._searcher.snapshot.store
        number, _ = store.documents_of([passage])[passage]
        return store.document(number).text[start:end]

    def hidden(self, passage: int, start: int, end: int) -> bool:
        """See `Collection.hidden`."""
        store = self._searcher.snapshot.store
        number, _ = store.documents_of([passage])[passage]
        return any(place.hidden for place in store.places([(number, start, end)]))

    def places(self, quotes: Sequence[Quote]) -> list[str]:
        """See `Collection.places`."""
        snapshot = self._searcher.snapshot
        known = {passage for quote in quotes if (passage := self._numbers.get((quote.id, quote.source))) is not None}
        documents = snapshot.store.documents_of(sorted(known))
        numbers: list[int | None] = []
        for quote in quotes:
            passage = self._numbers.get((quote.id, quote.source))
            found = documents[passage][0] if passage in documents else None
            numbers.append(found or next(iter(snapshot.store.find(snapshot.generation, quote.id)), None))
        spans = [(n, quote.start, quote.end) for n, quote in zip(numbers, quotes, strict=True) if n is not None]
        places = iter(snapshot.store.places(spans))
        named = [called(quote.source, quote.id) for quote in quotes]
        return [name if n is None else next(places).text(name) for n, name in zip(numbers, named, strict=True)]

    def fitted(self) -> Fitted | None:
        """See `Collection.fitted`."""
        return fitted(self._encoders, self._snapshot, self)

    def left_out(self) -> Sequence[str]:
        """See `Asked.left_out`."""
        return self._left_out

    # -- what reading a question needs (`read.asking.Asked`) -----------------------------------------------------------

    def fields(self) -> Sequence[str]:
        """See `Asked.fields`."""
        return self._searcher.context().fields

    def matches(self, where: str) -> bool | None:
        """See `Asked.matches`."""
        snapshot = self._searcher.snapshot
        try:
            masks = snapshot.masks(where)
        except FilterError:
            return None
        return any(
            bool(len(segment.ids)) if mask is None else bool(mask.any())
            for segment, mask in zip(snapshot.segments, masks, strict=True)
        )

    def complete(self, question: str, history: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """See `Asked.complete`."""
        query = completed(self._searcher.context(), Query(question, history=tuple(history)), FOLLOW_UP)
        return query.text, tuple(query.text[len(question) :].split())

    def count(self, where: str | None) -> int:
        """See `Asked.count`."""
        return documents_in(self._searcher.snapshot, where)

    def mentions(self, phrases: Sequence[str], where: str | None, together: str) -> Mentions:
        """See `Asked.mentions`."""
        return Mentions(self._searcher.snapshot, phrases, where=where, together="any" if together == "any" else "all")


def _unseen(one: Result) -> bool:
    """Whether readers of its document see nothing of a passage."""
    covered = 0
    for start, end in one.hidden:
        covered += len("".join(one.text[max(start, 0) : end].split()))
    return covered > 0 and covered >= len("".join(one.text.split()))
