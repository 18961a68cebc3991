"""Whatever writers, readers, threads and processes do between one another, every answer is that of one committed generation."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document, Library, LibraryChanged, LibraryError

RECIPES = ("bm25", "dense", "hybrid")
Model = dict[str, str]


class World:
    """A library with what each of its generations holds, and readers of any age."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self.random = random.Random(seed)
        self.generations: dict[tuple[str, int], Model] = {}
        self.current: Model = {}
        self.readers: list[Library] = []
        self.streams: list[tuple[Iterator[bookwheel.StoredDocument], list[str], list[str]]] = []
        self.counter = 0
        self.writer = self.make()

    def make(self) -> Library:
        writer = bookwheel.open(self.path, create=True, language="english")
        self.current = {}
        self.note(writer)
        return writer

    def note(self, writer: Library) -> None:
        self.generations[writer._snapshot.manifest.version] = dict(self.current)

    def text(self, name: str) -> str:
        self.counter += 1
        return f"quokka {name} version{self.counter} " + " ".join(
            self.random.choices(["alpha", "bravo", "charlie", "delta"], k=5)
        )

    # -- what writers do

    def add(self) -> None:
        names = [f"d{self.random.randrange(40)}" for _ in range(self.random.randint(1, 6))]
        new = {name: self.text(name) for name in names}
        self.writer.add([Document(name, text) for name, text in new.items()])
        self.current.update(new)

    def remove(self) -> None:
        names = self.random.sample(sorted(self.current), min(len(self.current), 3))
        if names:
            self.writer.remove(names)
            for name in names:
                del self.current[name]

    def compact(self) -> None:
        self.writer.compact()

    def configure(self) -> None:
        self.writer.configure(k1=self.random.choice([0.7, 0.9, 1.2, 1.5]))

    def create_again(self) -> None:
        self.writer.close()
        shutil.rmtree(self.path)
        self.writer = self.make()

    # -- what readers do

    def open(self) -> None:
        reader = bookwheel.open(self.path)
        reader.generation  # noqa: B018 - holds it from now on
        self.readers.append(reader)
        if len(self.readers) > 5:
            self.readers.pop(0).close()

    def reader(self) -> Library:
        if not self.readers:
            self.open()
        return self.random.choice(self.readers)

    def search(self) -> None:
        reader = self.reader()
        model = self.generations[reader._snapshot.manifest.version]
        if not model:
            return
        recipe = self.random.choice(RECIPES)
        assert {r.id: r.text for r in reader.search("quokka", 100, recipe=recipe)} == model

    def look(self) -> None:
        reader = self.reader()
        model = self.generations[reader._snapshot.manifest.version]
        assert len(reader) == reader.passage_count == len(model)
        for name in self.random.sample([f"d{n}" for n in range(40)], 5):
            assert [document.text for document in reader.get(name)] == ([model[name]] if name in model else [])

    def iterate(self) -> None:
        reader = self.reader()
        identity = reader._snapshot.manifest.version
        model = self.generations[identity]
        try:
            assert {document.id: document.text for document in reader} == model
        except LibraryChanged:
            assert identity[0] != self.writer._snapshot.manifest.id  # made anew: it says so

    def check(self) -> None:
        assert self.reader().check() == []

    def refresh(self) -> None:
        reader = self.reader()
        reader.refresh()
        assert reader._snapshot.manifest.version == self.writer._snapshot.manifest.version

    def close(self) -> None:
        self.reader().close()

    def step(self) -> None:
        chances = {
            self.add: 6, self.remove: 3, self.compact: 2, self.configure: 1, self.create_again: 0.3,
            self.open: 3, self.search: 12, self.look: 4, self.iterate: 3, self.check: 1, self.refresh: 6, self.close: 1,
        }  # fmt: skip
        (action,) = self.random.choices(list(chances), list(chances.values()))
        action()
        if action in (self.add, self.remove, self.compact, self.configure):
            # Merging and reweighing are generations of their own; every one holds the same documents.
            newest = self.writer._snapshot.manifest.version
            for generation in range(newest[1], -1, -1):
                if self.generations.setdefault((newest[0], generation), dict(self.current)) is not self.current and (
                    generation < newest[1]
                ):
                    break


@pytest.mark.parametrize("seed", [1, 2])
def test_interleavings(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path / "x", seed)
    for _ in range(150):
        world.step()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_many_interleavings(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path / "x", seed)
    for _ in range(500):
        world.step()


WRITER = """
import random, sys, bookwheel
from bookwheel import Document
path, seed, turns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)
library = bookwheel.open(path)
for turn in range(turns):
    # One commit changes all documents of a row, so that an answer with two versions is of no generation.
    library.add([Document(f"d{n}", f"quokka turn{turn} {chance.random()}", metadata={"turn": turn}) for n in range(8)])
    if chance.random() < 0.3:
        library.compact()
    if chance.random() < 0.3:
        library.configure(k1=chance.choice([0.7, 0.9, 1.2]))
"""


@pytest.mark.parametrize("turns", [25, pytest.param(400, marks=pytest.mark.slow)])
def test_threads_beside_a_writing_process(tmp_path: Path, child_environment: dict[str, str], turns: int) -> None:
    path = tmp_path / "x"
    with bookwheel.open(path, create=True, language="english") as made:
        made.add([Document(f"d{n}", "quokka turn-1", metadata={"turn": -1}) for n in range(8)])
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path), "3", str(turns)], env=child_environment)
    wrong: list[object] = []
    answers = [0]
    shared = bookwheel.open(path)

    def read(seed: int) -> None:
        chance = random.Random(seed)
        own = shared
        while process.poll() is None:
            try:
                if chance.random() < 0.2:
                    own = bookwheel.open(path)
                if chance.random() < 0.3:
                    own.refresh()
                results = own.search("quokka", 50, recipe=chance.choice(RECIPES))
                seen = [(r.id, r.metadata["turn"]) for r in results]
                if len(seen) != 8 or len({turn for _, turn in seen}) != 1:
                    wrong.append(seen)
                if chance.random() < 0.1:
                    turn_of = [document.metadata["turn"] for document in own]
                    if len(turn_of) != 8 or len(set(turn_of)) != 1:
                        wrong.append(turn_of)
                if chance.random() < 0.05 and (report := own.check()):
                    wrong.append(report)
                if own is not shared and chance.random() < 0.3:
                    own.close()
                answers[0] += 1
            except LibraryError as error:
                wrong.append(repr(error))

    threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert process.wait() == 0
    assert wrong == []
    assert answers[0] > 10
