"""Comparing every row of a library's database with its checksum, and the tables with one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from zlib import crc32

from .._errors import LibraryDamaged
from .manifest import Manifest
from .row_sums import CRC, NUMBERS, document_sum, holds, numbers_hold, places_sum, source_sum
from .store import NUMBERS_OF_D, Store, passage_stands
from .stored_places import is_map

__all__ = ["damaged_rows"]

NAMED = 20
"""Damaged rows of a table that are named; the others are counted."""
AGAIN = "index the files again into a new library"
MEND = f"run `bookwheel check --repair`, or {AGAIN}"
_AT_ONCE = 1 << 10

_Check = Callable[[Store, Manifest], Iterator[str]]


def damaged_rows(store: Store, manifest: Manifest) -> list[str]:
    """One sentence for each damaged row, `NAMED` of a table at most, and for each table that says other things than another."""
    store.tolerate()
    found: list[str] = []
    for check in _CHECKS:
        more = 0
        try:
            for at, problem in enumerate(check(store, manifest)):
                if at < NAMED:
                    found.append(problem)
                else:
                    more += 1
        except LibraryDamaged as error:
            found.append(str(error))
        if more:
            found.append(f"{store.path} has {more:,} more damaged rows like these")
    return list(dict.fromkeys(found))


def _states(store: Store, manifest: Manifest) -> Iterator[str]:
    store.check_states()
    if store.state("id") != manifest.id:
        yield f"{store.path} is of another library; put this library's own back, or {AGAIN}"
    if (noted := store.generation()) < manifest.generation:
        yield f"{store.path} is of generation {noted} where the manifest says {manifest.generation}"


def _sources(store: Store, manifest: Manifest) -> Iterator[str]:
    sql = "SELECT id, path, size, mtime_ns, digest, fields, damaged, complete, sum FROM sources"
    for *row, written in store.stream(sql):
        if source_sum(*row) != written:
            yield (
                f"{store.path} is damaged: what it keeps of the file {str(row[1])!r:.200} does not match its checksum; {AGAIN}"
            )


def _documents(store: Store, manifest: Manifest) -> Iterator[str]:
    rows = store.stream(f"SELECT {NUMBERS}, name, title, metadata, language, hash, sum FROM documents ORDER BY id")
    count = 0
    while some := list(islice(rows, _AT_ONCE)):
        for row, sound in zip(some, numbers_hold([row[:7] for row in some]).tolist(), strict=True):
            number, _, _, _, added, removed, _, *said, written = row
            if not sound:
                yield store.damage(number, "the place")
            elif added <= manifest.generation and not 0 <= removed <= manifest.generation:
                count += 1
                if document_sum(number, *said) != written:
                    yield store.damage(number, "the name, the title, the metadata or the language")
    if count != manifest.documents:
        yield f"{store.path} has {count:,} documents where the manifest says {manifest.documents:,}; {AGAIN}"


def _texts(store: Store, manifest: Manifest) -> Iterator[str]:
    rows = store.stream(
        f"SELECT {NUMBERS_OF_D}, t.places, CAST(t.text AS BLOB), typeof(t.text), t.sum "
        "FROM documents d LEFT JOIN texts t ON t.document = d.id "
        "WHERE d.added <= :g AND (d.removed IS NULL OR d.removed > :g) ORDER BY d.id",
        {"g": manifest.generation},
    )
    for *numbers, places, text, kind, written in rows:
        number, _, first, count = numbers[:4]
        if kind != "text" or not isinstance(written, int) or crc32(text) != written & CRC:
            yield store.damage(number, "the text")
        elif places_sum(places, written & CRC) != written or not is_map(places):
            yield store.damage(number, "the list of the places")
        elif holds(*numbers):  # else it was named with the documents
            decoded = text.decode()
            places = store.execute(
                "SELECT id, document, start, end, sum FROM passages WHERE id >= ? AND id < ? ORDER BY id",
                (first, first + count),
            )
            if len(places) != count:
                yield store.damage(number, f"the list of the {count:,} passages")
            elif not all(passage_stands(place, decoded) for place in places):
                yield store.damage(number, "a passage's place")


def _fields(store: Store, manifest: Manifest) -> Iterator[str]:
    for key in store.unsound_fields():
        yield f"{store.path} is damaged: the values of the field {key!r:.80} do not match their checksum; {MEND}"


def _copies(store: Store, manifest: Manifest) -> Iterator[str]:
    for name in store.damaged_copies():
        yield (
            f"{store.path} is damaged: what it keeps of {name!r:.80}, which was left out as a near-duplicate, does not match its "
            f"checksum; {AGAIN}"
        )


def _removals(store: Store, manifest: Manifest) -> Iterator[str]:
    store.removed_ranges(manifest.generation)
    yield from ()


_CHECKS: tuple[_Check, ...] = (_states, _sources, _documents, _texts, _fields, _copies, _removals)
