"""A folder of every kind of source, commands that are interrupted, and what must be left of a library then."""

from __future__ import annotations

import gzip
import json
import mailbox
import subprocess
from email.message import EmailMessage
from pathlib import Path

import bookwheel

QUERIES = ["open file", "thread lock", "iterator", "parse arguments", "base class", "queue heap", "encode bytes"]

# Small batches and a commit after each, so that few seconds hold many commits, merges and sweeps.
CHILD = """
import sys, bookwheel, bookwheel.library.intake as i, bookwheel.library.writer as w
from pathlib import Path
i.BATCH_PASSAGES, w.COMMIT_SECONDS = 40, 0.0
path, folder, marks = map(Path, sys.argv[1:4])
steps = sys.argv[4:]
def made():
    return bookwheel.open(path, create=True, language="english", words=60)
def index():
    made().index(folder)
def distinct():
    made().index(folder, distinct=True)
def book():
    # No room for postings: each batch of a document's passages becomes a segment of its own.
    from dataclasses import replace
    import bookwheel.library.writer_memory as m
    share_out = m.share_out
    m.share_out = lambda *given, **named: replace(share_out(*given, **named), gather=1)
    index()
def read():
    # A reading transaction that stays open holds the database's log back, as a long export does.
    import sqlite3
    global reader
    reader = sqlite3.connect(path / "documents.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM documents").fetchone()
def remove():
    from crash_kit import remove
    remove(bookwheel.open(path), folder)
def compact():
    bookwheel.open(path).compact()
def configure():
    bookwheel.open(path).configure(k1=0.7)
from bookwheel.kernels import warm
warm()
print("ready", flush=True)
for step in steps:
    globals()[step]()
    (marks / step).mkdir(exist_ok=True)
print("done", flush=True)
"""

State = dict[tuple[str, str], tuple[str, str]]


def fill(folder: Path, prose: list[tuple[str, str]], files: int = 300) -> None:
    """Small files with one large among the first, a mailbox, JSON lines plain and packed, notes in sub-folders."""
    folder.mkdir(parents=True)
    for n, (title, text) in enumerate(prose[:files]):
        place = folder / f"part{n % 4}"
        place.mkdir(exist_ok=True)
        (place / f"n{n:03d}.txt").write_text(f"{title}\n\n{text}\n")
    (folder / "a-book.txt").write_text("\n\n".join(text for _, text in prose[:70]))
    records = [json.dumps({"_id": f"r{n}", "title": title, "text": text}) for n, (title, text) in enumerate(prose[:40])]
    (folder / "records.jsonl").write_text("\n".join(records) + "\n")
    (folder / "packed.jsonl.gz").write_bytes(gzip.compress("\n".join(records[:20]).encode()))
    box = mailbox.mbox(folder / "mails.mbox")
    for n, (title, text) in enumerate(prose[60:80]):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = f"a{n}@example.org", "b@example.org", title
        mail["Message-ID"], mail["Date"] = f"<{n}@example.org>", "Mon, 2 Nov 2026 10:00:00 +0000"
        mail.set_content(text)
        box.add(mail)
    box.close()


def change(folder: Path) -> None:
    """Other texts in a third of the files, a few files gone, records changed, gone and new."""
    for n, path in enumerate(sorted(folder.rglob("*.txt"))):
        if n % 3 == 0:
            path.write_text(path.read_text() + "\nA sentence about a quokka was added to this file.\n")
        elif n % 20 == 1:
            path.unlink()
    lines = (folder / "records.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    for record in records[::2]:
        record["text"] += " A sentence about a quokka was added to this record."
    records[5]["_id"] = "new"
    (folder / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records[:35]))


def remove(library: bookwheel.Library, folder: Path) -> None:
    """Take ten files out of the library that are still in the folder."""
    names = sorted(str(path) for path in folder.rglob("*.txt"))[5:15]
    if there := [name for name in names if library.get(name)]:
        library.remove(there)


def child(
    python: str, environment: dict[str, str], library: Path, folder: Path, marks: Path, *steps: str
) -> subprocess.Popen[str]:
    """A process that takes ``steps``; when this returns it is ready to begin, or killed."""
    marks.mkdir(parents=True, exist_ok=True)
    here = str(Path(__file__).parent)
    environment = {**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}:{here}"}
    started = subprocess.Popen(
        [python, "-c", CHILD, str(library), str(folder), str(marks), *steps],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert started.stdout is not None
    assert started.stdout.readline() in ("ready\n", "")
    return started


def state(path: Path) -> State:
    """Every document of a library; each must be there once."""
    with bookwheel.open(path) as library:
        documents = [((d.source, d.id), (d.title, d.text)) for d in library]
    found = dict(documents)
    assert len(found) == len(documents), "a document is there twice"
    return found


def ranked(path: Path) -> list[list[tuple[float, str, int]]]:
    """Rankings that must not depend on what interrupted the indexing."""
    with bookwheel.open(path) as library:
        return [
            sorted((-round(r.score, 4), r.id, r.start) for r in library.search(query, 1000, recipe="bm25")) for query in QUERIES
        ]


def assert_sound(path: Path, before: State, after: State) -> None:
    """The library opens and is sound; of each document one of its two versions is there."""
    with bookwheel.open(path) as library:
        assert (found := library.check()) == [], found
    now = state(path)
    for key, value in now.items():
        assert value in (before.get(key), after.get(key)), key
    lost = [key for key in before.keys() & after.keys() if key not in now]
    assert not lost, f"{len(lost)} documents are lost, {lost[:3]}"
