"""How many documents have each value of a field, counted by SQLite: nothing grows with the number of documents or values."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .._errors import UsageError
from ..rank.query import Query
from ..rank.recipe import Recipe
from .facet_counts import Facets, facets_among, most_frequent
from .filters.conditions import BUILT_IN, Exists, Value
from .filters.file_fields import FILE_FIELDS, FILES
from .filters.parse import parse_filter
from .search_options import MAX_K, SearchOptions
from .searcher import Searcher

__all__ = ["DEPTH", "facets"]

DEPTH = 1000
"""Passages whose documents are counted where there is a query."""
_ALIVE = "+d.added <= ? AND (d.removed IS NULL OR d.removed > ?)"
_Count = tuple[Value, int]


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
        return facets_among(snapshot.store, hits.ids.tolist(), names, k)
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
    best = most_frequent(k, count.values())
    documents, missing = count.documents()
    return Facets(best, field=name, documents=documents, missing=missing, distinct=count.distinct)


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
