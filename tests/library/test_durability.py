"""Killed at any call of a commit or at any instant, nothing is missing once the command was run again."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pytest
from crash_kit import State, assert_sound, change, child, fill, ranked, remove, state
from system_calls import calls, compiled, recording

import bookwheel
import bookwheel.library.intake as intake
import bookwheel.library.writer as writing
from bookwheel import Document, LibraryLocked
from bookwheel.library import lock
from bookwheel.library.database import Database
from bookwheel.library.lock import WriterLock
from bookwheel.library.manifest import Manifest

PARTS = ("index", "update", "remove", "compact", "distinct", "create")


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]], python: str, child_environment: dict[str, str]
) -> Stage:
    return Stage(tmp_path_factory.mktemp("durability"), prose, python, child_environment)


class Stage:
    """Libraries and folders to begin with, and what undisturbed commands make of them."""

    def __init__(self, place: Path, prose: list[tuple[str, str]], python: str, environment: dict[str, str]) -> None:
        self.place, self.python, self.environment = place, python, environment
        self.folder = place / "folder"
        fill(self.folder, prose, 120)
        shutil.copytree(self.folder, place / "original")
        self.recorder = compiled(place)
        self.library = place / "library"
        self.states: dict[str, State] = {"create": {}}
        self.rankings: dict[str, list[list[tuple[float, str, int]]]] = {}
        self.total: dict[str, int] = {}
        self.commits: dict[str, list[int]] = {}
        self.starts: dict[str, Path] = {}
        self.seconds: dict[str, float] = {}
        for part in PARTS:
            self.starts[part] = place / f"before-{part}"
            if self.library.exists() and part != "create":
                shutil.copytree(self.library, self.starts[part])
            library = self.library if part != "create" else place / "created"
            if part == "update":
                change(self.folder)
                shutil.copytree(self.folder, place / "changed")
            log = place / f"log-{part}"
            with self.start(part, library, recording(self.recorder, library, log)) as process:
                began = time.monotonic()
                assert process.wait() == 0
                self.seconds[part] = time.monotonic() - began
            every = list(calls(log))
            self.total[part] = len(every)
            self.commits[part] = [n + 1 for n, call in enumerate(every) if call.other.endswith("/manifest.json")]
            self.states[part] = state(library)
            if part != "create":
                self.rankings[part] = ranked(library)

    def start(self, part: str, library: Path, extra: dict[str, str] | None = None) -> subprocess.Popen[str]:
        step = {"update": "index", "create": "made"}.get(part, part)
        return child(self.python, {**self.environment, **(extra or {})}, library, self.folder, self.place / "marks", step)

    def finish(self, part: str, path: Path) -> None:
        """Run the same command again, in this process and undisturbed."""
        if part in ("index", "update", "distinct", "create"):
            library = bookwheel.open(path, create=True, language="english", words=60)
            if part != "create":
                library.index(self.folder, distinct=part == "distinct")
        else:
            library = bookwheel.open(path)
            if part == "remove":
                remove(library, self.folder)
            else:
                library.compact()
        library.close()

    def lay_folder(self, part: str) -> None:
        """Give the folder the contents that ``part`` begins with."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.place / ("original" if part == "index" else "changed"), self.folder)

    def before(self, part: str) -> State:
        at = PARTS.index(part)
        return {} if part in ("index", "create") else self.states[PARTS[at - 1]]


def killed(stage: Stage, part: str, path: Path, dice: random.Random) -> bool:
    """Run a command on a copy and kill it, at a call near a commit or at any instant; whether it was killed in time."""
    if stage.starts[part].exists():
        shutil.copytree(stage.starts[part], path)
    if dice.random() < 0.7:
        total = stage.total[part]
        near = dice.choice(stage.commits[part]) + dice.randint(-12, 12) if dice.random() < 0.7 else dice.randint(1, total)
        with stage.start(part, path, recording(stage.recorder, path, kill=min(max(near, 1), total))) as process:
            process.wait()
    else:
        with stage.start(part, path) as process:
            time.sleep(dice.uniform(0, stage.seconds[part]))
            process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("part", "kills"),
    [
        *[(part, count) for part, count in zip(PARTS, (3, 3, 2, 2, 2, 2), strict=True)],
        *[pytest.param(part, 100, marks=pytest.mark.slow) for part in PARTS],
    ],
)
def test_killed_and_run_again_nothing_is_missing(stage: Stage, part: str, kills: int, tmp_path: Path) -> None:
    dice = random.Random(f"{part} {kills}")
    stage.lay_folder(part)
    late = 0
    for number in range(kills):
        path = tmp_path / f"killed{number}"
        late += not killed(stage, part, path, dice)
        if (path / "manifest.json").exists():
            assert_sound(path, stage.before(part), stage.states[part])
        stage.finish(part, path)
        assert state(path) == stage.states[part]
        if part != "create":
            assert ranked(path) == stage.rankings[part]
        with bookwheel.open(path) as library:
            assert library.check() == []
        shutil.rmtree(path)
    assert late <= kills // 2, "the kills came too late to mean anything"


class Stop(BaseException):
    """Stands for a kill: nothing that the writer would do afterwards is done."""


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Stop the process's writing right after so many commits."""
    write = Manifest.write

    def set_up(commits: int) -> None:
        left = [commits]

        def counted(manifest: Manifest, library: Path) -> None:
            write(manifest, library)
            left[0] -= 1
            if left[0] == 0:
                raise Stop

        monkeypatch.setattr(Manifest, "write", counted)

    yield set_up
    monkeypatch.undo()


@pytest.mark.parametrize("commits", [1, 2, 3])
def test_a_source_is_complete_with_its_last_document_only(
    commits: int, tmp_path: Path, stop_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file among the first fills segments while the others still wait."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for n in range(120):
        (folder / f"n{n:03d}.txt").write_text(f"The note of day {n} tells of a walk by the river and of {n} herons.")
    (folder / "n002-book.txt").write_text("\n\n".join(f"Chapter {n} of the book is about the river." for n in range(4000)))
    library = bookwheel.open(tmp_path / "lib", create=True, encoder=None)
    stop_after(commits)
    monkeypatch.setattr(intake, "BATCH_PASSAGES", 64)
    monkeypatch.setattr(writing, "COMMIT_SECONDS", 0.0)
    with pytest.raises(Stop):
        library.index(folder)
    monkeypatch.undo()
    with bookwheel.open(tmp_path / "lib") as again:
        report = again.index(folder)
        assert again.check() == []
        assert report.added + report.unchanged == 121
        assert len(state(tmp_path / "lib")) == 121


def test_an_update_keeps_the_old_version_until_the_new_one_is_committed(
    tmp_path: Path, stop_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = [Document(f"d{n}", f"The first version of document {n} is about owls. " * 20) for n in range(60)]
    newer = [Document(doc.id, doc.text.replace("first", "second")) for doc in docs]
    bookwheel.open(tmp_path / "lib", create=True, encoder=None).add(docs)
    old, new = [{("-", doc.id): ("", doc.text) for doc in some} for some in (docs, newer)]
    monkeypatch.setattr(intake, "BATCH_PASSAGES", 7)
    monkeypatch.setattr(writing, "COMMIT_SECONDS", 0.0)
    for commits in range(1, 6):
        shutil.copytree(tmp_path / "lib", path := tmp_path / f"copy{commits}")
        stop_after(commits)
        with pytest.raises(Stop):
            bookwheel.open(path).add(newer)
        monkeypatch.undo()
        monkeypatch.setattr(intake, "BATCH_PASSAGES", 7)
        monkeypatch.setattr(writing, "COMMIT_SECONDS", 0.0)
        assert_sound(path, old, new)
        assert len(state(path)) == 60


@pytest.mark.parametrize("statement", ["INSERT INTO sources", "UPDATE sources SET size"])
def test_a_source_is_never_without_its_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    """A kill right after a statement that is a transaction of its own leaves rows that are sound."""
    (tmp_path / "a.txt").write_text("A heron stands.")
    library = bookwheel.open(tmp_path / "lib", create=True, encoder=None)
    library.index(tmp_path / "a.txt")
    os.utime(tmp_path / "a.txt", (1, 1))
    (tmp_path / "b.txt").write_text("An ibis walks.")
    execute = Database.execute

    def stopping(self: Database, sql: str, *rest: Any, **options: Any) -> Any:
        found = execute(self, sql, *rest, **options)
        if sql.startswith(statement):
            raise Stop
        return found

    monkeypatch.setattr(Database, "execute", stopping)
    with pytest.raises(Stop):
        library.index([tmp_path / "a.txt", tmp_path / "b.txt"])
    monkeypatch.undo()
    with bookwheel.open(tmp_path / "lib") as again:
        assert again.check() == []


def test_messages_with_equal_ids_in_one_mailbox_stay_when_it_changes(tmp_path: Path) -> None:
    box = tmp_path / "mails.mbox"

    def mail(name: str, text: str) -> str:
        return f"From a@example.org Mon Nov  2 10:00:00 2026\nMessage-ID: <{name}@example.org>\nSubject: birds\n\n{text}\n\n"

    mails = [mail("same", f"Version {n} of the mail is about owls.") for n in range(3)]
    box.write_text("".join(mails))
    library = bookwheel.open(tmp_path / "lib", create=True, encoder=None)
    library.index(box)
    texts = sorted(d.text for d in library)
    assert any("Version 0" in text for text in texts)
    box.write_text("".join([*mails, mail("other", "A mail about bees.")]))
    report = library.index(box)
    assert (report.added, report.updated, report.unchanged, report.removed) == (1, 0, len(texts), 0)
    after = [d.text for d in library]
    assert len(after) == len(texts) + 1
    assert set(texts) < set(after)


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bookwheel.documents.isolated.reading as reading

    file = tmp_path / "note.txt"
    file.write_text("A heron stood in the river.")
    library = bookwheel.open(tmp_path / "lib", create=True, encoder=None)
    read = reading.read

    def slow(source, fields):  # type: ignore[no-untyped-def]
        yield from read(source, fields)
        stamp = file.stat().st_mtime_ns
        file.write_text("A quokka sat in the meadow.")
        os.utime(file, ns=(stamp, stamp + 1))

    monkeypatch.setattr(reading, "read", slow)
    library.index(file)
    monkeypatch.undo()
    library.index(file)
    assert [d.text for d in library] == ["A quokka sat in the meadow."]


def test_an_interruption_while_documents_wait_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C before the first 256 documents have been seen."""
    import bookwheel.documents.isolated.reading as reading

    folder = tmp_path / "folder"
    folder.mkdir()
    for n in range(100):
        (folder / f"n{n:03d}.txt").write_text(f"Document {n} is about herons.")
    read = reading.read

    def interrupted(source, fields):  # type: ignore[no-untyped-def]
        if source.path.endswith("n050.txt"):
            os.kill(os.getpid(), signal.SIGINT)
        yield from read(source, fields)

    monkeypatch.setattr(reading, "read", interrupted)
    library = bookwheel.open(tmp_path / "lib", create=True, encoder=None)
    with pytest.raises(KeyboardInterrupt):
        library.index(folder)
    assert 50 <= len(state(tmp_path / "lib")) <= 51
    monkeypatch.undo()
    report = library.index(folder)
    assert report.added + report.unchanged == 100
    assert len(state(tmp_path / "lib")) == 100


@pytest.mark.parametrize("names", [["writer.lock"], ["writer.lock", "documents.sqlite"], ["manifest.json.new", "writer.lock"]])
def test_a_library_that_was_being_made_can_be_made(names: list[str], tmp_path: Path) -> None:
    path = tmp_path / "lib"
    path.mkdir()
    for name in names:
        (path / name).touch()
    with pytest.raises(bookwheel.LibraryNotFound, match="there is no library"):
        bookwheel.open(path)
    bookwheel.open(path, create=True, encoder=None).add([Document("a", "A heron.")])
    assert len(state(path)) == 1


def test_a_folder_with_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lib"
    path.mkdir()
    (path / "documents.sqlite").touch()
    (path / "thesis.txt").touch()
    with pytest.raises(bookwheel.StorageError, match="other files"):
        bookwheel.open(path, create=True)


def test_documents_without_a_manifest_are_not_taken_for_an_unfinished_library(tmp_path: Path) -> None:
    path = tmp_path / "lib"
    bookwheel.open(path, create=True, encoder=None).add([Document("a", "A heron.")])
    (path / "manifest.json").unlink()
    shutil.rmtree(path / "segments")
    with pytest.raises(bookwheel.LibraryDamaged, match=r"manifest\.json is missing"):
        bookwheel.open(path, create=True)


def test_leftovers_are_cleared_before_the_database_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that an interrupted command filled has room again as soon as any command that writes begins."""
    path = tmp_path / "lib"
    bookwheel.open(path, create=True, encoder=None).add([Document("a", "A heron.")])
    left = path / "segments" / "000009"
    left.mkdir()
    (left / "big.npy").write_bytes(bytes(1 << 20))

    def full(*_: object, **__: object) -> None:
        raise bookwheel.StorageError("the disk is full")

    monkeypatch.setattr(writing, "Store", full)
    with pytest.raises(bookwheel.StorageError, match="full"):
        bookwheel.open(path).remove("a")
    assert not left.exists()


def test_only_folders_that_a_library_makes_are_cleared(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "lib", tmp_path / "home"
    bookwheel.open(path, create=True, encoder=None).add([Document("a", "A heron.")])
    (elsewhere / "000007").mkdir(parents=True)
    (path / "segments" / "000008").symlink_to(elsewhere / "000007")
    (path / "segments" / "mine").mkdir()
    bookwheel.open(path).configure(k1=0.9)
    assert (elsewhere / "000007").is_dir()
    assert (path / "segments" / "mine").is_dir()
    shutil.move(path / "segments", elsewhere / "segments")
    (path / "segments").symlink_to(elsewhere / "segments")
    with pytest.raises(bookwheel.LibraryDamaged, match="symbolic link"):
        bookwheel.open(path).configure(k1=1.0)
    assert (elsewhere / "segments" / "mine").is_dir()


@pytest.mark.parametrize("name", ["writer.lock", "manifest.json.new", "recipes.json.new", "recipes.json.lock"])
def test_a_link_in_a_library_does_not_overwrite_what_it_leads_to(name: str, tmp_path: Path) -> None:
    path, precious = tmp_path / "lib", tmp_path / "precious"
    library = bookwheel.open(path, create=True, encoder=None)
    library.add([Document("a", "A heron.")])
    precious.write_text("a thesis")
    (path / name).unlink(missing_ok=True)
    (path / name).symlink_to(precious)
    for act in (lambda: library.configure(k1=0.9), lambda: library.save_recipe("mine", "bm25")):
        with suppress(bookwheel.LibraryDamaged):  # told, or replaced without harm
            act()
    assert precious.read_text() == "a thesis"


def _save(path: Path, number: int) -> None:
    with bookwheel.open(path) as library:
        for n in range(5):
            library.save_recipe(f"mine{number}_{n}", "bm25 % 10")


def test_recipes_saved_at_once_all_stay(tmp_path: Path) -> None:
    path = tmp_path / "lib"
    bookwheel.open(path, create=True, encoder=None).add([Document("a", "A heron.")])
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_save, args=(path, number)) for number in range(3)]
    threads = [threading.Thread(target=_save, args=(path, number)) for number in (3, 4)]
    for worker in (*processes, *threads):
        worker.start()
    for worker in (*processes, *threads):
        worker.join()
    assert len(bookwheel.open(path).recipes) == 25


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_does_not_keep_the_lock_of_a_dead_parent(tmp_path: Path) -> None:
    path = tmp_path / "lib"
    bookwheel.open(path, create=True, encoder=None)
    reading, writing_end = os.pipe()
    parent = os.fork()
    if not parent:
        WriterLock(path).__enter__()
        child_ = os.fork()
        if not child_:
            time.sleep(30)
            os._exit(0)
        os.write(writing_end, str(child_).encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)
    orphan = int(os.read(reading, 20))
    try:
        with WriterLock(path):
            pass
    finally:
        os.kill(orphan, signal.SIGKILL)


def test_a_locked_library_says_who_holds_it_since_when(tmp_path: Path) -> None:
    path = tmp_path / "lib"
    bookwheel.open(path, create=True, encoder=None)
    with WriterLock(path), pytest.raises(LibraryLocked, match=rf"process {os.getpid()} .* since 20\d\d-"):
        bookwheel.open(path).configure(k1=0.9)


def test_a_lock_is_had_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first index filled the disk: a command that makes room must still get the lock."""
    path = tmp_path / "lib"
    bookwheel.open(path, create=True, encoder=None)
    opened = lock._opened

    class Full:
        def __init__(self, file: IO[Any]) -> None:
            self._file = file

        def write(self, _: bytes) -> None:
            raise OSError(28, "No space left on device")

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    monkeypatch.setattr(lock, "_opened", lambda *given: Full(opened(*given)))
    with lock.WriterLock(path), pytest.raises(LibraryLocked):
        lock.WriterLock(path).__enter__()
