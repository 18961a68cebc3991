"""Opening SQLite files that may come from anybody: plain files, with our tables and nothing else in them."""

from __future__ import annotations

import re
import sqlite3
from functools import lru_cache
from pathlib import Path

from .._errors import LibraryDamaged
from ..index.plain_files import refuse_link

__all__ = ["check_schema", "refuse_foreign_files", "restrict"]

_COMMENT = re.compile(r"--[^\n]*")
_SPACE = re.compile(r"\s+")
_NAMED = 3
"""Foreign tables, views and triggers that an error names."""

_Schema = frozenset[tuple[str, str, str, str]]


def refuse_foreign_files(path: Path, *, finished: bool = False) -> None:
    """Raise `LibraryDamaged` where the database ``path`` or a file that SQLite keeps beside it is a link.

    In a ``finished`` library, whose database has a write-ahead log, nor may there be a rollback journal: SQLite would
    play it back, and delete what it names.
    """
    for ending in ("", "-wal", "-shm", "-journal"):
        refuse_link(path.with_name(path.name + ending))
    if finished and path.with_name(path.name + "-journal").exists():
        raise LibraryDamaged(f"{path}-journal is a file that no library contains; remove it, then try again")


def restrict(db: sqlite3.Connection) -> None:
    """Keep what is written in the database file from doing anything but hold rows."""
    db.execute("PRAGMA trusted_schema=OFF")
    db.execute("PRAGMA cell_size_check=ON")
    db.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0)
    db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)


def check_schema(db: sqlite3.Connection, schema: str, path: Path) -> None:
    """Raise `LibraryDamaged` where the tables and indexes of ``db`` are not just those of ``schema``.

    Reads the list of them only, so that no view, trigger or default in it is ever run. An empty database passes.
    """
    found = _schema_of(db)
    if not found or found == (expected := _expected(schema)):
        return
    foreign = sorted(f"the {kind} {name[:40]!r}" for kind, name, _, _ in found - expected)
    missing = sorted(f"the {kind} {name!r}" for kind, name, _, _ in expected - found)
    what = f"has {_listed(foreign)}, which no library contains" if foreign else f"lacks {_listed(missing)}"
    raise LibraryDamaged(f"{path} {what}; it was altered or is no library: index the files again into a new one")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _schema_of(db: sqlite3.Connection) -> _Schema:
    rows = db.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master LIMIT 1000").fetchall()
    return frozenset((str(kind), str(name), str(table), _plain(str(sql))) for kind, name, table, sql in rows)


def _plain(sql: str) -> str:
    return _SPACE.sub(" ", _COMMENT.sub(" ", sql)).strip()


@lru_cache(maxsize=8)
def _expected(schema: str) -> _Schema:
    db = sqlite3.connect(":memory:")
    try:
        db.executescript(schema)
        return _schema_of(db)
    finally:
        db.close()
