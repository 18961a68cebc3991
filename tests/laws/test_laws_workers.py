"""The law of workers: a library is the same, byte for byte in its arrays and rows, whatever the number of processes that made it."""

from __future__ import annotations

import json
import os
import pickle
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bookwheel
from bookwheel.documents.document import Document
from bookwheel.documents.isolated import ahead as reading_ahead
from bookwheel.library import intake
from bookwheel.library.workers import ahead, crew
from bookwheel.library.workers.child import received, sent
from bookwheel.library.workers.pool import Pool

TABLES = ("documents", "texts", "passages", "metadata", "fields", "removals", "sources", "copies")
GERMAN = "Die Bibliothek hält alle Bücher in der Nähe, und wer sie liest, findet nicht nur den Text, sondern auch seinen Ort. "


@pytest.fixture
def folder(tmp_path: Path, prose: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of several formats and languages, some of no language, one that is large."""
    monkeypatch.setattr(ahead, "DOCUMENTS", 20)  # many batches
    monkeypatch.setattr(intake, "LARGE", 20_000)
    monkeypatch.setattr(reading_ahead, "FILES", 2)
    folder = tmp_path / "folder"
    folder.mkdir()
    with (folder / "records.jsonl").open("w") as file:
        for number, (title, text) in enumerate(prose[:250]):
            record = {
                "id": f"r{number}",
                "title": title,
                "text": text,
                "year": 1990 + number % 30,
                "tags": ["a", f"t{number % 5}"],
            }
            file.write(json.dumps(record) + "\n")
    for number, (title, text) in enumerate(prose[250:300]):
        (folder / f"n{number:02d}.md").write_text(f"# {title}\n\n{text}\n\n## More\n\n{text[::-1]} C++ and node.js \0 end")
    (folder / "page.html").write_text("<title>A page</title><p>" + "</p><p>".join(text for _, text in prose[:20]))
    for number in range(3):  # read ahead of their turn
        (folder / f"page{number}.html").write_text(f"<title>Page {number}</title><p>{prose[number][1]}")
    (folder / "german.txt").write_text(GERMAN * 40)
    (folder / "japanese.txt").write_text("吾輩は猫である。名前はまだ無い。" * 30)
    (folder / "numbers.csv").write_text("name,born\n" + "".join(f"Ada {n},{1800 + n}\n" for n in range(60)))
    (folder / "empty.txt").write_text(" ")
    (folder / "large.txt").write_text("\n\n".join(text for _, text in prose[:60]))
    return folder


def contents(library: Path) -> tuple[dict[str, bytes], dict[str, list[Any]]]:
    """Every array file, and every row but the library's identity and the times of files."""
    arrays = [*(library / "segments").rglob("*"), *(library / "signatures").rglob("*")]
    files = {str(path.relative_to(library)): path.read_bytes() for path in arrays if path.is_file()}
    with sqlite3.connect(library / "documents.sqlite") as db:
        rows = {table: db.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in TABLES}
    return files, rows


def made(
    path: Path, workers: int | None, folder: Path, change: Callable[[], None], *, distinct: bool = False, **settings: Any
) -> Any:
    library = bookwheel.open(path, create=True, **settings)
    reports = [library.index(folder, workers=workers, distinct=distinct)]
    change()
    reports.append(library.index(folder, workers=workers, distinct=distinct))
    reports.append(
        library.add([{"id": "x", "text": GERMAN}, {"id": "x", "text": "again"}, "a text by itself"], workers=workers)
    )
    told = [
        (r.added, r.updated, r.unchanged, r.removed, r.copies, r.passages, r.languages, r.skipped, r.failures) for r in reports
    ]
    library.compact()
    assert library.check() == []
    return contents(path), told, [r.workers for r in reports]


@pytest.mark.parametrize("numbers", [(1, 2), pytest.param((1, 3, 5), marks=pytest.mark.slow)], ids=str)
def test_workers_make_the_same_library(tmp_path: Path, folder: Path, numbers: tuple[int, ...]) -> None:
    """Also of changed and removed files, replaced and repeated documents, after a compaction, and where near-duplicates go."""
    records = (folder / "records.jsonl").read_text()

    def change() -> None:
        lines = records.splitlines(keepends=True)
        (folder / "records.jsonl").write_text("".join([*lines[:100], '{"id": "r100", "text": "changed"}\n', *lines[150:]]))
        (folder / "n01.md").unlink()
        (folder / "n02.md").write_text("# Changed\n\nsomething else altogether")

    found = []
    for workers in numbers:
        (folder / "records.jsonl").write_text(records)
        (folder / "n01.md").write_text("# Here again\n\nuntil it goes")
        (folder / "n02.md").write_text("# As it was\n\nbefore")
        for path in folder.iterdir():
            os.utime(path, ns=(10**18, 10**18))
        found.append(made(tmp_path / f"library{workers}", workers, folder, change, distinct=True))
    (alone, told, one), *others = found
    assert one == [1, 1, 1]
    assert told[0][4] >= 3, "the pages repeat records"
    assert told[1][:4] == (0, 2, told[1][2], 50), told[1]
    for (files, rows), telling, count in others:
        assert count[0] > 1
        assert telling == told
        assert files.keys() == alone[0].keys()
        assert [name for name in files if files[name] != alone[0][name]] == []
        for table in TABLES:
            assert without_times(table, rows[table]) == without_times(table, alone[1][table]), table


def without_times(table: str, rows: list[Any]) -> list[Any]:
    """Sources but for the times of files, and their checksums with those."""
    return [(*row[:3], *row[4:-1]) for row in rows] if table == "sources" else rows


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"language": "german"}, {"encoder": None}, {"unit": "sentence"}], ids=str)
def test_of_any_settings(tmp_path: Path, folder: Path, settings: dict[str, Any]) -> None:
    (folder / "large.txt").unlink()
    found = []
    for workers in (1, 2):
        library = bookwheel.open(tmp_path / f"library{workers}", create=True, **settings)
        library.index(folder, workers=workers)
        found.append(contents(library.path))
    assert found[0] == found[1]


class Kills:
    """Ends a worker at its second batch, from outside."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = 1
        original = Pool.submit

        def submit(pool: Pool, documents: Any) -> Any:
            future = original(pool, documents)
            if self.left and len(pool.pids) > 1:
                self.left -= 1
                os.kill(pool.pids[0], signal.SIGKILL)
            return future

        monkeypatch.setattr(Pool, "submit", submit)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_nothing_is_lost_with_a_worker_that_is_killed(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = bookwheel.open(tmp_path / "sound", create=True)
    sound.index(folder, workers=1)
    kills = Kills(monkeypatch)
    library = bookwheel.open(tmp_path / "library", create=True)
    report = library.index(folder, workers=2)
    assert kills.left == 0
    assert report.failures == []
    assert contents(library.path) == contents(sound.path)


@pytest.mark.slow
def test_a_document_that_ends_each_worker_is_named_and_read_again(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bookwheel.library.workers import pool

    # A settings object whose unpickling in the worker plants a text that ends it; this process is left alone.
    monkeypatch.setattr(pool, "MODULE", "trap")
    monkeypatch.syspath_prepend(Path(__file__).parent / "trap")
    trapped = tmp_path / "trapped"
    trapped.mkdir()
    for number in range(50):
        (trapped / f"f{number:02d}.txt").write_text(f"the file numbered {number} is about books that are read in the evening")
    (trapped / "f33.txt").write_text("this text is a TRAP for the process that analyses it")
    library = bookwheel.open(tmp_path / "library", create=True)
    report = library.index(trapped, workers=2)
    assert len(report.failures) == 1
    assert "f33.txt" in report.failures[0]
    assert report.added == library.document_count == 49
    monkeypatch.setattr(pool, "MODULE", "bookwheel.library.workers.child")
    again = library.index(trapped, workers=2)
    assert (again.added, again.unchanged) == (1, 49)
    assert library.check() == []


def test_a_budget_without_room_for_workers_is_kept_by_one_process(tmp_path: Path, folder: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True)
    assert library.index(folder, workers=2, ram="256MB").workers == 1


def test_a_little_text_starts_no_workers(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "cores", lambda: 2)
    library = bookwheel.open(tmp_path / "library", create=True)
    assert library.index(folder / "records.jsonl").workers == 1


@pytest.mark.slow
def test_much_text_starts_them_by_itself(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "cores", lambda: 2)
    monkeypatch.setattr(crew, "ENOUGH", 10_000)
    sound = bookwheel.open(tmp_path / "sound", create=True)
    sound.index(folder, workers=1)
    library = bookwheel.open(tmp_path / "library", create=True)
    assert library.index(folder).workers == 2
    assert contents(library.path) == contents(sound.path)


@pytest.mark.slow
def test_a_large_record_takes_the_room_of_the_workers(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read does not depend on how many there are."""
    library = bookwheel.open(tmp_path / "library", create=True)
    with (folder / "records.jsonl").open("a") as file:
        file.write(json.dumps({"id": "wide", "text": GERMAN * 200_000}) + "\n")
    report = library.index(folder / "records.jsonl", workers=2, ram="600MB")
    assert report.failures == []
    assert report.workers == 2
    assert report.added == 251


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "2"])
def test_a_number_of_workers_that_is_none_is_refused(tmp_path: Path, workers: Any) -> None:
    library = bookwheel.open(tmp_path / "library", create=True)
    with pytest.raises(bookwheel.UsageError, match="workers must be a whole number from 1 up"):
        library.add(["text"], workers=workers)


@pytest.mark.slow
def test_an_encoder_that_workers_cannot_use_encodes_here(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bookwheel.encode.static.built_in import StaticEncoder

    (folder / "large.txt").unlink()
    sound = bookwheel.open(tmp_path / "sound", create=True)
    sound.index(folder, workers=1)
    monkeypatch.setattr(crew.Crew, "_folder", lambda _: None)
    calls: list[int] = []
    original = StaticEncoder.encode

    def encode(self: StaticEncoder, texts: list[str]) -> Any:
        calls.append(len(texts))
        return original(self, texts)

    monkeypatch.setattr(StaticEncoder, "encode", encode)
    library = bookwheel.open(tmp_path / "library", create=True)
    library.index(folder, workers=2)
    assert sum(calls) > 300
    assert np.isfinite(library.search("a library of books")[0].score)


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    """However a run ends, its workers end with it."""
    yield
    if os.path.isdir("/proc"):  # noqa: PTH112
        ours = f"PPid:\t{os.getpid()}\n"
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                if ours in status.read_text():
                    command = (status.parent / "cmdline").read_bytes()
                    assert b"workers.child" not in command
            except OSError:
                continue


def test_documents_travel_as_they_are() -> None:
    """What a worker is sent has all that its passages depend on."""
    document = Document("a", "text", "title", {"year": 1}, pages=(0, 3), lines=True)
    assert received(pickle.loads(sent([document]))) == [Document("", "text", "title", {}, pages=(0, 3), lines=True)]
