"""Where spans of the library's documents are, by the map that is stored beside each text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

from .._errors import LibraryDamaged
from ..documents.places import Place, PlaceMap
from .database import Database
from .row_sums import CRC, name_sum, places_sum

__all__ = ["StoredPlaces", "is_map"]

_KEPT = 8
"""Maps of documents that are kept for the next question."""


class StoredPlaces(Database):
    """The part of `Store` that tells places."""

    def __init__(self, library: Path, *, write: bool = False) -> None:
        super().__init__(library, write=write)
        self._maps: dict[int, tuple[int, PlaceMap]] = {}
        """Checksum and map of the documents asked for last, by number."""

    def places(self, spans: Sequence[tuple[int, int, int]]) -> list[Place]:
        """The place of each of ``spans`` (number of a document, start, end), of many documents at once.

        Raises `LibraryDamaged` for a document that is not stored any more or is damaged.
        """
        asked: dict[int, list[tuple[int, int]]] = {}
        for number, start, end in spans:
            asked.setdefault(number, []).append((start, end))
        found: dict[int, PlaceMap] = {}
        for number, cell, noted in self._rows("SELECT document, places, sum >> 32 FROM texts WHERE document IN", list(asked)):
            if (map_ := self.loaded(number, cell, noted)) is not None:
                found[number] = map_
        texts: dict[int, str] = {}
        for number, some in asked.items():
            if number not in found:
                raise LibraryDamaged(self.damage(number, "the list of the places"))
            if found[number].needs_text(some):
                texts[number] = self._whole_text(number)
        return [found[number].place(start, end, texts.get(number, "")) for number, start, end in spans]

    def loaded(self, number: int, cell: Any, noted: int) -> PlaceMap | None:
        """The map of the document ``number``; None where it does not match its checksum, the upper half of the text's."""
        known = self._maps.get(number)
        if known is not None and known[0] == noted:
            return known[1]
        if places_sum(cell, 0) >> 32 != noted:
            return None
        try:
            found = PlaceMap.load(cell)
        except ValueError:
            return None
        if isinstance(cell, bytes):
            # Not changed in place: another thread may be reading it.
            kept = dict(list(self._maps.items())[-_KEPT + 1 :])
            kept[number] = noted, found
            self._maps = kept
        return found

    def _whole_text(self, number: int) -> str:
        for text, written in self.execute("SELECT CAST(text AS BLOB), sum FROM texts WHERE document = ?", (number,)):
            if isinstance(text, bytes) and isinstance(written, int) and crc32(text) == written & CRC:
                return str(text, "utf-8")
        raise LibraryDamaged(self.damage(number, "the text"))

    def _rows(
        self,
        sql: str,
        ids: Sequence[int],
        parameters: Sequence[Any] = (),
        until: Callable[[tuple[Any, ...]], bool] | None = None,
    ) -> list[Any]:
        """The rows of ``sql``, which ends with ``IN``, for ``ids``, up to the first for which ``until`` is true.

        Those that SQLite finds damaged are left out.
        """
        rows: list[Any] = []
        for at in range(0, len(ids), 500):
            some = ids[at : at + 500]
            try:
                rows += self.execute(f"{sql} ({','.join('?' * len(some))})", [*parameters, *some], until=until)
            except LibraryDamaged:
                for one in some:  # a damaged page holds the rows of some, not of all
                    with suppress(LibraryDamaged):
                        rows += self.execute(f"{sql} (?)", [*parameters, one], until=until)
        return rows

    def damage(self, number: int, what: str) -> str:
        """The sentence that ``what`` of the document ``number`` is damaged, with what to do about it."""
        called = f"number {number}"
        with suppress(LibraryDamaged):
            for name, whole, path, noted, source in self.execute(
                "SELECT d.name, d.sum >> 32, s.path, s.sum >> 32, s.id FROM documents d "
                "LEFT JOIN sources s ON s.id = d.source WHERE d.id = ?",
                (number,),
            ):
                if name_sum(number, name) == whole:
                    called = repr(name)
                if type(source) is int and name_sum(source, path) == noted and path != "-":
                    called += f" (of {path})"
        return (
            f"{what} of the document {called} is damaged in {self.path}; remove the document with `bookwheel remove`, then index "
            "its source again"
        )


def is_map(cell: Any) -> bool:
    """Whether ``cell`` is what `PlaceMap.cell` makes."""
    try:
        PlaceMap.load(cell)
    except ValueError:
        return False
    return True
