"""SQLite's FTS5: a contentless table, Porter's stemmer, its bm25()."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

from peer import serve

# FTS5 has no stop words; without these in the queries it need not score nearly every passage.
_WORDS = """a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to
was will with"""
STOP = frozenset(_WORDS.split())


class Fts5:
    """One connection; queries are disjunctions of their words."""

    def build(self, data: str, folder: str) -> dict[str, Any]:
        database = sqlite3.connect(Path(folder) / "fts5.sqlite")
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("CREATE VIRTUAL TABLE passages USING fts5(text, content='', tokenize='porter unicode61')")
        with Path(data).open(encoding="utf-8") as file:
            rows = ((n, f"{r.get('title', '')}\n{r['text']}") for n, r in enumerate(map(json.loads, file), 1))
            database.executemany("INSERT INTO passages(rowid, text) VALUES (?, ?)", rows)
        database.execute("INSERT INTO passages(passages) VALUES ('optimize')")
        database.commit()
        database.close()
        return {"version": sqlite3.sqlite_version}

    def open(self, folder: str) -> dict[str, Any]:
        self.database = sqlite3.connect(Path(folder) / "fts5.sqlite", check_same_thread=False)
        self.database.execute("PRAGMA mmap_size = 8589934592")
        return {"version": sqlite3.sqlite_version}

    def search(self, query: str, k: int) -> Any:
        words = dict.fromkeys(word.lower() for word in re.findall(r"\w+", query) if word.lower() not in STOP)
        if not words:
            return ()
        asked = " OR ".join(f'"{word}"' for word in words)
        rows = self.database.execute("SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?", (asked, k))
        return [row - 1 for (row,) in rows]


if __name__ == "__main__":
    serve(Fts5)
