"""A file that is renamed is found by its new name, and embeds nothing: what encoders made of it goes with it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from vectors_encoders import Rotated, Weighted, Words

import bookwheel
from bookwheel.encode.protocols import TokenVectors
from bookwheel.encode.static.built_in import StaticEncoder
from bookwheel.library import run

LATE = "A crane came late, and stands in the reeds."
BIRDS = ("heron", "kite", "owl", "swift", "wren", "crane", "stork", "robin")


class Counted(Words):
    """`Words` that keep what they encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> TokenVectors:
        self.encoded += texts
        return super().encode(texts)


class Shelf:
    """A folder with its library, which has an encoder of each kind beside its own."""

    def __init__(self, base: Path, built_in: list[int]) -> None:
        self.folder, self.built_in = base / "files", built_in
        (self.folder / "sub").mkdir(parents=True)
        self.write("note one.txt", " ".join(f"A heron stands in reed {n}, and a kite is over it." for n in range(120)))
        self.write("sub/owl.py", "def owl():\n    return 'swift'\n")
        self.write("page.md", "Some words about a wren, without a heading.\n")
        self.write("other.txt", "A crane and a stork.")
        self.zip({"in/robin.txt": "The robin sings.", "in/wren.txt": "The wren hides."})
        self.library = bookwheel.open(base / "library", create=True)
        self.library.index(self.folder)
        self.added = Rotated(), Weighted(), Counted()
        for name, kind, encoder in zip(("own", "terms", "words"), ("dense", "sparse", "tokens"), self.added, strict=True):
            self.library.add_encoder(name, encoder, kind=kind)
        self.library.embed()
        assert min(len(one.encoded) for one in self.added) == self.library.passage_count > 6

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def zip(self, members: dict[str, str]) -> None:
        with zipfile.ZipFile(self.folder / "z.zip", "w") as archive:
            for name, text in members.items():
                archive.writestr(name, text)

    def found(self) -> dict[str, list[tuple[str, float, str]]]:
        """Scores and texts of what some queries find by vectors; equal scores are in no order."""
        return {
            recipe: sorted(
                (query, round(one.score, 5), one.text)
                for query in BIRDS
                for one in self.library.search(query, 20, recipe=recipe)
            )
            for recipe in ("dense", "own", "terms", "dense >> interpolate(words, 0.5)")
        }

    def encoded_by(self, change: Callable[[], object]) -> tuple[int, ...]:
        """What the encoders encode after ``change``: calls of the built-in one, texts of the others."""
        change()
        self.built_in.clear()
        before = [len(one.encoded) for one in self.added]
        self.report = self.library.index(self.folder)
        calls = len(self.built_in)
        self.library.embed()
        return calls, *(len(one.encoded) - count for one, count in zip(self.added, before, strict=True))


NOTHING = 0, 0, 0, 0


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    calls: list[int] = []
    for name in ("encode", "encode_words"):
        real = getattr(StaticEncoder, name)
        monkeypatch.setattr(StaticEncoder, name, lambda self, *given, _real=real: calls.append(1) or _real(self, *given))
    found = Shelf(tmp_path, calls)
    yield found
    assert found.library.check() == []
    found.library.close()


def rename(old: str, new: str) -> Callable[[Shelf], object]:
    return lambda shelf: (shelf.folder / old).rename(shelf.folder / new)


RENAMES = {
    "a text": (rename("note one.txt", "pond.txt"), "pond"),
    "a text, elsewhere": (rename("note one.txt", "sub/pond.txt"), "pond"),
    "a text, read in another way": (rename("other.txt", "pond.md"), "pond"),
    "code, whose title is its path": (rename("sub/owl.py", "pond.py"), "pond"),
    "markup without a heading": (rename("page.md", "pond.md"), "pond"),
    "a folder": (rename("sub", "pond"), "pond"),
    "an archive": (rename("z.zip", "y.zip"), "robin"),
    "a file of an archive": (lambda shelf: shelf.zip({"in/pond.txt": "The robin sings.", "in/wren.txt": "The wren hides."}), "pond"),
    "over another file": (rename("note one.txt", "other.txt"), "other"),
}  # fmt: skip


@pytest.mark.parametrize("case", RENAMES)
def test_a_rename_embeds_nothing(shelf: Shelf, case: str) -> None:
    change, name = RENAMES[case]
    before = shelf.found()
    assert shelf.encoded_by(lambda: change(shelf)) == NOTHING
    assert shelf.report.moved >= 1
    if case == "over another file":
        assert not any("stork" in document.text for document in shelf.library)
    else:
        assert shelf.found() == before
    assert shelf.library.search(name, recipe="bm25")
    assert {Path(one.source).exists() or ".zip/" in one.source for one in shelf.library} == {True}
    shelf.library.compact()
    assert shelf.encoded_by(lambda: None) == NOTHING
    fresh = bookwheel.open(shelf.folder.parent / "fresh", create=True, encoder=None)
    fresh.index(shelf.folder)
    assert {(one.id, one.title, one.text) for one in fresh} == {(one.id, one.title, one.text) for one in shelf.library}


def test_a_rename_that_a_watch_names(shelf: Shelf) -> None:
    old, new = shelf.folder / "note one.txt", shelf.folder / "pond.txt"
    old.rename(new)
    shelf.built_in.clear()
    report = shelf.library.index(shelf.folder, only=[old, new])
    assert (report.moved, report.updated, report.removed, shelf.built_in) == (1, 1, 0, [])
    assert {one.encoded for one in shelf.library.embed()} == {0}


def test_many_renames_at_once(shelf: Shelf) -> None:
    def change() -> None:
        for number, path in enumerate(sorted(shelf.folder.glob("*.*"))):
            path.rename(shelf.folder / f"new {number}{path.suffix}")

    before = shelf.found()
    assert shelf.encoded_by(change) == NOTHING
    assert (shelf.report.moved, shelf.report.added, shelf.report.removed) == (5, 0, 0)
    assert shelf.found() == before


def test_what_changed_is_embedded_and_what_was_renamed_meanwhile_is_not(shelf: Shelf) -> None:
    def change() -> None:
        rename("note one.txt", "pond.txt")(shelf)
        shelf.write("other.txt", "A stork, and no crane.")
        rename("other.txt", "both.txt")(shelf)

    calls, *others = shelf.encoded_by(change)
    assert others[1:] == [1, 1]  # the first fits a line on queries that it encodes
    assert calls


def test_a_run_that_was_ended_after_the_move_loses_no_vector(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: object, **__: object) -> int:
        raise MemoryError

    rename("note one.txt", "pond.txt")(shelf)
    with monkeypatch.context() as patch:
        patch.setattr(run.Run, "store", end)
        with pytest.raises(MemoryError):
            shelf.library.index(shelf.folder)
    assert shelf.encoded_by(lambda: None) == NOTHING
    assert shelf.library[str(shelf.folder / "pond.txt")].title == "pond"


def test_what_a_search_has_embedded_is_kept(shelf: Shelf) -> None:
    shelf.write("late.txt", LATE)
    shelf.library.index(shelf.folder)
    shelf.library.search("crane late", recipe="bm25 >> interpolate(own, 0.5)")
    rename("late.txt", "pond.txt")(shelf)
    shelf.library.index(shelf.folder)
    shelf.library.search("crane late", recipe="bm25 >> interpolate(own, 0.5)")
    shelf.library.embed("own")
    assert [text for text in shelf.added[0].encoded if "came late, and" in text] == [f"late\n{LATE}"]
