"""A reader holds the generation that it opened, whatever a writer does meanwhile."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document, Library, LibraryChanged, LibraryError
from bookwheel.library import writer as writer_module

WORDS = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf"]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")


def texts(count: int, version: str = "first", start: int = 0) -> list[Document]:
    return [
        Document(f"d{n}", f"quokka {WORDS[n % 7]} {WORDS[n % 5]} number{n} {version}", metadata={"version": version})
        for n in range(start, start + count)
    ]


def make(path: Path, count: int = 20, **settings: object) -> Library:
    library = bookwheel.open(path, create=True, language="english", **settings)
    library.add(texts(count))
    return library


def state(library: Library) -> list[tuple[str, str]]:
    return [(document.id, document.text) for document in library]


def found(library: Library, recipe: str = "bm25", k: int = 100) -> list[tuple[str, str, float]]:
    return [(r.id, r.text, r.score) for r in library.search("quokka", k, recipe=recipe)]


@pytest.mark.parametrize("recipe", ["bm25", "dense", "hybrid"])
def test_a_representation_first_used_after_a_sweep(tmp_path: Path, recipe: str) -> None:
    writer = make(tmp_path / "x")
    expected = found(writer, recipe)
    reader = bookwheel.open(tmp_path / "x")
    assert reader.generation == writer.generation  # opened, and nothing read yet
    before = state(reader)
    writer.add(texts(3, "second"))
    writer.remove("d7")
    writer.configure(k1=0.9)
    writer.compact()
    assert found(reader, recipe) == expected
    assert state(reader) == before
    assert reader.document_count == 20
    assert reader.check() == []
    reader.refresh()
    assert found(reader, recipe) == found(writer, recipe) != expected
    assert reader.document_count == 19


def test_a_refresh_while_a_cursor_is_open(tmp_path: Path) -> None:
    writer = make(tmp_path / "x", 600)
    reader = bookwheel.open(tmp_path / "x")
    best = found(reader, k=1)[0][0]
    iterator = iter(reader)
    started = [next(iterator).id]
    writer.remove(best)
    reader.refresh()
    assert reader.document_count == 599
    assert best not in [name for name, *_ in found(reader, k=600)]
    assert started + [document.id for document in iterator] == [f"d{n}" for n in range(600)]


def test_iterating_while_another_compacts(tmp_path: Path) -> None:
    writer = make(tmp_path / "x", 50)
    iterator = iter(bookwheel.open(tmp_path / "x"))
    assert next(iterator).id == "d0"
    writer.remove([f"d{n}" for n in range(1, 30)])
    writer.compact()
    assert [document.id for document in iterator] == [f"d{n}" for n in range(1, 50)]


def test_rows_are_deleted_once_their_readers_are_gone(tmp_path: Path) -> None:
    writer = make(tmp_path / "x")
    reader = bookwheel.open(tmp_path / "x")
    before = state(reader)
    writer.remove("d3")
    writer.compact()
    assert state(reader) == before
    assert rows(tmp_path / "x") == 20
    reader.close()
    writer.configure(recipe="bm25")
    assert rows(tmp_path / "x") == 19


def rows(path: Path) -> int:
    import sqlite3

    with sqlite3.connect(path / "documents.sqlite") as db:
        return int(db.execute("SELECT count(*) FROM documents").fetchone()[0])


def test_a_generation_that_is_gone_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "WAIT_FOR_READERS", -1.0)
    writer = make(tmp_path / "x")
    reader = bookwheel.open(tmp_path / "x")
    found(reader)
    writer.remove("d3")
    writer.compact()
    with pytest.raises(LibraryChanged, match="gone.*refresh"):
        found(reader)
    with pytest.raises(LibraryChanged, match="gone.*refresh"):
        list(reader)
    reader.refresh()
    assert len(found(reader)) == 19


def test_a_library_made_anew_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "x"
    make(path).close()
    reader = bookwheel.open(path)
    old = found(reader, "hybrid")
    shutil.rmtree(path)
    anew = bookwheel.open(path, create=True, language="english")
    anew.add([Document("other", "a quokka of another library")])
    assert anew.generation == reader.generation
    assert found(reader, "hybrid") == old
    with pytest.raises(LibraryChanged, match="made anew"):
        list(reader)
    reader.refresh()
    assert [name for name, *_ in found(reader, "hybrid")] == ["other"]
    assert state(reader) == state(anew)


def test_threads_that_refresh_never_mix_versions(tmp_path: Path) -> None:
    writer = make(tmp_path / "x", 30)
    shared = bookwheel.open(tmp_path / "x")
    wrong: list[object] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            try:
                shared.refresh()
                names = [r.id for r in shared.search("quokka", 100, recipe="bm25")]
                if sorted(names) != sorted(f"d{n}" for n in range(30)):
                    wrong.append(names)
                ids = [document.id for document in shared]
                if len(set(ids)) != 30 or len(ids) != 30:
                    wrong.append(ids)
            except Exception as error:  # whatever it is, it is wrong
                wrong.append(repr(error))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for turn in range(12):
        writer.add(texts(10, f"turn{turn}", start=turn))
        if turn % 5 == 4:
            writer.compact()
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_checking_beside_a_writer(tmp_path: Path) -> None:
    writer = make(tmp_path / "x", 10)
    reader = bookwheel.open(tmp_path / "x")
    over = threading.Event()
    reports: list[list[str]] = []

    def check() -> None:
        while not over.is_set():
            try:
                reports.append(reader.check())
            except LibraryError as error:
                reports.append([repr(error)])

    thread = threading.Thread(target=check)
    thread.start()
    for turn in range(12):
        writer.configure(k1=0.5 + turn / 10)
        writer.add(texts(1, f"turn{turn}"))
        if turn % 4 == 3:
            writer.compact()
    over.set()
    thread.join()
    assert [report for report in reports if report] == []
    assert reports


@LINUX
def test_close_closes(tmp_path: Path) -> None:
    make(tmp_path / "x").close()
    maps, files = resources(tmp_path)
    gc.disable()
    try:
        for _ in range(5):
            with bookwheel.open(tmp_path / "x") as library:
                found(library, "hybrid")
                state(library)
            assert resources(tmp_path) == (maps, files)
    finally:
        gc.enable()


def resources(folder: Path) -> tuple[int, int]:
    maps = sum(str(folder) in line for line in Path("/proc/self/maps").read_text().splitlines())
    files = 0
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            files += str(folder) in os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
    return maps, files


@LINUX
def test_many_open_segments_take_few_files(tmp_path: Path) -> None:
    library = make(tmp_path / "x", 5)
    for n in range(6):
        library.add(texts(5, start=10 * n))
    reader = bookwheel.open(tmp_path / "x")
    before = resources(tmp_path)[1]
    found(reader, "hybrid")
    assert len(reader._snapshot.segments) > 5
    assert resources(tmp_path)[1] - before <= 6  # the database, its log, its index, the lease: not one an array


@LINUX
def test_out_of_file_handles_is_not_damage(tmp_path: Path) -> None:
    make(tmp_path / "x").close()
    code = f"""
import os, resource, bookwheel
library = bookwheel.open({str(tmp_path / "x")!r})
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
held = []
try:
    while True:
        held.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
for _ in range({{spare}}):
    os.close(held.pop())
try:
    library.search("quokka", recipe="bm25")
    print("found")
except bookwheel.LibraryError as error:
    print(type(error).__name__, error)
"""
    for spare in (0, 1, 2, 3):
        told = subprocess.run(
            [sys.executable, "-c", code.replace("{spare}", str(spare))],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert "damage" not in told.stdout, told.stdout
        assert told.stdout.startswith(("StorageError", "found")), told


@LINUX
def test_a_forked_child_reads_with_its_own_connection(tmp_path: Path) -> None:
    library = make(tmp_path / "x")
    expected = state(library), found(library)
    stream = iter(library)
    next(stream)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=lambda: queue.put((state(library), found(library), library.check())))
    child.start()
    answer = queue.get(timeout=60)
    child.join(60)
    assert answer == (*expected, [])
    assert [document.id for document in stream] == [f"d{n}" for n in range(1, 20)]
    library.add(texts(1, "second", start=30))
    assert len(found(library)) == 21


def test_a_library_is_pickled_by_its_path(tmp_path: Path) -> None:
    library = make(tmp_path / "x")
    copy = pickle.loads(pickle.dumps(library))
    assert state(copy) == state(library)
    assert isinstance(copy, Library)
    data = pickle.dumps(library)
    library.close()
    copy.close()
    shutil.rmtree(tmp_path / "x")
    with pytest.raises(LibraryError, match="no library"):
        pickle.loads(data)


@LINUX
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs to give up rights")
def test_a_log_that_nobody_may_take_in(tmp_path: Path) -> None:
    """A killed writer leaves its log; on a disk that cannot be written the log's commits are there all the same."""
    library = make(tmp_path / "x")
    reader = bookwheel.open(tmp_path / "x")
    held = iter(reader)
    next(held)  # holds the log back
    library.remove("d3")
    library.add([Document("late", "a late quokka")])
    copy = Path("/tmp") / f"bookwheel-readonly-{os.getpid()}"
    shutil.copytree(tmp_path / "x", copy)
    try:
        assert (copy / "documents.sqlite-wal").stat().st_size
        (copy / "documents.sqlite-shm").unlink()
        for path in sorted(copy.rglob("*"), reverse=True):
            path.chmod(0o555 if path.is_dir() else 0o444)
        copy.chmod(0o555)
        code = f"""
import os, bookwheel
with bookwheel.open({str(tmp_path / "x")!r}) as warm:  # imports all that is needed
    len(warm), warm.check(), list(warm)
os.setuid(65534)
library = bookwheel.open({str(copy)!r})
print(len(library), "d3" in library, "late" in library, library.check(), [d.id for d in library][-1])
"""
        told = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert told.stdout.strip() == "20 False True [] late", told
    finally:
        copy.chmod(0o755)
        for path in copy.rglob("*"):
            path.chmod(0o755)
        shutil.rmtree(copy)
