"""Conversations with a library: questions and answers that were to be kept, in ``conversations.sqlite``.

Nothing is kept unless a conversation is named. The file is beside the documents' database, so that asking never waits for a
writer; where it cannot be written, questions are answered all the same, and it is said that nothing was kept. Only its owner can
read it. What is forgotten is overwritten, and the file made anew without it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zlib import crc32

from .._errors import BookwheelError, LibraryDamaged, StorageError, UsageError
from ..index.storage import NEW
from ..read.answer import Answer
from ..read.conversation import Turn
from .database_errors import meaning
from .databases import check_schema, refuse_foreign_files, restrict
from .manifest import Manifest
from .row_sums import ANY_TEXT

__all__ = ["CONVERSATIONS", "LONGEST_NAME", "ConversationInfo", "Conversations", "KeptTurn", "checked_name"]

CONVERSATIONS = "conversations.sqlite"
MOST_BYTES = 256 << 20
"""The file takes no more."""
MOST_TURNS = 10_000
"""Questions of one conversation."""
MOST_ANSWER = 1 << 20
"""Characters of one answer, as JSON; of a longer one only the claims are kept, then only its first."""
LONGEST_NAME = 200

SCHEMA = """
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT, sum INTEGER);
CREATE TABLE IF NOT EXISTS turns (
  conversation TEXT NOT NULL, number INTEGER NOT NULL, asked TEXT NOT NULL, question TEXT NOT NULL, understood TEXT NOT NULL,
  answer TEXT NOT NULL, sum INTEGER NOT NULL, PRIMARY KEY (conversation, number)
) WITHOUT ROWID;
"""
_COLUMNS = "conversation, number, asked, question, understood, answer, sum"
LIBRARY = "library"
"""The note of whose conversations they are."""


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """One question of a conversation and its answer."""

    number: int
    """From 1."""
    asked: str
    """When: ISO 8601, UTC."""
    question: str
    """As it was typed."""
    understood: str
    """As it was asked of the documents: with what it left unsaid."""
    answer: Mapping[str, Any]
    """The answer as `Answer.to_dict` gives it, without the texts of the evidence."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "number": self.number,
            "asked": self.asked,
            "question": self.question,
            "understood": self.understood,
            "answer": dict(self.answer),
        }

    def turn(self) -> Turn:
        """What the next question needs of it."""
        return Turn(self.understood, str(self.answer.get("answer") or ""))


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """A conversation that is kept."""

    name: str
    questions: int
    began: str
    """When its first question was asked: ISO 8601, UTC."""
    last: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "questions": self.questions, "began": self.began, "last": self.last}


def checked_name(name: Any) -> str:
    """A conversation's name without spaces at its ends. Raises `UsageError`."""
    if not isinstance(name, str) or not (text := name.strip()):
        raise UsageError(f"a conversation needs a name, not {name!r:.80}")
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise UsageError(
            f"a conversation's name has at most {LONGEST_NAME} characters, all of them printable, which {text!r:.80} does not"
        )
    return text


class Conversations:
    """Those of one library. The file is opened for each call, and by nobody in between."""

    def __init__(self, library: Path) -> None:
        self.path = library / CONVERSATIONS

    # -- looking -------------------------------------------------------------------------------------------------------

    def names(self) -> list[ConversationInfo]:
        """What is kept, the conversation that was continued last first."""
        rows = self._read("SELECT conversation, count(*), min(asked), max(asked) FROM turns GROUP BY conversation")
        found = [ConversationInfo(str(name), int(count), str(first), str(last)) for name, count, first, last in rows]
        return sorted(found, key=lambda one: (one.last, one.name), reverse=True)

    def turns(self, name: str, last: int | None = None) -> list[KeptTurn]:
        """The questions of a conversation, oldest first; the ``last`` so many. Raises `LibraryDamaged`."""
        sql = f"SELECT {_COLUMNS} FROM turns WHERE conversation = ? ORDER BY number DESC LIMIT ?"
        found: list[KeptTurn] = []
        for row in self._read(sql, (name, -1 if last is None else last)):
            if _sum(row[:-1]) != row[-1]:
                raise LibraryDamaged(
                    f"question {row[1]!r:.20} of the conversation {name!r} is damaged in {self.path}; forget the conversation with "
                    f"`bookwheel conversations forget`"
                )
            found.append(KeptTurn(row[1], row[2], row[3], row[4], json.loads(row[5])))
        return found[::-1]

    def problems(self) -> list[str]:
        """One sentence for each thing that is damaged; nothing is changed."""
        try:
            bad = sum(_sum(row[:-1]) != row[-1] for row in self._read(f"SELECT {_COLUMNS} FROM turns"))
            wrong = [str(row[0]) for row in self._read("PRAGMA integrity_check(1)") if row[0] != "ok"]
        except LibraryDamaged as error:
            return [str(error)]
        except BookwheelError:  # no right to read it: it is its owner's
            return []
        remedy = "forget the conversation, or delete the file"
        if bad or wrong:
            return [f"{self.path} is damaged ({wrong[0] if wrong else f'{bad} rows do not match their checksum'}); {remedy}"]
        return []

    # -- keeping -------------------------------------------------------------------------------------------------------

    def keep(self, name: str, answer: Answer) -> None:
        """Add a question and its answer. Raises `UsageError` where there is no more room for it, `StorageError`."""
        question, understood = answer.question, answer.asked or answer.question
        kept = _shortened(answer)
        asked = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._writing() as db:
            size = db.execute("PRAGMA page_count").fetchone()[0] * db.execute("PRAGMA page_size").fetchone()[0]
            if size + len(kept) > MOST_BYTES:
                raise UsageError(
                    f"the conversations of this library take {size >> 20} MB already, of {MOST_BYTES >> 20} MB; forget some with "
                    "`bookwheel conversations forget NAME`"
                )
            (number,) = db.execute("SELECT coalesce(max(number), 0) + 1 FROM turns WHERE conversation = ?", (name,)).fetchone()
            if number > MOST_TURNS:
                raise UsageError(
                    f"the conversation {name!r} has {MOST_TURNS:,} questions, the most there may be; begin another"
                )
            row = (name, number, asked, _text(question), _text(understood), kept)
            db.execute(f"INSERT INTO turns ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, _sum(row)))

    def forget(self, names: Sequence[str] | None = None) -> int:
        """Delete the conversations ``names``, or all, from the disk; returns how many questions they had.

        Raises `UsageError` for a name that is none, deleting nothing, and `StorageError`.
        """
        if not self.path.exists() and not self.path.is_symlink():
            known: set[str] = set()
        else:
            known = {one.name for one in self.names()}
        if missing := sorted(set(names or ()) - known):
            raise UsageError(f"there is no conversation {', '.join(map(repr, missing))}; nothing was forgotten")
        if not known:
            return 0
        with self._writing() as db:
            if names is None:
                count = db.execute("DELETE FROM turns").rowcount
            else:
                count = sum(db.execute("DELETE FROM turns WHERE conversation = ?", (name,)).rowcount for name in set(names))
        self._wipe()
        return count

    def _wipe(self) -> None:
        """Make the file anew without what was deleted, and its log empty."""
        with self._opened(write=True) as db:
            db.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 1)  # VACUUM works by one
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # -- the file ------------------------------------------------------------------------------------------------------

    def _read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        refuse_foreign_files(self.path, finished=True)
        if not self.path.exists():
            return []
        with self._opened(write=False) as db:
            return db.execute(sql, parameters).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._opened(write=True) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @contextmanager
    def _opened(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        """The database, open for one call. Raises `LibraryDamaged`, `LibraryLocked`, `StorageError`."""
        refuse_foreign_files(self.path, finished=True)
        if write:
            self._create()
        db: sqlite3.Connection | None = None
        try:
            db = self._connect(write=write)
            self._require_own(db)
            yield db
        except sqlite3.Error as error:
            raised = meaning(error, self.path)
            if isinstance(raised, LibraryDamaged):
                raised = LibraryDamaged(f"{self.path} is damaged ({error}); delete the file: the documents do not need it")
            raise raised from error
        finally:
            if db is not None:
                with suppress(sqlite3.Error):
                    db.close()

    def _create(self) -> None:
        """A file with our tables that only its owner can read, where there is none: made apart, so that nobody sees it half made."""
        if self.path.exists():
            return
        new = self.path.with_name(f"{CONVERSATIONS}{NEW}-{os.getpid()}-{threading.get_ident()}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        mine = Manifest.read(self.path.parent).id
        try:
            os.close(os.open(new, flags, 0o600))
            try:
                db = sqlite3.connect(new, isolation_level=None)
                try:
                    db.execute("PRAGMA journal_mode=WAL")
                    db.executescript(f"BEGIN;{SCHEMA}COMMIT;")
                    db.execute("INSERT INTO notes VALUES (?, ?, ?)", (LIBRARY, mine, _sum((LIBRARY, mine))))
                finally:
                    db.close()
                with suppress(FileExistsError):  # another process was faster
                    try:
                        os.link(new, self.path, follow_symlinks=False)
                    except (NotImplementedError, OSError) as error:
                        if isinstance(error, FileExistsError):
                            raise
                        new.rename(self.path)  # a disk without links
            finally:
                new.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written ({(error.strerror or str(error)).lower()})") from error

    def _connect(self, *, write: bool) -> sqlite3.Connection:
        def connect(options: str) -> sqlite3.Connection:
            uri = f"{self.path.absolute().as_uri()}?{options}"
            db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10.0)
            restrict(db)
            db.text_factory = ANY_TEXT
            return db

        if write:
            db = connect("mode=rw")
            try:
                check_schema(db, SCHEMA, self.path)
                db.execute("PRAGMA secure_delete=ON")
                db.execute("PRAGMA temp_store=MEMORY")  # VACUUM leaves nothing anywhere else
                db.execute("PRAGMA synchronous=FULL")
            except BaseException:
                db.close()
                raise
            return db
        db = connect("mode=ro")
        try:
            check_schema(db, SCHEMA, self.path)
        except sqlite3.OperationalError:
            db.close()
            # Without the right to write beside it, a database with a log opens only as unchanging, which is what it then is.
            log = self.path.with_name(self.path.name + "-wal")
            if os.name == "posix" and log.is_file() and log.stat().st_size:
                db = connect("mode=ro&vfs=unix-none")
                db.execute("PRAGMA locking_mode=EXCLUSIVE")
            else:
                db = connect("mode=ro&immutable=1")
            check_schema(db, SCHEMA, self.path)
        except BaseException:
            db.close()
            raise
        return db

    def _require_own(self, db: sqlite3.Connection) -> None:
        """Raise `LibraryDamaged` where these are another library's conversations, or nobody's."""
        mine = Manifest.read(self.path.parent).id
        there = db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        rows = db.execute("SELECT value, sum FROM notes WHERE name = ?", (LIBRARY,)).fetchall() if there else []
        if rows != [(mine, _sum((LIBRARY, mine)))]:
            raise LibraryDamaged(
                f"{self.path} has the conversations of another library, or is damaged; delete the file, or move it away"
            )


def _sum(row: Sequence[Any]) -> int:
    return crc32("\0".join(map(str, row)).encode("utf-8", "surrogatepass"))


def _text(text: str) -> str:
    """Without half characters, which no database keeps."""
    return text.encode("utf-8", "replace").decode()


def _shortened(answer: Answer) -> str:
    """The answer as JSON: without the texts of its evidence, which are in the library; of an enormous one less."""
    told = answer.to_dict()
    told["evidence"] = [{key: value for key, value in one.items() if key != "text"} for one in told["evidence"]]
    steps: tuple[dict[str, Any], ...] = (
        {},
        {"evidence": [], "omitted": []},
        {"claims": told["claims"][:20]},
        {"claims": [], "notes": []},
    )
    for less in steps:
        told |= less
        text = json.dumps(told, ensure_ascii=True, default=str)
        if len(text) <= MOST_ANSWER:
            return text
    return json.dumps({"answer": str(told["answer"])[: MOST_ANSWER >> 3], "refused": answer.refused, "claims": []})
