"""Near-duplicates are left out while indexing, told with their originals, and come back when those go or when nobody asks."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

import bookwheel
import bookwheel.library.intake as intake
import bookwheel.library.writer as writing
from bookwheel import Document, Library
from bookwheel.documents.duplicates import resemblance, signature
from bookwheel.index import signatures as runs
from bookwheel.library.distinct.comparing import ALIKE
from bookwheel.library.manifest import Manifest

WORDS = [f"{a}{b}" for a in ("bar", "cor", "dun", "fel", "gor", "hin", "jas", "kel", "lum", "mon") for b in "abcdefghijkl"]


def prose(family: int, version: int = 0) -> str:
    """A text of 90 words; those of one family differ in one word each."""
    dice = random.Random(family)
    words = [dice.choice(WORDS) for _ in range(90)]
    if version:
        words[(7 * version) % 90] = f"version{version}"
    return " ".join(words)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return bookwheel.open(tmp_path / "lib", create=True, encoder=None)


def living(library: Library) -> dict[str, str]:
    """Names and texts."""
    return {Path(document.id).name: document.text.strip() for document in library}


def copies(library: Library) -> dict[str, str | None]:
    """What was left out, and what each is a copy of."""
    return {Path(one.id).name: one.original and Path(one.original).name for one in library.copies()}


def test_copies_are_left_out_told_and_brought_back(library: Library, folder: Path) -> None:
    for name, text in {"a": prose(1), "b": prose(1, 1), "c": prose(2), "d": prose(1)}.items():
        (folder / f"{name}.txt").write_text(text)
    (folder / "records.jsonl").write_text(
        "".join(json.dumps({"id": f"r{n}", "text": prose(n % 3, n)}) + "\n" for n in range(6))
    )
    report = library.index(folder, distinct=True)
    assert (report.added, report.copies) == (3, 7)
    assert set(living(library)) == {"a.txt", "c.txt", "r0"}
    assert copies(library) == {
        "b.txt": "a.txt", "d.txt": "a.txt", "r1": "a.txt", "r2": "c.txt", "r3": "r0", "r4": "a.txt", "r5": "c.txt"
    }  # fmt: skip
    assert [(one.id, one.original) for one in report.copied] == [(one.id, one.original) for one in library.copies()]
    assert all(one.resemblance >= ALIKE for one in report.copied)
    assert report.skipped == {"near-duplicates of other documents": 2}  # the two files that gave no document
    assert library.info().copies == 7
    again = library.index(folder, distinct=True)
    assert (again.added, again.unchanged, again.copies, again.files) == (0, 3, 7, 0)
    back = library.index(folder)
    assert (back.added, back.unchanged, back.copies) == (7, 3, 0)
    assert len(living(library)) == 10
    assert copies(library) == {}
    once_more = library.index(folder, distinct=True)
    assert (once_more.removed, once_more.copies, once_more.unchanged) == (7, 7, 3)
    assert library.check() == []


def test_a_new_version_is_no_copy_of_the_old_one(library: Library, folder: Path) -> None:
    (folder / "a.txt").write_text(prose(1))
    (folder / "box.jsonl").write_text(json.dumps({"id": "x", "text": prose(2)}) + "\n")
    library.index(folder, distinct=True)
    (folder / "a.txt").write_text(prose(1, 1))
    (folder / "box.jsonl").write_text(json.dumps({"id": "another", "text": prose(2, 1)}) + "\n")
    report = library.index(folder, distinct=True)
    assert (report.updated, report.added, report.removed, report.copies) == (1, 1, 1, 0)
    assert living(library) == {"a.txt": prose(1, 1), "another": prose(2, 1)}


def test_of_one_file_the_first_is_kept_in_whatever_order_it_is_written(library: Library, folder: Path) -> None:
    def lines(*texts: str) -> None:
        (folder / "box.jsonl").write_text("".join(json.dumps({"id": t[-50:] + t[:90], "text": t}) + "\n" for t in texts))

    one, other = prose(1, 1), prose(1, 2)
    lines(one, prose(2), other)
    library.index(folder, distinct=True)
    assert one in living(library).values()
    lines(other, prose(2), one)
    report = library.index(folder, distinct=True)
    assert sorted(living(library).values()) == sorted([other, prose(2)])
    assert report.copies == 1


@pytest.mark.parametrize("how", ["changed", "gone", "changed, and the copy's file too"])
def test_what_an_original_leaves_comes_back_in_the_same_run(library: Library, folder: Path, how: str) -> None:
    (folder / "b.txt").write_text(prose(1))
    library.index(folder, distinct=True)
    (folder / "a.txt").write_text(prose(1, 1))  # read before its original
    (folder / "c.txt").write_text(prose(1, 2))
    assert library.index(folder, distinct=True).copies == 2
    if how == "gone":
        (folder / "b.txt").unlink()
    else:
        (folder / "b.txt").write_text(prose(9))
    if how.endswith("too"):
        (folder / "a.txt").write_text(prose(1, 3))
    report = library.index(folder, distinct=True)
    assert report.added == 1
    assert report.copies == 1
    assert report.notes == []
    assert copies(library) == {"c.txt": "a.txt"}
    assert set(living(library)) == {"a.txt"} | (set() if how == "gone" else {"b.txt"})


def test_without_being_read_again_copies_of_what_went_are_told(library: Library, folder: Path, tmp_path: Path) -> None:
    (folder / "a.txt").write_text(prose(1))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.txt").write_text(prose(1, 1))
    library.index([folder, tmp_path / "other"], distinct=True)
    library.remove(folder / "a.txt")
    assert [(Path(one.id).name, one.original) for one in library.copies(orphans=True)] == [("b.txt", None)]
    assert library.info().orphans == 1
    (folder / "a.txt").unlink()
    report = library.index(folder, distinct=True)
    assert "left out as near-duplicates of documents that are gone: 1 " in report.notes[0]
    report = library.index(tmp_path / "other")
    assert (report.added, report.notes) == (1, [])


def test_what_a_program_adds(library: Library) -> None:
    report = library.add([Document(f"d{n}", prose(n % 4, n)) for n in range(8)], distinct=True)
    assert (report.added, report.copies) == (4, 4)
    report = library.add([Document("d1", prose(50)), Document("d9", prose(1, 9))], distinct=True)
    assert (report.updated, report.copies) == (1, 0)  # d1 had changed before d9 came
    assert "'d5'" in report.notes[0]
    assert "add them again to have them back" in report.notes[0]
    assert library.add([Document("d5", prose(1, 5))]).notes == []
    assert copies(library) == {"d4": "d0", "d6": "d2", "d7": "d3"}


def test_documents_from_before_count_whatever_became_of_the_files(library: Library, folder: Path) -> None:
    (folder / "a.txt").write_text(prose(1))
    library.index(folder)
    library.add([Document("b", prose(1, 1)), Document("c", prose(2))], distinct=True)
    assert set(living(library)) == {"a.txt", "c"}


def test_texts_without_words_are_never_copies(library: Library) -> None:
    report = library.add([Document("a", "…"), Document("b", "…"), Document("c", "!!")], distinct=True)
    assert (report.added, report.copies) == (3, 0)


def test_damaged_signatures_are_made_anew(library: Library, folder: Path) -> None:
    (folder / "a.txt").write_text(prose(1))
    library.index(folder, distinct=True)
    (run,) = (library.path / "signatures").iterdir()
    (run / "order.npy").write_bytes(b"")
    assert any("order.npy" in problem for problem in library.check())
    (folder / "b.txt").write_text(prose(1, 1))
    report = library.index(folder, distinct=True)
    assert report.copies == 1
    assert "made anew" in report.notes[0]
    assert library.check() == []


def test_a_compaction_forgets_what_was_removed(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "RECENT", 5)
    library.add([Document(f"d{n}", prose(n)) for n in range(12)], distinct=True)
    library.remove(["d3", "d4"])
    library.compact()
    (entry,) = Manifest.read(library.path).signatures
    assert entry.documents == 10
    assert len(list((library.path / "signatures").iterdir())) == 1
    report = library.add([Document("e", prose(3, 1)), Document("f", prose(5, 1))], distinct=True)
    assert (report.added, report.copies) == (1, 1)
    assert library.check() == []


def test_a_copied_library_can_go_on(library: Library, tmp_path: Path) -> None:
    from bookwheel.library.copying import copy_library

    library.add([Document("a", prose(1))], distinct=True)
    library.refresh()
    copy_library(library, tmp_path / "copy")
    with bookwheel.open(tmp_path / "copy") as other:
        assert other.add([Document("b", prose(1, 1))], distinct=True).copies == 1
        assert other.check() == []


@pytest.mark.slow
def test_the_library_is_the_same_with_any_number_of_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bookwheel.library.workers import ahead

    monkeypatch.setattr(ahead, "DOCUMENTS", 16)
    monkeypatch.setattr(runs, "RECENT", 50)
    dice = random.Random(4)
    documents = [Document(f"d{n}", prose(dice.randrange(100), dice.randrange(5))) for n in range(400)]
    found = []
    for workers in (1, 3):
        with bookwheel.open(tmp_path / f"lib{workers}", create=True, encoder=None) as library:
            library.add(documents, distinct=True, workers=workers)
            found.append((living(library), copies(library)))
    assert found[0] == found[1]
    assert 90 < len(found[0][0]) < 110


class Folder:
    """Files of texts of a few families, changed at random."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.dice = folder, random.Random(seed)
        self.clock = 1_000_000_000

    def change(self) -> None:
        dice = self.dice
        for _ in range(dice.randint(1, 4)):
            path = self.folder / f"{dice.choice('abcdef')}.{dice.choice(['txt', 'jsonl'])}"
            if path.exists() and dice.random() < 0.3:
                path.unlink()
                continue
            texts = [
                prose(dice.randrange(4), dice.randrange(4)) for _ in range(1 if path.suffix == ".txt" else dice.randint(1, 4))
            ]
            path.write_text(
                texts[0]
                if path.suffix == ".txt"
                else "".join(json.dumps({"id": f"{dice.randrange(4)}{n}", "text": text}) + "\n" for n, text in enumerate(texts))
            )
            self.clock += 1
            os.utime(path, (self.clock, self.clock))

    def documents(self) -> set[tuple[str, str]]:
        """Path and id of each."""
        found = set()
        for path in self.folder.iterdir():
            if path.suffix == ".txt":
                found.add((str(path), str(path)))
            else:
                found |= {(str(path), json.loads(line)["id"]) for line in path.read_text().splitlines()}
        return found


def assert_distinct(library: Library, everything: set[tuple[str, str]]) -> None:
    """Each document is there, or left out as a copy of one that is; no two that are there are alike."""
    there = {(document.source, document.id): document for document in library}
    left_out = {(one.source, one.id): (one.original_source, one.original) for one in library.copies()}
    assert there.keys() | left_out.keys() == everything
    assert not there.keys() & left_out.keys()
    assert all(original in there for original in left_out.values())
    table = [signature(document.text) for document in there.values()]
    for at, one in enumerate(table):
        assert one is not None
        assert all(resemblance(other[None], one)[0] < ALIKE for other in table[:at] if other is not None)


@pytest.mark.parametrize(
    ("seed", "steps"), [(1, 12), (2, 12), *[pytest.param(n, 60, marks=pytest.mark.slow) for n in range(3, 13)]]
)
def test_whatever_changes_each_document_is_there_or_a_copy_of_one(
    library: Library, folder: Path, seed: int, steps: int
) -> None:
    files = Folder(folder, seed)
    for _ in range(steps):
        files.change()
        if files.dice.random() < 0.2 and (names := [document.id for document in library]):
            library.remove(
                [str(folder)] if files.dice.random() < 0.3 else [n for n in names if n.endswith(".txt")][:1] or [str(folder)]
            )
        if files.dice.random() < 0.25:
            library.index(folder)
            assert {(document.source, document.id) for document in library} == files.documents()
            assert library.copies() == []
        else:
            library.index(folder, distinct=True)
            assert_distinct(library, files.documents())
    assert library.check() == []


class Stop(BaseException):
    """Stands for a kill: nothing that the writer would do afterwards is done."""


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("place", ["after", "before"])
def test_killed_at_any_commit_nothing_is_lost(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch, seed: int, place: str
) -> None:
    """A kill right before and right after the manifest is replaced, at each commit of each run."""
    files = Folder(folder, seed)
    write = Manifest.write
    left = [0]

    def stopping(manifest: Manifest, path: Path) -> None:
        left[0] -= 1
        if left[0] == 0 and place == "before":
            raise Stop
        write(manifest, path)
        if left[0] == 0:
            raise Stop

    monkeypatch.setattr(Manifest, "write", stopping)
    monkeypatch.setattr(intake, "BATCH_PASSAGES", 2)
    monkeypatch.setattr(writing, "COMMIT_SECONDS", 0.0)
    monkeypatch.setattr(runs, "RECENT", 3)
    for _ in range(3):
        for _ in range(3):
            files.change()
        for commits in (1, 2, 4):
            left[0] = commits
            try:
                library.index(folder, distinct=True)
            except Stop:
                library.close()
                library = bookwheel.open(library.path)
        left[0] = 0
        library.index(folder, distinct=True)
        assert_distinct(library, files.documents())
        assert library.check() == []


def test_a_run_that_changes_nothing_makes_no_generation(library: Library, folder: Path) -> None:
    (folder / "a.txt").write_text(prose(1))
    (folder / "b.txt").write_text(prose(1, 1))
    library.index(folder, distinct=True)
    generation = library.info().generation
    assert library.index(folder, distinct=True).copies == 1
    assert library.info().generation == generation
    library.add([Document("c", prose(1, 2))], distinct=True)  # this one noted a copy, and nothing else
    assert library.info().generation > generation
    assert copies(library) == {"b.txt": "a.txt", "c": "a.txt"}
