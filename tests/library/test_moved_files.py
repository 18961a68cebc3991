"""Folders that were moved or are gone, and documents of several files with one id."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import InputError, UsageError
from bookwheel.cli.main import main


class Counting:
    """An encoder that counts what it encodes."""

    dimension = 8

    def __init__(self) -> None:
        self.texts = 0

    def __call__(self, texts: list[str]) -> np.ndarray:
        self.texts += len(texts)
        return np.array([[1.0 + (hash(text) >> k) % 7 for k in range(8)] for text in texts], np.float32)


def fill(folder: Path) -> None:
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("apples are red and fly over the hills")
    (folder / "sub/b.txt").write_text("pears are green and rest in the valley")
    (folder / "sub/c.py").write_text("def kite():\n    return 'plums'\n")
    (folder / "r.jsonl").write_text('{"id": "7", "text": "a record of quinces"}\n{"text": "a record without an id"}\n')
    with zipfile.ZipFile(folder / "z.zip", "w") as archive:
        archive.writestr("in/d.txt", "dates are brown")


def sources(library: bookwheel.Library) -> list[str]:
    return sorted({document.source for document in library})


def rankings(library: bookwheel.Library) -> list[list[tuple[int, float]]]:
    found = [
        library.search(query, recipe=recipe) for query in ("apples", "record", "plums") for recipe in ("bm25", "own", "dense")
    ]
    return [[(result.passage, round(result.score, 6)) for result in some] for some in found]


@pytest.fixture
def built_in(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the built-in encoder was given while indexing: an entry a call."""
    from bookwheel.encode.static.built_in import StaticEncoder

    calls: list[int] = []
    for name in ("encode", "encode_words"):
        real = getattr(StaticEncoder, name)
        monkeypatch.setattr(StaticEncoder, name, lambda self, *given, _real=real: calls.append(1) or _real(self, *given))
    return calls


def test_a_moved_folder_embeds_nothing(tmp_path: Path, built_in: list[int]) -> None:
    fill(tmp_path / "old")
    encoder = Counting()
    with bookwheel.open(tmp_path / "library", create=True) as library:
        library.index(tmp_path / "old")
        library.add_encoder("own", encoder)
        library.embed("own")
        before, counted = rankings(library), encoder.texts
        built_in.clear()
        (tmp_path / "old").rename(tmp_path / "new")
        report = library.index(tmp_path / "new")
        assert (report.moved, report.added, report.unchanged, report.removed, report.passages) == (5, 0, 6, 0, 0)
        assert not built_in
        (status,) = library.embed("own")
        assert (status.encoded, status.complete) == (0, True)
        assert encoder.texts == counted
        assert sources(library) == sorted(
            str(tmp_path / "new" / n) for n in ("a.txt", "r.jsonl", "sub/b.txt", "sub/c.py", "z.zip/in/d.txt")
        )
        assert {document.id for document in library} == {
            *(str(tmp_path / "new" / name) for name in ("a.txt", "sub/b.txt", "sub/c.py", "r.jsonl#2", "z.zip/in/d.txt")),
            "7",
        }
        assert rankings(library) == before
        assert library.check() == []
        assert library.index(tmp_path / "new").unchanged == 6


def test_back_and_forth_with_changes(tmp_path: Path) -> None:
    fill(tmp_path / "old")
    (tmp_path / "old/gone.txt").write_text("goes with the move")
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index(tmp_path / "old")
        shutil.move(tmp_path / "old", tmp_path / "new")
        (tmp_path / "new/gone.txt").unlink()
        (tmp_path / "new/a.txt").write_text("apples have changed")
        report = library.index(tmp_path / "new")
        assert (report.moved, report.added, report.removed) == (4, 1, 0)
        (note,) = report.notes
        assert f"2 other files that the library has from {tmp_path / 'old'}, where files were moved from" in note
        assert library.remove(tmp_path / "old") == 2  # as the note says
        assert all(source.startswith(str(tmp_path / "new")) for source in sources(library))
        shutil.move(tmp_path / "new", tmp_path / "old")
        report = library.index(tmp_path / "old")
        assert (report.moved, report.added, report.removed) == (5, 0, 0)
        assert library.search("apples")[0].text == "apples have changed"
        assert library.check() == []


def test_a_copy_is_no_move(tmp_path: Path) -> None:
    fill(tmp_path / "old")
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index(tmp_path / "old")
        shutil.copytree(tmp_path / "old", tmp_path / "copy")
        report = library.index(tmp_path / "copy")
        assert (report.moved, report.added) == (0, 6)
        assert len(library) == 12
        (tmp_path / "old/a.txt").rename(tmp_path / "old/other name.txt")  # its title is another one
        report = library.index(tmp_path / "old")
        assert (report.moved, report.added, report.updated, report.removed) == (1, 0, 1, 0)


def test_a_file_of_another_name_is_moved_where_its_title_is_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    files = {"kite.md": "# The kite\n\nIt flies over the hill.\n", "hawk.md": "It sits on the pole.\n", "r.jsonl": ""}
    files["r.jsonl"] = (
        '{"id": "1", "title": "Swift", "text": "It sleeps in the air."}\n{"id": "2", "text": "It nests in walls."}\n'
    )
    for name, text in files.items():
        (folder / name).write_text(text)
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index(folder)
        (folder / "kite.md").rename(folder / "glider.md")
        (folder / "hawk.md").rename(folder / "buzzard.md")
        (folder / "r.jsonl").rename(folder / "records.jsonl")
        report = library.index(folder)
        assert (report.moved, report.added, report.updated, report.removed, report.passages) == (3, 0, 1, 0, 1)
        assert {one.source.rpartition("/")[2]: one.title for one in library} == {
            "glider.md": "The kite",
            "buzzard.md": "buzzard",
            "records.jsonl": library["2"].title,
        }
        assert library[str(folder / "glider.md")].title == "The kite"
        assert library["1"].source == str(folder / "records.jsonl")
        (folder / "glider.md").rename(folder / "glider.txt")  # read in another way
        assert library.index(folder).updated == 1
        fresh = bookwheel.open(tmp_path / "fresh", create=True, encoder=None)
        fresh.index(folder)
        assert {(one.id, one.title, one.text) for one in fresh} == {(one.id, one.title, one.text) for one in library}
        assert library.check() == []


def test_equal_files_keep_their_places(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / "old" / folder).mkdir(parents=True)
        (tmp_path / "old" / folder / "LICENSE").write_text("all of you may fly this kite")
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index(tmp_path / "old")
        (tmp_path / "old").rename(tmp_path / "new")
        assert library.index(tmp_path / "new").moved == 2
        assert sources(library) == [str(tmp_path / "new/x/LICENSE"), str(tmp_path / "new/y/LICENSE")]


@pytest.mark.parametrize("how", ["relative", "dotted", "absolute", "slash"])
@pytest.mark.parametrize("gone", [False, True])
def test_removing_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, gone: bool) -> None:
    fill(tmp_path / "fruit")
    fill(tmp_path / "fruits")
    monkeypatch.chdir(tmp_path)
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index(["fruit", "fruits"])
        if gone:
            shutil.rmtree("fruit")
        spell = {"relative": "{}", "dotted": "./x/../{}", "absolute": f"{tmp_path}/{{}}", "slash": "{}/"}[how]
        assert library.remove(spell.format("fruit/sub")) == 2
        assert library.remove(spell.format("fruit/z.zip")) == 1
        assert library.remove(spell.format("fruit")) == 3
        assert len(library) == 6
        with pytest.raises(UsageError, match="no document, file or folder"):
            library.remove(spell.format("fruit"))


def test_a_known_folder_that_is_gone_is_offered_for_removal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path / "fruit")
    monkeypatch.chdir(tmp_path)
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index("fruit")
        shutil.rmtree("fruit")
        with pytest.raises(InputError, match=r"'fruit' does not exist; the library still holds 6 documents from 'fruit'"):
            library.index("fruit")
    assert main(["index", "fruit", "--library", "./library"]) == 2
    assert "still holds 6 documents" in capfd.readouterr().err


def test_ids_in_many_files_are_told_in_one_sentence(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.jsonl").write_text('{"id": "7", "text": "words"}\n')
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        (note,) = library.index([tmp_path / f"{name}.jsonl" for name in "abcd"]).notes
    assert note.count("the id '7' is in ") == 3
    assert ", and 3 more pairs of files have ids in common; call one document by " in note


def test_one_id_in_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text('{"id": "7", "text": "one of a"}\n{"id": "8", "text": "two of a"}\n')
    Path("b.jsonl").write_text(
        '{"id": "7", "text": "one of b"}\n{"id": "8", "text": "two of b"}\n{"id": "x::9", "text": "nine"}\n'
    )
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        assert library.index("a.jsonl").notes == []
        (note,) = library.index("b.jsonl").notes
        assert note == (
            f"2 ids, '7' among them, are in {tmp_path}/b.jsonl and in {tmp_path}/a.jsonl; "
            f"call one document by '{tmp_path}/b.jsonl::7'"
        )
        assert library.index("b.jsonl").notes == []
        assert library["a.jsonl::7"].text == "one of a"
        assert library[f"{tmp_path}/b.jsonl::7"].text == "one of b"
        assert library["x::9"].text == library["b.jsonl::x::9"].text == "nine"
        assert "a.jsonl::9" not in library
        assert [document.text for document in library.get("7")] == ["one of a", "one of b"]
        with pytest.raises(UsageError, match=r"the id '7' is in 2 files; name one: .*a.jsonl::7, .*b.jsonl::7"):
            library["7"]
        with pytest.raises(UsageError, match=r"'7' is in 2 files.*nothing was removed"):
            library.remove(["x::9", "7"])
        assert main(["show", "7", "--library", "./library"]) == 0
        assert "b.jsonl::7" in capfd.readouterr().err
        (result,) = library.search("like:b.jsonl::8 one", recipe="syntax() >> bm25", where='source like "b.jsonl"')
        assert result.text == "one of b"
        assert library.remove("a.jsonl::7") == 1
        assert library["7"].text == "one of b"


def test_an_id_of_a_program_and_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text('{"id": "7", "text": "of a file"}\n')
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.add([{"id": "7", "text": "of a program"}])
        (note,) = library.index("a.jsonl").notes
        assert "what a program added" in note
        assert library["-::7"].text == "of a program"


@pytest.mark.parametrize("name", ["-f.txt", "--recipe", "-k"])
def test_names_that_begin_with_a_dash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("the kite flies")
    options = ["--library", "./library"]
    assert main(["index", *options, "--", name]) == 0
    assert main(["search", *options, "--", "-kite", "flies"]) == 0
    assert "the kite flies" in capfd.readouterr().out
    assert main(["show", *options, "--", name]) == 0
    assert main(["remove", *options, "--", name]) == 0
    assert main(["search", *options, "-kite"]) == 2
    assert "put -- before it: bookwheel search -- -kite" in capfd.readouterr().err


def test_names_that_are_not_utf_8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / os.fsdecode(b"p\xe9re")
    folder.mkdir()
    (folder / "a.txt").write_text("kites")
    monkeypatch.chdir(tmp_path)
    Path("good.txt").write_text("kites fly")
    assert main(["index", "--library", "./library", "."]) == 2  # one was left out, and is told
    done = capfd.readouterr()
    assert "name is not UTF-8" in done.out + done.err
    monkeypatch.chdir(folder)
    for command in (
        ["index", "."],
        ["remove", "a.txt"],
        ["remove", "."],
        ["show", "a.txt"],
        ["search", os.fsdecode(b"p\xe9re")],
    ):
        assert main([*command, "--library", str(tmp_path / "library")]) in (0, 1, 2), command
        assert "unexpected" not in capfd.readouterr().err
