"""The rows of documents without their texts: what they are called, where they are from, and which passages they have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .passage_rows import WHOLE, read_json
from .row_sums import document_sum, holds, name_sum
from .store import NUMBERS_OF_D, Store

__all__ = ["SOME", "DocumentRow", "document_rows"]

SOME = 200
"""Documents that are asked for at once."""

_ROW = f"SELECT {WHOLE}, s.id, s.path, s.sum >> 32, {NUMBERS_OF_D} FROM documents d JOIN sources s ON s.id = d.source WHERE d.id IN"


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document without its text."""

    number: int
    """Its number in the library."""
    name: str
    """Its id."""
    title: str
    source: str
    """Path of the file that it was read from (``-`` for what `Library.add` was given)."""
    language: str | None
    first: int
    """Number of its first passage; the others follow."""
    passages: int
    stored: Any = None

    @property
    def metadata(self) -> dict[str, Any]:
        """Its fields."""
        return dict(read_json(self.stored)[0]) if self.stored else {}


def document_rows(store: Store, numbers: Sequence[int]) -> Iterator[DocumentRow]:
    """The rows of documents, in the order of ``numbers``; damaged ones are named and left out."""
    for at in range(0, len(numbers), SOME):
        some = list(numbers[at : at + SOME])
        found: dict[int, DocumentRow] = {}
        for number, name, title, metadata, language, digest, whole, source, path, noted, *counts in store._rows(_ROW, some):
            sound = holds(*counts) and name_sum(source, path) == noted
            if sound and document_sum(number, name, title, metadata, language, digest) == whole:
                found[number] = DocumentRow(number, name, title, path, language, counts[2], counts[3], metadata)
        for number in some:
            if number in found:
                yield found[number]
            else:
                store.met(store.damage(number, "the row"))
