"""The rows of documents that were left out as near-duplicates of others: which ones, of which, and from when to when.

A row is seen at generation g as that of a document is. What is a copy of a document that goes must be read again: its source is
then no longer whole (`orphan`), which is committed with the removal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .database import Database
from .row_sums import row_sum

__all__ = ["CopyRow", "CopyRows"]

_SUM = "row_sum(source, name, original, agreeing, added, {removed})"
_SEEN = "c.added <= :g AND (c.removed IS NULL OR c.removed > :g)"
_ORIGINAL = "d.id = c.original AND d.added <= :g AND (d.removed IS NULL OR d.removed > :g)"


class CopyRow(NamedTuple):
    """A document that was left out."""

    name: str
    """Its id."""
    path: str
    """Of its source."""
    original: str | None
    """The id of the document that it is a copy of; None where that is gone."""
    original_path: str | None
    agreeing: int


class CopyRows(Database):
    """The part of `Store` about copies."""

    def add_copies(self, rows: Iterable[tuple[int, str, int, int, int]]) -> None:
        """Note copies: source, id, number of the original, agreeing values, generation."""
        self.many("INSERT INTO copies VALUES (?, ?, ?, ?, ?, NULL, ?)", ((*row, row_sum(*row, None)) for row in rows))

    def any_copies(self) -> bool:
        """Whether there is a row, of any generation."""
        return bool(self.execute("SELECT EXISTS (SELECT 1 FROM copies)")[0][0])

    def count_copies(self, source: int) -> int:
        """Copies that were left out of ``source`` by now."""
        return int(self.execute("SELECT count(*) FROM copies WHERE source = ? AND removed IS NULL", (source,))[0][0])

    def end_copies(self, generation: int, source: int, name: str | None = None) -> None:
        """What was left out of ``source`` (with an id: under this one) counts from ``generation`` on no more: it is read again."""
        self.execute(
            f"UPDATE copies SET removed = ?1, sum = {_SUM.format(removed='?1')} "
            "WHERE source = ?2 AND (?3 IS NULL OR name = ?3) AND removed IS NULL",
            (generation, source, name),
        )

    def orphan(self, generation: int, lost: Iterable[int] = ()) -> None:
        """Note of the sources with copies of what ``generation`` removed, or of documents ``lost``, that they must be read again."""
        self.mark_incomplete(
            "id IN (SELECT c.source FROM documents d JOIN copies c ON c.original = d.id WHERE d.removed = ? AND c.removed IS NULL)",
            (generation,),
        )
        for number in lost:
            self.mark_incomplete("id IN (SELECT source FROM copies WHERE original = ? AND removed IS NULL)", (number,))

    def mark_incomplete(self, condition: str, parameters: Sequence[object]) -> None:
        """Note of the sources that meet ``condition`` that not all of them is stored."""
        self.execute(
            "UPDATE sources SET complete = NULL, sum = source_sum(id, path, size, mtime_ns, digest, fields, damaged, NULL) "
            f"WHERE {condition} AND complete IS NOT NULL",
            parameters,
        )

    def copy_rows(self, generation: int, *, orphans: bool = False) -> Iterator[CopyRow]:
        """The copies left out at ``generation``; with ``orphans``, those whose original is gone."""
        rows = self.stream(
            "SELECT c.name, s.path, d.name, o.path, c.agreeing FROM copies c JOIN sources s ON s.id = c.source "
            f"LEFT JOIN documents d ON {_ORIGINAL} LEFT JOIN sources o ON o.id = d.source "
            f"WHERE {_SEEN}{' AND d.id IS NULL' if orphans else ''} ORDER BY c.rowid",
            {"g": generation},
        )
        for name, path, original, original_path, agreeing in rows:
            yield CopyRow(name, path, original, original_path, int(agreeing))

    def copies_at(self, generation: int) -> tuple[int, int]:
        """Copies left out at ``generation``, and how many of them have no original any more."""
        row = self.execute(
            f"SELECT count(*), sum(d.id IS NULL) FROM copies c LEFT JOIN documents d ON {_ORIGINAL} WHERE {_SEEN}",
            {"g": generation},
        )[0]
        return int(row[0]), int(row[1] or 0)

    def damaged_copies(self) -> Iterator[str]:
        """The id of each copy whose row does not match its checksum."""
        for *row, written in self.stream("SELECT source, name, original, agreeing, added, removed, sum FROM copies"):
            if row_sum(*row) != written:
                yield str(row[1])

    def rollback_copies(self, generation: int) -> None:
        """Take back what is later than ``generation``."""
        self._db.execute("DELETE FROM copies WHERE added > ?", (generation,))
        self._db.execute(
            f"UPDATE copies SET removed = NULL, sum = {_SUM.format(removed='NULL')} WHERE removed > ?", (generation,)
        )

    def purge_copies(self, generation: int) -> None:
        """Delete for good what counts no more from ``generation`` on."""
        self._db.execute("DELETE FROM copies WHERE removed <= ?", (generation,))
