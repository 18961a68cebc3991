"""Results whose texts are too large to be held together: each is read again when it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..analysis.highlight import QueryHighlighter
from ..analysis.words import word_pieces
from ..documents.document import Scalar
from .results import Result
from .store import PassageRow, Store

__all__ = ["AT_ONCE", "EACH", "HIGHLIGHTS", "LateResult", "LateRows"]

AT_ONCE = 1 << 22
"""Characters of texts, titles and metadata that the results of one search hold; a highlight counts as `MARK` of them."""
EACH = 1 << 16
"""The most characters of one result that are held: a larger one is read when it is looked at."""
MARK = 100
HIGHLIGHTS = 10_000
"""The most highlights of one result: in a book, a common word stands a hundred thousand times."""


class LateRows:
    """Reads the rows of one search's large results. The one read last is kept, since all its fields are asked for in turn."""

    def __init__(self, store: Store, highlighter: QueryHighlighter) -> None:
        self._store = store
        self._highlighter = highlighter
        self._last: PassageRow | None = None

    def row(self, passage: int) -> PassageRow:
        """The row of ``passage``; raises `LibraryChanged` where it is gone."""
        last = self._last
        if last is None or last.id != passage:
            self._last = last = None  # two large ones are never held
            last = self._last = self._store.passage(passage)
        return last

    def highlights(self, passage: int) -> tuple[tuple[int, int], ...]:
        """The first `HIGHLIGHTS` spans of its text that match the query."""
        found: list[tuple[int, int]] = []
        row = self.row(passage)
        for start, piece in word_pieces(row.text):
            found += [(first + start, last + start) for first, last in self._highlighter(piece, row.language)]
            if len(found) >= HIGHLIGHTS:
                break
        return tuple(found[:HIGHLIGHTS])


class LateResult(Result):
    """A `Result` whose text, title, metadata and highlights are read when they are looked at.

    The library must be open then. A text that is kept by the program takes the program's memory.
    """

    __slots__ = ("_rows",)

    late = True

    _rows: LateRows

    def __init__(self, rows: LateRows, **given: Any) -> None:
        for name, value in {**given, "_rows": rows}.items():
            object.__setattr__(self, name, value)

    @property
    def title(self) -> str:
        """The document's title."""
        return self._rows.row(self.passage).title

    @property
    def text(self) -> str:
        """The passage."""
        return self._rows.row(self.passage).text

    @property
    def metadata(self) -> Mapping[str, Scalar]:
        """The document's metadata."""
        return self._rows.row(self.passage).metadata

    @property
    def highlights(self) -> tuple[tuple[int, int], ...]:
        """The first `HIGHLIGHTS` words that match."""
        return self._rows.highlights(self.passage)

    def __reduce__(self) -> tuple[Callable[..., Result], tuple[Any, ...]]:
        """Pickled as a `Result` that holds everything."""
        return Result, tuple(getattr(self, name) for name in Result.__slots__)
