"""Damage in rows, lists, settings and whole files: named where it is read, found by ``check``, and never the end of the rest."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document, LibraryDamaged, StorageError
from bookwheel.cli.main import main
from bookwheel.library.database_errors import meaning
from bookwheel.library.results import StoredDocument
from bookwheel.library.store import Store

Change = Callable[[sqlite3.Connection], object]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]]) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    path = folder / "lib"
    files = folder / "files"
    files.mkdir()
    for n, (title, text) in enumerate(prose[:60]):
        (files / f"f{n:02d}.txt").write_text(f"{title}\n\n{text} wheel")
    with bookwheel.open(path, create=True, language="english") as library:
        library.index(files)
        library.add(
            [Document(f"d{n}", f"{text} lock", title, {"n": n, "of": "us"}) for n, (title, text) in enumerate(prose[60:120])]
        )
        library.remove(["d3", "d4"])
        library.save_recipe("mine", "bm25")
        assert library.check() == []
    return path


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "lib")
    return tmp_path / "lib"


def alter(path: Path, sql: str, *parameters: object) -> None:
    """What a flipped bit does to a row, with SQLite's own pages and indexes still in order."""
    db = sqlite3.connect(path / "documents.sqlite")
    try:
        assert db.execute(sql, parameters).rowcount == 1, sql
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()


D7 = "(SELECT id FROM documents WHERE name = 'd7')"
ROWS = {
    "text": f"UPDATE texts SET text = replace(text, 'lock', 'loCk') WHERE document = {D7}",
    "text as bytes": f"UPDATE texts SET text = CAST(x'ff' || CAST(substr(text, 2) AS BLOB) AS TEXT) WHERE document = {D7}",
    "no text": f"DELETE FROM texts WHERE document = {D7}",
    "title": "UPDATE documents SET title = 'another' WHERE name = 'd7'",
    "name": "UPDATE documents SET name = 'd7x' WHERE name = 'd7'",
    "metadata": "UPDATE documents SET metadata = replace(metadata, '7', '8') WHERE name = 'd7'",
    "start": "UPDATE passages SET start = start + 4 WHERE id = (SELECT first FROM documents WHERE name = 'd7')",
    "places": f"UPDATE texts SET places = 77 WHERE document = {D7}",
    "passage of another": "UPDATE passages SET document = document + 1 WHERE id = (SELECT first FROM documents WHERE name = 'd7')",
    "no passage": "DELETE FROM passages WHERE id = (SELECT first FROM documents WHERE name = 'd7')",
}


@pytest.mark.parametrize("kind", ROWS)
def test_a_damaged_row_is_named_and_the_rest_goes_on(copy: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with bookwheel.open(copy) as library:
        before = library.search("lock", 100, recipe="bm25")
        whole = {document.id: document for document in library}
        passage = next(result for result in before if result.id == "d7")
        first = library["d7"].first
    alter(copy, ROWS[kind])
    with bookwheel.open(copy) as library:
        problems = library.check()
        assert any("d7" in problem or (kind == "name" and "number" in problem) for problem in problems), problems
        after = library.search("lock", 100, recipe="bm25")
        changed = [(a.id, a.text, a.title, dict(a.metadata), a.place) for a in after]
        told = [(b.id, b.text, b.title, dict(b.metadata), b.place) for b in before]
        assert [row for row in told if row[0] != "d7"] == [row for row in changed if row[0] != "d7"]
        if passage.passage == first or ("passage" not in kind and kind != "start"):
            assert not any(row[0].startswith("d7") for row in changed if row not in told)
            assert any("damaged" in note and "index its source again" in note for note in after.notes), after.notes
        grouped = library.search("lock", 100, recipe="bm25", group=True)
        assert all(result.id in whole for result in grouped)
        for name in ("d7", "d7x"):
            if name in library:
                with pytest.raises(LibraryDamaged, match=r"is damaged .* index its source again"):
                    library[name]
        seen: list[StoredDocument] = []
        with pytest.raises(LibraryDamaged, match="is damaged"):
            seen.extend(library)
        assert {document.id for document in seen} == whole.keys() - {"d7"}
        assert all(document == whole[document.id] for document in seen)
    assert main(["export", str(copy / "out.jsonl"), "--library", str(copy)]) == 2
    assert "is damaged" in capsys.readouterr().err
    written = [json.loads(line)["_id"] for line in (copy / "out.jsonl").read_text().splitlines()]
    assert sorted(written) == sorted(whole.keys() - {"d7"})


@pytest.mark.parametrize("words", [["search"], ["search", "--explain"], ["search", "-k", "3"], ["ask"], ["find"]])
def test_a_command_that_finds_only_damaged_passages_says_so(
    copy: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """ "Nothing found" alone would be taken for an answer."""
    with closing(sqlite3.connect(copy / "documents.sqlite")) as db, db:
        db.execute("DELETE FROM texts")
    assert main([words[0], "lock", *words[1:], "--library", str(copy)]) == 1
    told = capsys.readouterr().err
    assert "is damaged" in told
    assert "index its source again" in told
    assert told.count("left out") <= 12
    assert "has a word of the question" not in told


def test_what_no_document_claims_is_named_too(copy: Path) -> None:
    """The row of the passage's document says it has none: nothing tells whose the passage is, but it was found."""
    alter(copy, "UPDATE documents SET first = first + 100000 WHERE name = 'd7'")
    alter(copy, f"UPDATE texts SET text = 'x' || text WHERE document = {D7}")
    with bookwheel.open(copy) as library:
        for group in (False, True):
            found = library.search("lock", 100, recipe="bm25", group=group)
            assert "d7" not in [result.id for result in found]
            assert any("the row of its document are damaged" in note for note in found.notes)


@pytest.mark.parametrize("kind", ROWS)
def test_removing_and_adding_again_repairs_a_row(copy: Path, kind: str) -> None:
    alter(copy, ROWS[kind])
    with bookwheel.open(copy) as library:
        count = len(library)
        name = "d7x" if kind == "name" else "d7"
        assert library.remove(name) == 1
        assert library.check() == []
        library.add([Document("d7", "written anew, with a lock", "T", {"n": 7})])
        assert library.check() == []
        assert len(library) == count == len(list(library))
        library.compact()
        assert library.check() == []
        assert library["d7"].text == "written anew, with a lock"


def test_indexing_its_source_again_repairs_a_file(copy: Path, sound: Path) -> None:
    files = sound.parent / "files"
    alter(copy, "UPDATE texts SET text = 'x' || text WHERE document = (SELECT id FROM documents WHERE name LIKE '%f05.txt')")
    with bookwheel.open(copy) as library:
        (problem,) = library.check()
        name = str(files / "f05.txt")
        assert name in problem
        assert library.remove(name) == 1
        report = library.index(files)
        assert (report.added, report.unchanged) == (1, 59)
        assert library.check() == []
        assert library[name].text.endswith("wheel")


WHOLE = {
    "removed again": ("UPDATE documents SET removed = NULL WHERE name = 'd3'", "removed documents"),
    "removed, not by us": ("UPDATE documents SET removed = 2 WHERE name = 'd9'", "removed documents"),
    "another range removed": ("UPDATE documents SET first = first - 1 WHERE name = 'd3'", "removed documents"),
    "removals": ("UPDATE removals SET total = total + 1", "removed documents"),
    "purged": ("INSERT INTO state VALUES ('purged', 9, 1)", "state 'purged'"),
    "identity": ("UPDATE state SET value = 'x' WHERE key = 'id'", "state 'id'"),
    "no identity": ("DELETE FROM state WHERE key = 'id'", "identity"),
    "generation": ("UPDATE state SET value = value + 1 WHERE key = 'generation'", "state 'generation'"),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_damage_to_what_all_depends_on_is_named(copy: Path, kind: str) -> None:
    sql, said = WHOLE[kind]
    alter(copy, sql)
    with pytest.raises(LibraryDamaged, match=said):
        bookwheel.open(copy).search("lock", recipe="bm25")
    assert any(said in problem or "documents.sqlite" in problem for problem in bookwheel.open(copy).check())


def test_a_document_that_is_hidden_is_missed(copy: Path) -> None:
    """One stamped with a later generation: it is in no list, but the manifest knows how many there are."""
    alter(copy, "UPDATE documents SET added = 900 WHERE name = 'd9'")
    with pytest.raises(LibraryDamaged, match="115 documents|117 documents"):
        list(bookwheel.open(copy))
    assert any("'d9'" in problem for problem in bookwheel.open(copy).check())


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE metadata SET value = 70 WHERE key = 'n' AND value = 7",
        f"UPDATE metadata SET document = document + 1 WHERE key = 'n' AND document = {D7}",
        f"DELETE FROM metadata WHERE key = 'n' AND document = {D7}",
        "UPDATE fields SET total = total + 1 WHERE key = 'n'",
        "UPDATE fields SET rows = rows + 1 WHERE key = 'n'",
    ],
)
def test_a_damaged_field_answers_no_filter(copy: Path, sql: str) -> None:
    alter(copy, sql)
    with bookwheel.open(copy) as library:
        with pytest.raises(LibraryDamaged, match="field 'n'"):
            library.search("lock", where="n = 7")
        assert library.search("lock", where='of = "us"'), "others do"
        assert library.search("lock")
        assert any("field 'n'" in problem for problem in library.check())


def test_a_filter_takes_no_damaged_range(copy: Path) -> None:
    alter(copy, "UPDATE documents SET first = first + 1 WHERE name = 'd9'")
    with bookwheel.open(copy) as library:
        for _ in range(2):
            found = library.search("lock", 100, where='of = "us"', recipe="bm25")
            assert any("'d9'" in note for note in found.notes)
            assert "d9" not in [result.id for result in found]


def test_a_source_that_is_not_what_it_was(copy: Path) -> None:
    alter(copy, "UPDATE sources SET path = replace(path, 'f05', 'f06x') WHERE path LIKE '%f05.txt'")
    with bookwheel.open(copy) as library:
        found = library.search("wheel", 100, recipe="bm25")
        assert not any("f06x" in result.place for result in found)
        assert any("f05" in note for note in found.notes)
        assert any("f06x" in problem for problem in library.check())


@pytest.mark.parametrize("column", ["size", "mtime_ns", "digest", "fields", "damaged", "complete"])
def test_the_state_of_a_source_has_a_checksum(copy: Path, column: str) -> None:
    alter(copy, f"UPDATE sources SET {column} = '12' WHERE path LIKE '%f05.txt'")
    (problem,) = bookwheel.open(copy).check()
    assert "f05.txt" in problem


@pytest.mark.parametrize("name", ["manifest.json", "recipes.json", "segments/000001/rows/index.json"])
def test_every_bit_of_a_described_file_counts(copy: Path, name: str) -> None:
    data = (copy / name).read_bytes()
    dice = random.Random(3)
    for at in dice.sample(range(len(data)), 60):
        changed = bytearray(data)
        changed[at] ^= 1 << dice.randrange(8)
        (copy / name).write_bytes(changed)
        try:
            problems = bookwheel.open(copy).check()
        except LibraryDamaged as error:
            problems = [str(error)]
        assert any(Path(name).name in problem for problem in problems), (at, bytes(changed[max(at - 9, 0) : at + 9]))
        with pytest.raises(LibraryDamaged, match=Path(name).name):
            bookwheel.open(copy).search("lock", recipe="mine")
    (copy / name).write_bytes(data)
    assert bookwheel.open(copy).check() == []


def test_recipes_that_are_gone_are_missed(copy: Path) -> None:
    (copy / "recipes.json").unlink()
    (problem,) = bookwheel.open(copy).check()
    assert "recipes.json is missing" in problem
    with bookwheel.open(copy) as library:
        library.save_recipe("mine", "bm25")
        assert library.check() == []


def test_folders_do_not_change_places(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    """Two segments of the same texts: every length fits, and only the manifest knows which is which."""
    path = tmp_path / "lib"
    with bookwheel.open(path, create=True, language="english") as library:
        library.add([Document(f"a{n}", text) for n, (_, text) in enumerate(prose[:40])])
        library.add([Document(f"b{n}", text) for n, (_, text) in enumerate(reversed(prose[:40]))])
        assert library.info().segments == 2
    one, two = path / "segments/000001", path / "segments/000002"
    for name in ("rows", "sparse-bm25", "dense"):
        (one / name).rename(path / "aside")
        (two / name).rename(one / name)
        (path / "aside").rename(two / name)
        assert sum("not this segment's" in problem for problem in bookwheel.open(path).check()) == 2
        with pytest.raises(LibraryDamaged, match="not this segment's"):
            bookwheel.open(path).search("file")
        (one / name).rename(path / "aside")
        (two / name).rename(one / name)
        (path / "aside").rename(two / name)
    assert bookwheel.open(path).check() == []


def test_an_impacts_folder_of_an_older_generation(copy: Path) -> None:
    with bookwheel.open(copy) as library:
        impacts = next((copy / "segments/000001").glob("impacts-*"))
        shutil.copytree(impacts, copy.parent / "old")
        library.configure(k1=2.0)
        new = next((copy / "segments/000001").glob("impacts-*"))
    shutil.rmtree(new)
    shutil.move(copy.parent / "old", new)
    with pytest.raises(LibraryDamaged, match=r"impacts-\d+/index\.json is damaged \(it describes a folder"):
        bookwheel.open(copy).search("lock")


def test_the_cache_of_another_library_does_not_answer(copy: Path, tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "other", create=True) as other:
        other.add(["one text"])
        other._encoders.cache.put("x:1", {1: b"abc"})
        other._encoders.cache.set_note("cutoff", "[1]")
        other._encoders.cache.flush()
        assert other.check() == []
    shutil.copy(tmp_path / "other" / "cache.sqlite", copy / "cache.sqlite")
    with bookwheel.open(copy) as library:
        assert any("cache.sqlite is of another library" in problem for problem in library.check())
        assert library._encoders.cache.get("x:1", [1]) == {}
        assert library._encoders.cache.note("cutoff") is None
        library._encoders.cache.put("x:1", {1: b"own"})
        library._encoders.cache.flush()
        assert library._encoders.cache.get("x:1", [1]) == {1: b"own"}
        assert library.check() == []


def test_a_damaged_row_of_the_cache_counts_as_not_there(copy: Path) -> None:
    with bookwheel.open(copy) as library:
        library._encoders.cache.put("x:1", {1: b"abc", 2: b"def"})
        library._encoders.cache.set_note("cutoff", "[1]")
        library._encoders.cache.flush()
    db = sqlite3.connect(copy / "cache.sqlite")
    db.execute("UPDATE vectors SET data = x'616264' WHERE passage = 1")
    db.execute("UPDATE notes SET value = '[2]' WHERE name = 'cutoff'")
    db.commit()
    db.close()
    with bookwheel.open(copy) as library:
        assert library._encoders.cache.get("x:1", [1, 2]) == {2: b"def"}
        assert library._encoders.cache.note("cutoff") is None
        assert any("cache.sqlite is damaged (2 rows" in problem for problem in library.check())


def test_errors_of_a_damaged_array_are_told_as_damage(copy: Path) -> None:
    """Whatever numpy or a kernel makes of it: what is damaged is named, and other mistakes stay what they are."""
    with bookwheel.open(copy) as library:
        library.search("lock")
        searcher = library._searcher

        def fail(*_: object) -> None:
            raise IndexError("index 7 is out of bounds")

        searcher._ranked = fail  # type: ignore[method-assign, assignment]
        with pytest.raises(IndexError):
            library.search("lock")
    name = copy / "segments/000001/dense/vectors.npy"
    data = bytearray(name.read_bytes())
    data[200] ^= 1
    name.write_bytes(data)
    with bookwheel.open(copy) as library:
        library._searcher._ranked = fail  # type: ignore[method-assign, assignment]
        with pytest.raises(LibraryDamaged, match=r"vectors\.npy does not match its checksum"):
            library.search("lock")


def test_every_error_of_the_disk_is_told_as_what_it_is(tmp_path: Path) -> None:
    def error(name: str, code: int) -> sqlite3.OperationalError:
        made = sqlite3.OperationalError("disk I/O error")
        made.sqlite_errorname, made.sqlite_errorcode = name, code
        return made

    path = tmp_path / "documents.sqlite"
    for name, code, doing in (
        ("SQLITE_IOERR_READ", 266, "reading"),
        ("SQLITE_IOERR_SHORT_READ", 522, "reading"),
        ("SQLITE_IOERR_FSYNC", 1034, "writing"),
        ("SQLITE_IOERR_WRITE", 778, "writing"),
    ):
        told = meaning(error(name, code), path)
        assert isinstance(told, StorageError)
        assert f"{doing} {path} failed ({name}" in str(told)
        assert "full" not in str(told)
    assert "the disk is full" in str(meaning(error("SQLITE_FULL", 13), path))


def test_a_read_only_mount_with_a_log_left_over(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    """Its commits are there, and nothing is called damaged that is not."""
    mount = tmp_path / "disk"
    mount.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(mount)], capture_output=True).returncode
    ):
        pytest.skip("this system does not allow mounting")
    try:
        with bookwheel.open(tmp_path / "x", create=True) as library:
            library.add([Document(f"d{n}", text) for n, (_, text) in enumerate(prose[:20])])
            held = iter(library)
            next(held)  # holds the log back
            library.remove("d3")
            library.add([Document("late", "a late quokka")])
            shutil.copytree(tmp_path / "x", mount / "x")
            held.close()  # type: ignore[attr-defined]
        assert (mount / "x" / "documents.sqlite-wal").stat().st_size
        (mount / "x" / "documents.sqlite-shm").unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(mount)], check=True)
        with bookwheel.open(mount / "x") as library:
            assert library.check() == []
            assert [result.id for result in library.search("quokka", 1)] == ["late"]
            assert "d3" not in library
            assert len(library) == len(list(library)) == 20
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)


@pytest.mark.parametrize("seed", range(4))
def test_every_writer_keeps_the_checksums_true(tmp_path: Path, prose: list[tuple[str, str]], seed: int) -> None:
    dice = random.Random(seed)
    path, folder = tmp_path / "lib", tmp_path / "files"
    folder.mkdir()
    expected: dict[str, str] = {}
    given: dict[str, str] = {}
    with bookwheel.open(path, create=True, language="english") as library:
        for step in range(14):
            action = dice.choice(["add", "add", "index", "remove", "compact", "configure", "interrupt", "encoder", "recipe"])
            if action == "add":
                some = [
                    Document(
                        f"d{dice.randrange(40)}",
                        dice.choice(prose)[1] * dice.choice((1, 1, 9)) + "ä€\0\ud800",
                        "T\0",
                        {"n": dice.choice([1, 2.5, True, float("inf"), float("nan"), 2**70, "x\0", -0.0]), f"k{step}": step},
                    )
                    for _ in range(dice.randrange(1, 8))
                ]
                library.add(some)
                given |= {one.id: one.id for one in some}
            elif action == "index":
                for _ in range(4):
                    file = folder / f"{dice.randrange(9)}.txt"
                    if file.exists() and dice.random() < 0.4:
                        file.unlink()
                    else:
                        file.write_text(f"{dice.choice(prose)[1]} {step}")
                if any(folder.iterdir()):
                    library.index(folder)
                    expected = {str(file): str(file) for file in folder.iterdir()}
            elif action == "remove" and given:
                for name in dice.sample(sorted(given), min(3, len(given))):
                    library.remove(name)
                    del given[name]
            elif action == "compact":
                library.compact()
            elif action == "configure":
                library.configure(k1=dice.choice([0.9, 1.2, 2.0]))
            elif action == "interrupt":
                from bookwheel.library.writer import Writer

                with Writer(path) as writer:  # what it stores is taken back by the next writer
                    writer.manifest.settings.analyzer and writer.remove(
                        [number for number, _ in zip(writer.store.numbers(writer.manifest.generation), range(3), strict=False)]
                    )
            elif action == "encoder" and len(library):
                if library.encoders():
                    library.remove_encoder("other")
                else:
                    library.add_encoder("other", lambda texts: [[len(text), text.count("e"), 1.0] * 8 for text in texts])
                    library.embed(passages=dice.choice([5, None]))
            elif action == "recipe":
                library.save_recipe(f"r{step}", "bm25")
            library.refresh()
            assert library.check() == [], (step, action)
            assert len(library) == len(given) + len(expected), (step, action)
        assert {document.id for document in library} == {*given, *expected}
    assert Store(path).problems() == []
