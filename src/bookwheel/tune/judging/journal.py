"""One judge's file: every judgment is a line that is on the disk before the next one is asked for.

Lines are JSON: what is judged (``pooled``: the queries, the recipes and their rankings), judgments, and judgments taken back.
Nothing is ever rewritten: a process that is killed loses at most the line that it was writing, which has no end and is dropped
before the next is appended. Two processes may judge into one file at a time: each line is appended under a lock.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..._errors import InputError, LibraryDamaged, UsageError
from ...index.plain_files import open_plain, refuse_link, require_plain
from ...index.storage import fsync_folder, storage
from ...library.lock import briefly_locked
from .grades import HIGHEST, Judgment

__all__ = ["FOLDER", "Journal", "Pooled", "journal_path", "journals"]

FOLDER = "judgments"
"""Of a library: the files of its judges."""
LARGEST = 256 << 20
"""Bytes of a file that is read."""
_NAME = re.compile(r"[\w][\w.@+ -]{0,79}")


@dataclass(frozen=True, slots=True)
class Pooled:
    """What is judged: queries, and what each recipe found for them."""

    queries: Mapping[str, str]
    runs: Mapping[str, Mapping[str, Sequence[str]]]
    """Recipe to query to documents, best first."""
    depth: int
    version: tuple[str, int] = ("", 0)
    """Of the library that was ranked: its identity and generation."""

    @property
    def recipes(self) -> tuple[str, ...]:
        """The recipes, in the order in which they were given."""
        return tuple(self.runs)

    def same(self, queries: Mapping[str, str], recipes: Sequence[str], depth: int, version: tuple[str, int]) -> bool:
        """Whether ranking anew would give the same."""
        asked = (dict(queries), tuple(recipes), depth, tuple(version))
        return asked == (dict(self.queries), self.recipes, self.depth, tuple(self.version))


def journal_path(library: Path, judge: str) -> Path:
    """The file of ``judge`` in the library's folder. Raises `UsageError` for a name that a file cannot have."""
    if not _NAME.fullmatch(judge) or judge.endswith((" ", ".")):
        raise UsageError(f"a judge has a name of up to 80 letters, digits, spaces and . _ @ + -, not {judge!r:.100}")
    return library / FOLDER / f"{judge}.jsonl"


def journals(library: Path) -> dict[str, Path]:
    """The judges of a library, by name."""
    folder = library / FOLDER
    found = folder.glob("*.jsonl") if folder.is_dir() and not folder.is_symlink() else ()
    return {path.stem: path for path in sorted(found) if path.is_file() and not path.is_symlink()}


class Journal:
    """The file ``path`` of one judge, made when the first line is appended.

    Raises `InputError` for a file that is none, with the line that is wrong.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pooled: Pooled | None = None
        """What was pooled last."""
        self.dropped = False
        """Whether the file ended in half a line, of a process that was killed."""
        self._size = 0
        self._found: dict[tuple[str, str], Judgment] = {}
        self._order: list[tuple[str, str]] = []
        self.refresh()

    @property
    def judgments(self) -> list[Judgment]:
        """The judgments that stand, oldest first."""
        return list(self._found.values())

    def of(self, query: str, document: str) -> Judgment | None:
        """The judgment that stands of this pair."""
        return self._found.get((query, document))

    @property
    def last(self) -> Judgment | None:
        """The newest judgment that stands."""
        return self._found[self._order[-1]] if self._order else None

    def refresh(self) -> None:
        """Read what others have appended since."""
        try:
            with open_plain(self.path) as file:
                size = os.fstat(file.fileno()).st_size
                if size < self._size:
                    raise InputError(f"{self.path} has become shorter while it was read; put back what was removed")
                if size > LARGEST:
                    raise InputError(f"{self.path} has {size:,} bytes, more than a judge's file can have ({LARGEST:,})")
                file.seek(self._size)
                data = b""
                while piece := file.read(1 << 20):
                    data += piece
        except FileNotFoundError:
            return
        except LibraryDamaged as error:
            raise InputError(str(error)) from None
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror or error}") from None
        whole, end, rest = data.rpartition(b"\n")
        self.dropped = bool(rest)
        first = self._size == 0
        for number, line in enumerate(whole.split(b"\n") if end else (), 1):
            if line.strip():
                self._read(line, f"{self.path}:{number}" if first else str(self.path))
        self._size += len(whole) + len(end)

    def judge(self, query: str, document: str, grade: int | None, *, score: float | None = None) -> None:
        """Append a judgment; None is a document skipped. Raises `UsageError` for a grade that is none, `StorageError`."""
        if grade is not None and not 0 <= grade <= HIGHEST:
            raise UsageError(f"a grade is a number from 0 to {HIGHEST}, not {grade}")
        known = self.of(query, document)
        if known is None or (known.grade, known.score) != (grade, score):
            told = {"query": query, "document": document, "grade": grade, "when": _now()}
            self._append(told if score is None else {**told, "score": score})

    def undo(self) -> Judgment | None:
        """Take back the newest judgment; None where there is none."""
        self.refresh()
        if (last := self.last) is not None:
            self._append({"undo": [last.query, last.document], "when": _now()})
        return last

    def pool(self, pooled: Pooled) -> None:
        """Append what is judged from now on."""
        self._append(
            {
                "pooled": dict(pooled.queries),
                "runs": {name: {q: list(found) for q, found in run.items()} for name, run in pooled.runs.items()},
                "depth": pooled.depth,
                "version": list(pooled.version),
                "when": _now(),
            }
        )

    # -- lines ---------------------------------------------------------------------------------------------------------

    def _append(self, record: dict[str, Any]) -> None:
        """Add a line, after what others have added, and wait until the disk has it."""
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        folder = self.path.parent
        refuse_link(folder)
        with storage(self.path):
            fresh = not self.path.exists()
            folder.mkdir(parents=True, exist_ok=True)
            with briefly_locked(self.path.with_suffix(".lock")):
                self.refresh()
                refuse_link(self.path)
                flags = os.O_WRONLY | os.O_CREAT
                for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY", "O_NONBLOCK"):
                    flags |= getattr(os, name, 0)
                descriptor = os.open(self.path, flags, 0o666)
                try:
                    require_plain(descriptor, self.path)
                    os.ftruncate(descriptor, self._size)  # half a line of a process that was killed
                    os.lseek(descriptor, self._size, os.SEEK_SET)
                    try:
                        _write_all(descriptor, line)
                        os.fsync(descriptor)
                    except BaseException:
                        os.ftruncate(descriptor, self._size)
                        raise
                finally:
                    os.close(descriptor)
                if fresh:
                    fsync_folder(folder)
                self.refresh()

    def _read(self, line: bytes, place: str) -> None:
        try:
            record = json.loads(line)
            if "undo" in record:
                query, document = record["undo"]
                self._forget((str(query), str(document)))
            elif "pooled" in record:
                self.pooled = _pooled(record)
            else:
                self._keep(_judgment(record))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InputError(f"{place} is no line that a judge's file has; remove it, or restore the file") from None

    def _keep(self, one: Judgment) -> None:
        pair = one.query, one.document
        self._forget(pair)
        self._found[pair] = one
        self._order.append(pair)

    def _forget(self, pair: tuple[str, str]) -> None:
        if self._found.pop(pair, None) is not None:
            # What is taken back or changed is nearly always the newest.
            at = len(self._order) - 1
            while self._order[at] != pair:
                at -= 1
            del self._order[at]


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _judgment(record: Mapping[str, Any]) -> Judgment:
    query, document, grade, score = record["query"], record["document"], record["grade"], record.get("score")
    if not (isinstance(query, str) and isinstance(document, str)):
        raise TypeError("ids are texts")
    if grade is not None and (isinstance(grade, bool) or not isinstance(grade, int) or not 0 <= grade <= HIGHEST):
        raise ValueError("no grade")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
        raise TypeError("no score")
    return Judgment(query, document, grade, None if score is None else float(score))


def _pooled(record: Mapping[str, Any]) -> Pooled:
    runs = {
        str(name): {str(query): tuple(map(str, found)) for query, found in run.items()} for name, run in record["runs"].items()
    }
    identity, generation = record["version"]
    queries = {str(query): str(text) for query, text in record["pooled"].items()}
    return Pooled(queries, runs, int(record["depth"]), (str(identity), int(generation)))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
