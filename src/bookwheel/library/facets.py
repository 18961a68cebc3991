"""How many documents have each value of a field, counted by SQLite: nothing grows with the number of documents or values."""

from __future__ import annotations

import heapq
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .._errors import UsageError
from ..documents.metadata import comparable
from ..rank.query import Query
from ..rank.recipe import Recipe
from .filters.conditions import BUILT_IN, Exists, Value
from .filters.file_fields import FILE_FIELDS, FILES
from .filters.parse import parse_filter
from .passage_rows import DocumentFields
from .search_options import MAX_K, SearchOptions
from .searcher import Searcher

__all__ = ["DEPTH", "Facets", "facets"]

DEPTH = 1000
"""Passages whose documents are counted where there is a query."""
_ALIVE = "+d.added <= ? AND (d.removed IS NULL OR d.removed > ?)"
_Count = tuple[Value, int]


class Facets(dict[Value, int]):
    """The values of a field and how many documents have each, the most frequent first."""

    def __init__(self, counts: Iterable[_Count], *, field: str, documents: int, missing: int, distinct: int) -> None:
        super().__init__(counts)
        self.field = field
        self.documents = documents
        """Documents that were looked at: all, or those that meet the filter and the query."""
        self.missing = missing
        """Those of them that have no value of the field."""
        self.distinct = distinct
        """Values there are, of which the most frequent are given."""


def facets(
    searcher: Searcher,
    fields: Sequence[str],
    query: str | Query | None,
    where: str | None,
    k: int,
    recipe: str | Recipe | None,
    depth: int,
) -> list[Facets]:
    """See `Library.facets`; of several fields, for which the query is ranked once."""
    for name, number in (("k", k), ("depth", depth)):
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_K:
            raise UsageError(f"{name} must be a whole number from 1 to {MAX_K:,}, not {number!r:.40}")
    if wrong := [field for field in fields if not isinstance(field, str)]:
        raise UsageError(f"the field must be a string, not {type(wrong[0]).__name__}")
    snapshot, names = searcher.snapshot, [unicodedata.normalize("NFC", field) for field in fields]
    snapshot.require_fields(names)
    if query is not None:
        hits = searcher.rank(query, SearchOptions(depth, recipe=recipe, where=where)).hits
        found = sorted({number for number, _ in snapshot.store.documents_of(hits.ids.tolist()).values()})
        rows = list(snapshot.store.fields_of(found))
        return [_among(rows, name, k) for name in names]
    parts = [_ALIVE]
    given: list[Value] = [snapshot.generation, snapshot.generation]
    if where is not None:
        condition = parse_filter(where)
        snapshot.require_fields(condition.fields)
        sql, values = condition.sql()
        parts.insert(0, f"({sql})")
        given = [*values, *given]
    return [_counted(searcher, name, " AND ".join(parts), given, k) for name in names]


def _counted(searcher: Searcher, name: str, of_documents: str, given: Sequence[Value], k: int) -> Facets:
    count = _Counter(searcher, name, of_documents, given)
    best = heapq.nsmallest(k, count.values(), key=_most)
    documents, missing = count.documents()
    return Facets(best, field=name, documents=documents, missing=missing, distinct=count.distinct)


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
    best = heapq.nsmallest(k, counts.items(), key=_most)
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


class _Counter:
    def __init__(self, searcher: Searcher, field: str, condition: str, parameters: Sequence[Value]) -> None:
        self.store = searcher.snapshot.store
        self.field, self.condition, self.parameters = field, condition, parameters
        self.distinct = 0

    def values(self) -> Iterator[_Count]:
        """Each value with its number of documents, in no order."""
        if self.field in BUILT_IN:
            rows: Iterable[Any] = self._of_documents(BUILT_IN[self.field], "true", ())
        elif self.field not in FILE_FIELDS:
            rows = self._own()
        elif self.field not in self.store.fields():
            rows = self._of_files()
        else:
            both: Counter[Value] = Counter()
            for value, count in (*self._own(), *self._of_files()):
                both[value] += count
            rows = both.items()
        for value, count in rows:
            self.distinct += 1
            yield value, count

    def _own(self) -> Iterator[_Count]:
        """By the rows of metadata, in whose order the values of a field come."""
        return self.store.stream(
            f"SELECT m.value, count(*) FROM metadata m CROSS JOIN documents d ON d.id = m.document "
            f"WHERE m.key = ? AND {self.condition} GROUP BY m.value",
            [self.field, *self.parameters],
        )

    def _of_files(self) -> Iterator[_Count]:
        value = FILE_FIELDS[self.field]
        if self.field == "modified":
            value = f"substr({value}, 1, 10)"  # the day: hardly two files have the second in common
        own = f"{FILES} AND d.id NOT IN (SELECT document FROM metadata WHERE key = ?)"
        return self._of_documents(value, own, (self.field,))

    def _of_documents(self, value: str, condition: str, parameters: Sequence[Value]) -> Iterator[_Count]:
        return self.store.stream(
            f"SELECT {value} AS shown, count(*) FROM documents d JOIN sources s ON s.id = d.source "
            f"WHERE COALESCE({value}, '') <> '' AND {condition} AND {self.condition} GROUP BY shown",
            [*parameters, *self.parameters],
        )

    def documents(self) -> tuple[int, int]:
        """How many there are, and how many of them have no value."""
        there: list[Value] = []
        exists = Exists(self.field).sql(there)
        ((every, some),) = self.store.execute(
            f"SELECT count(*), coalesce(sum({exists}), 0) FROM documents d WHERE {self.condition}", [*there, *self.parameters]
        )
        return int(every), int(every) - int(some)
