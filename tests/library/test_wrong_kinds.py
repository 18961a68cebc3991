"""Rows that hold other kinds of values than were written, as swapped pages leave them: named, and never a raw error."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

import bookwheel
from bookwheel import BookwheelError


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE texts SET sum = 'x'",
        "UPDATE texts SET places = 7",
        "UPDATE texts SET text = x'ff00'",
        "UPDATE passages SET start = 'a'",
        "UPDATE passages SET end = 'b'",
        "UPDATE passages SET sum = 'c'",
        "UPDATE documents SET title = 3, hash = 4",
    ],
)
def test_it_is_named(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "library"
    with bookwheel.open(path, create=True, encoder=None) as library:
        library.add([{"id": str(n), "text": f"The heron number {n} stands in water."} for n in range(5)])
    with sqlite3.connect(path / "documents.sqlite") as db:
        db.execute(statement)
    db.close()
    with bookwheel.open(path) as library:
        for read in (
            lambda: library.search("heron"),
            lambda: library.get("3"),
            lambda: list(library),
            lambda: library.ask("heron?"),
        ):
            with suppress(BookwheelError):
                read()
        assert any("damaged" in problem for problem in library.check())
