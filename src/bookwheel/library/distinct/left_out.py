"""What is told of documents that were left out since they nearly repeat others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ...documents.duplicates import HASHES
from ..copy_rows import CopyRow
from ..store import Store

__all__ = ["LeftOut", "left_out"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A document that is not in the library, since it nearly repeats one that is."""

    id: str
    source: str
    """Path of the file that it was read from (``-`` for what `Library.add` was given)."""
    original: str | None
    """The id of the document that it repeats; None where that was removed since: it comes back when its file is indexed again."""
    original_source: str | None
    resemblance: float
    """Share of three-word shingles that both have in common, as estimated from 128 hashes."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in ("id", "source", "original", "original_source", "resemblance")}


def left_out(store: Store, generation: int, most: int | None = None, *, orphans: bool = False) -> list[LeftOut]:
    """The documents left out at ``generation``, ``most`` of them; with ``orphans`` those whose original is gone."""
    rows: Iterator[CopyRow] = store.copy_rows(generation, orphans=orphans)
    return [LeftOut(row.name, row.path, row.original, row.original_path, row.agreeing / HASHES) for row in islice(rows, most)]
