"""What each safeguard costs: an open, a query, an addition, with it and without it by turns, in processor time.

    python bench/safeguards.py [--turns 200] [--passages 20000]

One safeguard at a time is replaced by a function that does nothing, in one process, by turns; medians of the processor time of
the process, so that other work on the machine counts little. Results go to ``docs/results/safeguards.json``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from common import ROOT, SHARED, keep, read_texts

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
import bookwheel.index.plain_files
import bookwheel.index.sealed
import bookwheel.index.storage
import bookwheel.library.database
import bookwheel.library.intake
import bookwheel.library.passage_rows
import bookwheel.library.pending
import bookwheel.library.segment
import bookwheel.library.snapshot
import bookwheel.library.writer
import bookwheel.memory.heap

TEXTS = SHARED / "data" / "scifact" / "corpus.jsonl"


class _NoDigest:
    """Stands for BLAKE2b."""

    def __init__(self, *_: Any, **__: Any) -> None: ...
    def update(self, _: Any) -> None: ...
    def digest(self) -> bytes:
        return bytes(16)

    def hexdigest(self) -> str:
        return "0" * 32


def _true(*_: Any) -> bool:
    return True


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _zero(*_: Any) -> int:
    return 0


LIBRARY = "bookwheel.library."
OPENING: dict[str, dict[str, Any]] = {
    "checksums of the manifest and the lists of arrays": {"bookwheel.index.sealed.sealed": _true},
    "whose folders they are": {LIBRARY + "segment.Segment.require_own_files": _nothing},
    "no links": {
        f"{module}.refuse_link": _nothing
        for module in ("bookwheel.index.storage", "bookwheel.index.plain_files", LIBRARY + "segment", LIBRARY + "databases")
    },
    "the database's tables are ours": {LIBRARY + "database.check_schema": _nothing},
    "checksums of the database's state": {LIBRARY + "database.Database.check_states": _nothing},
    "the lock of a lease": {LIBRARY + "leases._lock": _nothing},
}
SEARCHING: dict[str, dict[str, Any]] = {
    "checksums of rows and texts": {
        LIBRARY + "passage_rows.passage_holds": _true,
        LIBRARY + "passage_rows._span_holds": _true,
    },
    "the generation is still there": {LIBRARY + "database.Database._check": _nothing},
    "the budget of the recipe": {LIBRARY + "search_memory.SearchMemory.require": _nothing},
}
ADDING: dict[str, dict[str, Any]] = {
    "checksums of rows and texts": {
        LIBRARY + "intake.text_sum": _zero,
        LIBRARY + "pending.document_sum": _zero,
        LIBRARY + "pending.document_numbers": _zero,
        LIBRARY + "pending.passage_sum": _zero,
    },
    "checksums of arrays": {"bookwheel.index.storage.hashlib": type("none", (), {"blake2b": _NoDigest})},
    "giving memory back": {LIBRARY + "writer.trim_heap": _nothing, LIBRARY + "intake.trim_heap": _nothing},
    "syncing (its wait is not counted)": {"os.fsync": _nothing},
}


@contextmanager
def without(names: Mapping[str, Any]) -> Iterator[None]:
    """With stand-ins for what ``names`` names."""
    patches = [patch(name, stand_in) for name, stand_in in names.items()]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


def compared(work: Callable[[], object], safeguards: Mapping[str, Mapping[str, Any]], turns: int) -> dict[str, float]:
    """Median milliseconds of ``work``, and what each safeguard adds to it."""
    found: dict[str, list[float]] = {name: [] for name in ("in all", *safeguards)}
    for _ in range(3):
        work()
    for _ in range(turns):
        times = {}
        for name in found:
            with without(safeguards.get(name, {})):
                began = time.process_time()
                work()
                times[name] = 1000 * (time.process_time() - began)
        for name, took in times.items():
            found[name].append(took if name == "in all" else times["in all"] - took)
    return {name: statistics.median(some) for name, some in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--text", type=Path, default=TEXTS)
    given = parser.parse_args()
    records = [
        {"id": f"d{number}", "title": record.get("title", ""), "text": record["text"]}
        for number, record in enumerate(read_texts(given.text, given.passages))
    ]
    tables: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "library"
        with bookwheel.open(path, create=True, language="english") as library:
            library.add(records)
        words = [record["text"].split() for record in records[:997]]
        queries = [" ".join(some[5:8]) for some in words if len(some) > 8]
        number = 0

        def opened() -> None:
            with bookwheel.open(path) as one:
                one.generation  # noqa: B018 - opens the snapshot

        tables["an open"] = compared(opened, OPENING, given.turns)
        with bookwheel.open(path) as library:

            def search() -> None:
                nonlocal number
                number += 1
                for at in range(10):  # the clock of the process is coarse
                    [result.text for result in library.search(queries[(number // 5 * 10 + at) % len(queries)], 10)]

            tables["ten queries"] = compared(search, SEARCHING, given.turns)
        made = 0

        def add() -> None:
            nonlocal made
            made += 1
            with bookwheel.open(Path(place) / f"added{made}", create=True, language="english") as one:
                one.add(records[:2000])

        tables["a library of 2,000 passages"] = compared(add, ADDING, max(given.turns // 20, 5))
    lines = ["| work | safeguard | ms | share |", "|---|---|---|---|"]
    for work, table in tables.items():
        whole = table["in all"]
        for name, took in table.items():
            share = "" if name == "in all" else f"{100 * took / whole:.1f} %"
            lines.append(f"| {work if name == 'in all' else ''} | {name} | {took:.3f} | {share} |")
    print("\n".join(lines))
    keep("safeguards", {"turns": given.turns, "passages": given.passages, "tables": tables})


if __name__ == "__main__":
    main()
