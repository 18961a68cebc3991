"""A document that spills over several segments is there whole or not at all, and its old version until then, whatever happens."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path

import pytest
from crash_kit import State, assert_sound, child, ranked, state
from system_calls import Call, Disk, calls, compiled, laid_out, recording

import bookwheel

LEAST = 5
"""Segments that the document spills over."""


class Book:
    """A library that holds a short version of a book, a folder that holds a long one, and the calls of indexing it."""

    def __init__(self, place: Path, prose: list[tuple[str, str]], python: str, environment: dict[str, str]) -> None:
        self.place, self.python, self.environment = place, python, environment
        self.folder, self.root = place / "folder", place / "root"
        self.library = self.root / "library"
        self.folder.mkdir()
        self.root.mkdir()
        self.recorder = compiled(place)
        for number, (title, text) in enumerate(prose[:8]):
            (self.folder / f"n{number}.txt").write_text(f"{title}\n\n{text}")
        book = self.folder / "n4-book.txt"
        book.write_text("A short version of the book, about owls.")
        self.before = self._run("index")
        self.earlier = self.calls
        shutil.copytree(self.library, place / "start")
        book.write_text("\n\n".join(text for _, text in prose[:250]))
        (self.folder / "n5.txt").write_text("Another version of the fifth file.")
        self.after = self._run("book")
        self.rankings = ranked(self.library)
        renames = [at for at, call in enumerate(self.calls) if call.other.endswith("/manifest.json")]
        made = {at: Path(call.path) for at, call in enumerate(self.calls) if call.what == "m"}
        segments = [at for at, path in made.items() if path.parent.name == "segments"]
        # Those between two commits, the most of all: the pieces of the book.
        spans = list(zip([0, *renames], [*renames, len(self.calls)], strict=True))
        self.first, self.commit = max(spans, key=lambda span: sum(span[0] < at < span[1] for at in segments))
        assert sum(self.first < at < self.commit for at in segments) >= LEAST, "the book spills over several segments"

    def _run(self, step: str) -> State:
        log = self.place / f"log-{step}"
        environment = {**self.environment, **recording(self.recorder, self.root, log)}
        with child(self.python, environment, self.library, self.folder, self.place / "marks", step) as process:
            assert process.wait() == 0
        self.calls: list[Call] = list(calls(log))
        shutil.copytree(self.library, copy := self.place / "copy")  # reading may tidy up, which is not in the record
        found = state(copy)
        shutil.rmtree(copy)
        return found

    def somewhere(self, dice: random.Random) -> int:
        """A call while the book is written, or near its commit."""
        return dice.randint(self.first + 1, self.commit) if dice.random() < 0.7 else self.commit + dice.randint(-8, 8)

    def assert_one_version(self, path: Path) -> None:
        assert_sound(path, self.before, self.after)
        book = next(key for key in self.after if key[1].endswith("n4-book.txt"))
        now = state(path)
        assert now[book] in (self.before[book], self.after[book])
        with bookwheel.open(path) as library:
            long = now[book] == self.after[book]
            assert library.passage_count > 100 if long else library.passage_count < 100
            assert bool(library.search("owls short version", 1, recipe="bm25", where='id like "book"')) or long


@pytest.fixture(scope="module")
def book(
    tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]], python: str, child_environment: dict[str, str]
) -> Book:
    return Book(tmp_path_factory.mktemp("book"), prose, python, child_environment)


@pytest.mark.parametrize("kills", [3, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_in_the_middle_of_it(book: Book, tmp_path: Path, kills: int) -> None:
    dice = random.Random(kills)
    for number in range(kills):
        path = tmp_path / f"killed{number}"
        shutil.copytree(book.place / "start", path)
        environment = {**book.environment, **recording(book.recorder, path, kill=book.somewhere(dice) + 1)}
        with child(book.python, environment, path, book.folder, book.place / "marks", "book") as process:
            process.wait()
        assert process.returncode == -signal.SIGKILL
        book.assert_one_version(path)
        with bookwheel.open(path) as library:
            library.index(book.folder)
            assert library.check() == []
        assert state(path) == book.after
        assert ranked(path) == book.rankings
        shutil.rmtree(path)


@pytest.mark.parametrize("cuts", [3, pytest.param(200, marks=pytest.mark.slow)])
def test_power_cuts_in_the_middle_of_it(book: Book, tmp_path: Path, cuts: int) -> None:
    dice = random.Random(cuts)
    disk = Disk()
    for call in book.earlier:
        disk.apply(call)
    at = done = 0
    for place in sorted(min(book.somewhere(dice), len(book.calls)) for _ in range(cuts)):
        while at < place:
            disk.apply(book.calls[at])
            at += 1
        for how in ("synced", "names", "some"):
            laid_out(disk.cut(how, done), book.root, target := tmp_path / "cut")
            book.assert_one_version(target / "library")
            with bookwheel.open(target / "library") as library:
                library.index(book.folder)
                assert library.check() == []
            assert state(target / "library") == book.after
            shutil.rmtree(target)
            done += 1
