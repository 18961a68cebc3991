"""The documents that a library holds of one source, and which of them an indexing run has met again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .writer import Writer

__all__ = ["HeldDocuments", "Version", "living_documents"]


@dataclass(frozen=True, slots=True)
class Version:
    """The stored version of a document."""

    number: int
    same: bool
    """Whether it is equal to the new one."""


class HeldDocuments:
    """The living documents of a source, and which of them were met again."""

    def __init__(self, writer: Writer, source: int) -> None:
        self.writer = writer
        self.source = source
        low, high = writer.store.execute("SELECT min(id), max(id) FROM documents WHERE source = ?", (source,))[0]
        self.low = low or 0
        self.seen = bytearray((high or 0) - self.low + 1)

    def find(self, name: str, digest: bytes, *, own: bool) -> Version | None:
        """The stored document that ``name`` with this hash stands for; it counts as met.

        Several documents of one file may have the same id: each is met once, one that did not change before any other.
        ``own``: those that this run itself added can be met too.
        """
        # The + keeps SQLite off the index on sources, which would have it read every document of a large file for each.
        rows = self.writer.store.execute(
            "SELECT id, hash FROM documents WHERE name = ? AND +source = ? AND removed IS NULL ORDER BY id", (name, self.source)
        )
        open_ = [(number, found) for number, found in rows if (self._at(number) is None and own) or self._unmet(number)]
        if not open_:
            return None
        number, found = next((row for row in open_ if row[1] == digest), open_[0])
        if (at := self._at(number)) is not None:
            self.seen[at] = 1
        return Version(number, found == digest)

    def _at(self, number: int) -> int | None:
        """Place of a document in ``seen``; None for one added since."""
        return number - self.low if self.low <= number < self.low + len(self.seen) else None

    def _unmet(self, number: int) -> bool:
        at = self._at(number)
        return at is not None and not self.seen[at]

    def met(self, number: int) -> bool:
        """Whether a living document of the source was met again, or added since."""
        at = self._at(number)
        return at is None or bool(self.seen[at])

    def unseen(self) -> Iterator[int]:
        """Numbers of those never met, some at a time: they may be removed meanwhile."""
        last, high = self.low - 1, self.low + len(self.seen) - 1
        while rows := self.writer.store.execute(
            "SELECT id FROM documents WHERE +source = ? AND removed IS NULL AND id > ? AND id <= ? ORDER BY id LIMIT 10000",
            (self.source, last, high),
        ):
            last = rows[-1][0]
            yield from (number for (number,) in rows if not self.seen[number - self.low])


def living_documents(writer: Writer, source: int) -> Iterator[int]:
    """Numbers of the living documents of ``source``, some at a time: they may be removed meanwhile."""
    last = 0
    while rows := writer.store.execute(
        "SELECT id FROM documents WHERE source = ? AND removed IS NULL AND id > ? ORDER BY id LIMIT 10000", (source, last)
    ):
        last = rows[-1][0]
        yield from (number for (number,) in rows)
