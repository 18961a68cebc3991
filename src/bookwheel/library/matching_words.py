"""The words of one whole document that match a query: what "next hit" goes through."""

from __future__ import annotations

from .._numbers import whole
from ..analysis.highlight import QueryHighlighter
from ..analysis.words import word_pieces
from .query_texts import asked
from .searcher import Searcher

__all__ = ["highlights"]


def highlights(searcher: Searcher, number: int, query: str, most: int) -> list[tuple[int, int]]:
    """See `Library.highlights`."""
    most = whole(most, "most")
    snapshot = searcher.snapshot
    document = snapshot.store.document(number)
    if not document.passages:
        return []
    (language,) = snapshot.store.languages_of([document.first])
    marked = QueryHighlighter(asked(query), snapshot.analyzer)
    found: list[tuple[int, int]] = []
    for at, piece in word_pieces(document.text):
        found += [(start + at, end + at) for start, end in marked(piece, language)]
        if len(found) >= most:
            break
    return found[: max(most, 0)]
