"""Making anew what a damaged database says twice: the values that filters look at, the list of removals, SQLite's own indexes.

The rows of documents have checksums and say which values each has and by which generation it was removed. While they are sound,
what follows from them can be made again, and is then what the writers had written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from .._errors import LibraryDamaged
from ..documents.metadata import comparable, values_of
from .manifest import Manifest
from .row_sums import NUMBERS, document_sum, numbers_hold, total
from .store import Store
from .writer import Writer

__all__ = ["repair"]

AT_ONCE = 1 << 10


def repair(library: Path, wait: float = 0.0) -> list[str]:
    """Mend what can be mended for certain; one sentence for each thing that was. What is sound is left as it is.

    Raises `LibraryLocked`, and whatever opening the library for writing raises.
    """
    with Writer(library, wait=wait) as writer:
        return _repaired(writer.store, writer.manifest)


def _repaired(store: Store, manifest: Manifest) -> list[str]:
    store.tolerate()
    done: list[str] = []
    if any("index" in problem for problem in store.problems()):
        store.execute("REINDEX")
        done.append(f"{store.path}: the indexes were made anew")
    if not _sound(store, manifest):
        return done  # what follows from a damaged row would be damaged, with a checksum that says otherwise
    if store.unsound_fields():
        store.begin()
        try:
            store.execute("DELETE FROM metadata")
            store.execute("DELETE FROM fields")
            values = _values(store)
            while some := list(islice(values, AT_ONCE)):
                store.many("INSERT OR IGNORE INTO metadata VALUES (?, ?, ?)", some)
                store.count_values(some)
            store.commit_durably(manifest.generation)
        except BaseException:
            store.undo()
            raise
        done.append(f"{store.path}: the values of metadata fields were made anew from the documents")
    try:
        store.removed_ranges(manifest.generation)
    except LibraryDamaged:
        removed: dict[int, list[int]] = {}
        for generation, numbers in store.execute("SELECT removed, numbers FROM documents WHERE removed IS NOT NULL"):
            removed.setdefault(generation, []).append(numbers)
        store.begin()
        store.execute("DELETE FROM removals")
        store.many("INSERT INTO removals VALUES (?, ?, ?)", [(g, len(some), total(some)) for g, some in removed.items()])
        store.commit_durably(manifest.generation)
        done.append(f"{store.path}: the list of removals was made anew from the documents")
    return done


def _sound(store: Store, manifest: Manifest) -> bool:
    """Whether each row of the documents matches its checksums, and none is missing."""
    rows = store.stream(f"SELECT {NUMBERS}, name, title, metadata, language, hash, sum FROM documents NOT INDEXED ORDER BY id")
    alive = 0
    while some := list(islice(rows, AT_ONCE)):
        if not numbers_hold([row[:7] for row in some]).all():
            return False
        for number, _, _, _, added, removed, _, *said, written in some:
            if document_sum(number, *said) != written:
                return False
            alive += added <= manifest.generation and not 0 <= removed <= manifest.generation
    return alive == manifest.documents


def _values(store: Store) -> Iterator[tuple[str, Any, int]]:
    """Key, value and document of each row of metadata, each once."""
    last = 0
    while rows := store.execute(
        "SELECT id, metadata FROM documents WHERE id > ? AND metadata IS NOT NULL ORDER BY id LIMIT 256", (last,)
    ):
        for number, text in rows:
            found = {
                (str(comparable(key)), comparable(value)): None
                for key, given in json.loads(text).items()
                for value in values_of(tuple(given) if isinstance(given, list) else given)
            }
            yield from ((key, value, number) for key, value in found)
        last = rows[-1][0]
