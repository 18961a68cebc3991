"""What a writer changes in the database, each row with its checksum: removals, rollback, purge, the marks of sources.

What is removed can be found by no search of a later generation, and be shown to no model. Why forgetting belongs here rather than
into a model's weights: Shumailov et al., "UnUnlearning: Unlearning is not sufficient for content regulation in advanced generative
AI" (2024): a model that has unlearned something is told it again by what stands in its prompt.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from .._errors import LibraryDamaged
from .copy_rows import CopyRows
from .row_sums import NUMBERS, PRIME, REMOVAL, metadata_sums, numbers_hold, total

__all__ = ["StoreChanges"]

COUNTED = 1 << 13
"""Rows of metadata whose checksums are added up at a time."""


class StoreChanges(CopyRows):
    """The part of `Store` that writers use."""

    def rollback(self, generation: int) -> None:
        """Take back all that is stamped later than ``generation``: an interrupted command's rows."""
        with self._lock, self._errors():
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if (noted := self.generation()) < generation:
                raise LibraryDamaged(
                    f"{self.path} is of generation {noted} where the manifest says {generation}: writes that the disk had "
                    "confirmed are lost; index the sources again into a new library"
                )
            if not self._db.execute(
                "SELECT EXISTS (SELECT 1 FROM documents WHERE added > :g)"
                " OR EXISTS (SELECT 1 FROM documents WHERE removed > :g)"
                " OR EXISTS (SELECT 1 FROM sources WHERE complete > :g)"
                " OR EXISTS (SELECT 1 FROM copies WHERE added > :g OR removed > :g)",
                {"g": generation},
            ).fetchone()[0]:
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._forget("added > ?", generation)
            self._db.execute(
                f"UPDATE documents SET numbers = numbers - {REMOVAL} * (removed + 1), removed = NULL WHERE removed > ?",
                (generation,),
            )
            self._db.execute("DELETE FROM removals WHERE generation > ?", (generation,))
            self.rollback_copies(generation)
            self.mark_incomplete("complete > ?", (generation,))
            self._db.execute("COMMIT")

    def _forget(self, condition: str, value: int) -> None:
        chosen = f"(SELECT id FROM documents WHERE {condition})"
        self._db.execute(f"DELETE FROM texts WHERE document IN {chosen}", (value,))
        gone = self._db.execute(f"DELETE FROM metadata WHERE document IN {chosen} RETURNING key, value, document", (value,))
        self.count_values(gone, -1)
        self._db.execute("DELETE FROM fields WHERE rows = 0 AND total = 0")
        last = 0
        while rows := self._db.execute(
            f"SELECT {NUMBERS} FROM documents WHERE {condition} AND id > ? ORDER BY id LIMIT 10000", (value, last)
        ).fetchall():
            sound = numbers_hold(rows)
            ranges = [(row[2], row[2] + row[3]) for row, right in zip(rows, sound, strict=True) if right]
            self._db.executemany("DELETE FROM passages WHERE id >= ? AND id < ?", ranges)
            # A damaged range could be that of other documents.
            damaged = [(row[0],) for row, right in zip(rows, sound, strict=True) if not right]
            self._db.executemany("DELETE FROM passages WHERE document = ?", damaged)
            last = rows[-1][0]
        self._db.execute(f"DELETE FROM documents WHERE {condition}", (value,))

    def vacuum(self) -> None:
        """Give pages that hold nothing back to the file system, some at a time: readers get their turn between."""
        before = 0
        while (free := self.execute("PRAGMA freelist_count")[0][0]) and free != before:
            self.execute("PRAGMA incremental_vacuum(4096)")
            before = free

    def purge(self, generation: int, newest: int) -> None:
        """Delete for good the documents removed by ``generation``; no segment holds their passages any more.

        Readers of older generations then get `LibraryChanged`. ``newest`` is the library's generation.
        """
        self.begin()
        with self._lock, self._errors():
            self._forget("removed <= ?", generation)
            self._db.execute("DELETE FROM removals WHERE generation <= ?", (generation,))
            self.purge_copies(generation)
            self.set_state("purged", generation)
            self._db.execute("DELETE FROM state WHERE key IN ('unpurged', 'unpurged since')")
        self.commit_durably(newest)

    def put_off_purge(self, generation: int) -> float:
        """Note that the documents removed by ``generation`` are to be deleted; returns since when that waits for readers."""
        self.begin()
        with self._lock, self._errors():
            self.set_state("unpurged", generation)
            if self.state("unpurged since") is None:
                self.set_state("unpurged since", time.time())
        self.commit()
        return float(self.state("unpurged since"))

    def remove(self, rows: Sequence[tuple[int, int]]) -> None:
        """Mark documents as removed: generation and number of each."""
        self.many(
            f"UPDATE documents SET removed = ?1, numbers = numbers + {REMOVAL} * (?1 + 1) WHERE id = ?2 AND removed IS NULL",
            rows,
        )

    def removed_now(self, generation: int) -> None:
        """Note the sum of what ``generation`` removed, before it is committed."""
        with self._lock, self._errors():
            rows = self._db.execute("SELECT numbers FROM documents WHERE removed = ?", (generation,)).fetchall()
            if rows:
                row = generation, len(rows), total(number for (number,) in rows)
                self._db.execute("INSERT OR REPLACE INTO removals VALUES (?, ?, ?)", row)

    def change(self, generation: int) -> int:
        """How many documents more ``generation`` has than the one before."""
        added = self.execute("SELECT count(*) FROM documents WHERE added = ?", (generation,))[0][0]
        removed = self.execute("SELECT coalesce(sum(documents), 0) FROM removals WHERE generation = ?", (generation,))[0][0]
        return int(added) - int(removed)

    def note_file(self, number: int, size: int, mtime_ns: int) -> None:
        """Note what the file of the source ``number`` tells."""
        self.execute(
            "UPDATE sources SET size = ?1, mtime_ns = ?2, "
            "sum = source_sum(id, path, ?1, ?2, digest, fields, damaged, complete) WHERE id = ?3",
            (size, mtime_ns, number),
        )

    def same_content(self, size: int, digest: str, fields: str) -> list[tuple[int, str, str]]:
        """Number, path and a title of some whole sources that had this content."""
        return self.execute(
            "SELECT s.id, s.path, (SELECT title FROM documents WHERE source = s.id AND removed IS NULL LIMIT 1) FROM sources s "
            "WHERE s.size = ? AND s.digest = ? AND s.fields = ? AND s.complete IS NOT NULL LIMIT 1000",
            (size, digest, fields),
        )

    def move_source(self, number: int, old: str, new: str) -> None:
        """Give the source ``number``, of the path ``old``, the path ``new``, and its documents the ids that come with it.

        A source that had that path before, and has no documents, gets the old one.
        """
        of_source = "size, mtime_ns, digest, fields, damaged, complete"
        name = "?2 || substr(name, length(?1) + 1)"
        said = "CAST(title AS BLOB), CAST(metadata AS BLOB), CAST(language AS BLOB), hash"
        self.begin()
        with self._lock, self._errors():
            other = self._db.execute("SELECT id FROM sources WHERE path = ?", (new,)).fetchone()
            places = [] if other is None else [(f"{old}{os.sep}", other[0])]
            places += [(new, number)] if other is None else [(new, number), (old, other[0])]
            for path, source in places:
                self._db.execute(
                    f"UPDATE sources SET path = ?1, sum = source_sum(id, ?1, {of_source}) WHERE id = ?2", (path, source)
                )
            self._db.execute(
                f"UPDATE documents SET name = {name}, sum = document_sum(id, CAST({name} AS BLOB), {said}) "
                "WHERE source = ?3 AND substr(name, 1, length(?1)) = ?1",
                (old, new, number),
            )
        self.commit()

    def source(self, path: str) -> int:
        """The number of the source ``path``, made where it is new: in one statement, as a row without its sum is a damaged one."""
        rows = self.execute("SELECT id FROM sources WHERE path = ?", (path,)) or self.execute(
            "INSERT INTO sources (id, path, sum) SELECT number, ?1, source_sum(number, ?1, NULL, NULL, NULL, NULL, damaged, NULL) "
            "FROM (SELECT coalesce(max(id), 0) + 1 AS number, 0 AS damaged FROM sources) RETURNING id",
            (path,),
        )
        return int(rows[0][0])

    def count_values(self, rows: Iterable[tuple[Any, Any, Any]], sign: int = 1) -> None:
        """Add ``rows`` of the metadata (key, value, document) to the rows and totals of their keys; take them away with -1."""
        every = iter(rows)
        while some := list(islice(every, COUNTED)):  # one record may have a million keys
            sums = metadata_sums(some)
            self.many("INSERT OR IGNORE INTO fields (rows, total, key) VALUES (0, 0, ?)", ((key,) for key in sums))
            self.many(
                f"UPDATE fields SET rows = rows + ?, total = (total + ?) % {PRIME} WHERE key = ?",
                ((sign * count, sign * total % PRIME, key) for key, (count, total) in sums.items()),
            )
