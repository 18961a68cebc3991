"""The values of fields among some documents, counted by the documents' own rows.

Those of a field's values in the table of metadata are as many as the library has documents, and so are not looked at for a few.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence

from ..documents.metadata import comparable, kept
from .filters.conditions import BUILT_IN, Value
from .filters.file_fields import FILE_FIELDS
from .passage_rows import DocumentFields
from .store import Store

__all__ = ["FACETED", "Facets", "facets_among", "known_fields", "most_frequent"]

FACETED = 200
"""Passages of a search of which the documents are counted."""
_Count = tuple[Value, int]


class Facets(dict[Value, int]):
    """The values of a field and how many documents have each, the most frequent first."""

    def __init__(self, counts: Iterable[_Count], *, field: str, documents: int, missing: int, distinct: int) -> None:
        super().__init__((shown, count) for value, count in counts if (shown := kept(value)) is not None)
        self.field = field
        self.documents = documents
        """Documents that were looked at: all, or those that meet the filter and the query."""
        self.missing = missing
        """Those of them that have no value of the field."""
        self.distinct = distinct
        """Values there are, of which the most frequent are given."""


def known_fields(store: Store, fields: Iterable[str]) -> list[str]:
    """Those of ``fields`` that some document has, each once."""
    known = {*BUILT_IN, *store.fields(), *store.file_fields()}
    return [field for field in dict.fromkeys(fields) if field in known]


def facets_among(store: Store, passages: Sequence[int], fields: Sequence[str], k: int) -> list[Facets]:
    """Of each of ``fields`` (in NFC) the ``k`` most frequent values among the documents of ``passages``."""
    found = sorted({number for number, _ in store.documents_of(passages).values()})
    rows = list(store.fields_of(found))
    return [_among(rows, field, k) for field in fields]


def most_frequent(k: int, counts: Iterable[_Count]) -> list[_Count]:
    """The ``k`` most frequent values; of equally frequent ones numbers come first, in order."""
    return heapq.nsmallest(k, counts, key=_most)


def _most(pair: _Count) -> tuple[int, bool, Value]:
    return -pair[1], isinstance(pair[0], str), pair[0]


def _among(rows: Sequence[DocumentFields], field: str, k: int) -> Facets:
    """The same of a few documents, by their own rows: those of a field's values are as many as the library has documents."""
    counts: Counter[Value] = Counter()
    missing = 0
    for row in rows:
        values = _values(row, field)
        missing += not values
        counts.update(values)
    best = most_frequent(k, counts.items())
    return Facets(best, field=field, documents=len(rows), missing=missing, distinct=len(counts))


def _values(row: DocumentFields, field: str) -> set[Value]:
    """What a document has in a field, as the tables of filters have it: `Pending.write` fills them."""
    if field in BUILT_IN:
        named = {"id": row.name, "title": row.title, "source": row.source}[field]
        return {named} if named else set()
    own: set[Value] = set()
    for key, given in row.metadata.items():
        if key == field or comparable(key) == field:
            several = given if isinstance(given, list | tuple) else (given,)
            own |= {int(one) if isinstance(one, bool) else one for one in map(comparable, several) if one is not None}
    if own or field not in FILE_FIELDS or (value := row.file.get(field)) is None:
        return own
    return {str(value)[:10] if field == "modified" else value}
