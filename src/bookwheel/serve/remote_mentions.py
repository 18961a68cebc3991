"""Every mention of something in a library on a server: as `library.mentions.Mentions`, some documents at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from .._errors import LibraryChanged, ModelError
from ..read.mentions import DocumentMentions
from .received import mentions_from, received

__all__ = ["RemoteMentions"]

SOME = 100
"""Documents of one request."""


class RemoteMentions(Sequence[DocumentMentions]):
    """The documents that have some phrases, with every place; counts are exact, and documents are asked for when looked at.

    Raises `LibraryChanged` where the library was changed since it was counted.
    """

    def __init__(self, ask: Callable[[int, int], Any]) -> None:
        """``ask(offset, limit)``: what the server says."""
        self._ask = ask
        told = ask(0, SOME)
        received(lambda: self._take(told))

    def _take(self, told: Any) -> None:
        self._version = told["version"]
        self.phrases = tuple(told["phrases"])
        self.documents, self.passages, self.occurrences = (int(told[name]) for name in ("documents", "passages", "occurrences"))
        self.notes = tuple(told["notes"])
        self._page: tuple[int, list[DocumentMentions]] = (0, mentions_from(told["found"]))

    def __len__(self) -> int:
        return self.documents

    @overload
    def __getitem__(self, at: int) -> DocumentMentions: ...

    @overload
    def __getitem__(self, at: slice) -> list[DocumentMentions]: ...

    def __getitem__(self, at: int | slice) -> DocumentMentions | list[DocumentMentions]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(self.documents))]
        number = range(self.documents)[at]
        start, page = self._page
        if not start <= number < start + len(page):
            start = number - number % SOME
            told = self._ask(start, SOME)
            if told.get("version") != self._version:
                raise LibraryChanged("the library was changed meanwhile; look for it again")
            page = mentions_from(told.get("found"))
            if number - start >= len(page):
                raise ModelError("the server's answer has fewer documents than it said; ask again")
            self._page = start, page
        return page[number - start]

    def __iter__(self) -> Iterator[DocumentMentions]:
        for number in range(self.documents):
            yield self[number]

    def __repr__(self) -> str:
        return (
            f"<{self.documents:,} documents, {self.passages:,} passages, {self.occurrences:,} places of "
            f"{', '.join(map(repr, self.phrases))}>"
        )
