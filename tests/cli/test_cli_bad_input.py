from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from cli_helpers import SOURCE, Bookwheel

import bookwheel as package


@pytest.fixture
def indexed(bookwheel: Bookwheel, records: Path) -> Path:
    assert bookwheel("index", records).code == 0
    return records


def one_sentence(text: str) -> str:
    (line,) = [line for line in text.splitlines() if "for usage, type: bookwheel" not in line]
    assert line.startswith("bookwheel: ")
    assert not line.endswith(".")
    assert "bug in bookwheel" not in line
    return line


@pytest.mark.parametrize("path", ["nowhere", "~nobody-of-that-name/x", "no*such", "/dev/zero", "bad\udcff"])
def test_a_wrong_path_is_told_and_leaves_no_library(bookwheel: Bookwheel, path: str, home: Path) -> None:
    done = bookwheel("index", path, "--library", "fresh")
    assert done.code == 2
    assert "nothing was read" in one_sentence(done.err)
    assert not (home / "fresh").exists()


@pytest.mark.parametrize("place", ["/dev/null", "n" * 300, "~nobody-of-that-name/x"])
def test_a_place_that_can_hold_no_library(bookwheel: Bookwheel, records: Path, place: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    if place.startswith("~"):
        assert bookwheel("search", "x", "--library", place).code == 2
        return
    done = bookwheel("index", records, "--library", place)
    assert done.code == 2
    one_sentence(done.err)


def test_names_that_are_no_text(bookwheel: Bookwheel, indexed: Path) -> None:
    assert bookwheel("show", "bad\udcff").code == 1
    assert bookwheel("remove", "bad\udcff").code == 2
    assert bookwheel("search", "rocks").code == 0


def test_no_memory_at_all_is_no_budget(bookwheel: Bookwheel, indexed: Path) -> None:
    assert bookwheel("search", "rocks", "--ram", "0").code == 3
    assert bookwheel("search", "rocks", "--ram", "1MB").code == 3


def test_arguments_of_wrong_types(indexed: Path) -> None:
    with package.open() as library:
        for query in (None, 5, b"rocks", "ro\0cks", "rocks " * 200_000):
            with pytest.raises(package.BookwheelError):
                library.search(query)  # type: ignore[arg-type]
        for k in ("x", 2.5, 0, -1, 10**12):
            with pytest.raises(package.BookwheelError):
                library.search("rocks", k)  # type: ignore[arg-type]


def test_a_file_of_many_documents_is_shown_in_part(bookwheel: Bookwheel, tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text("".join(json.dumps({"_id": f"r{n}", "text": f"record {n}"}) + "\n" for n in range(30)))
    assert bookwheel("index", file).code == 0
    done = bookwheel("show", file, "--json")
    assert [document["id"] for document in done.json] == [f"r{n}" for n in range(10)]
    assert all(document["passages"] == [[0, len(document["text"])]] for document in done.json)
    assert "first 10 of 30" in done.err
    assert len(bookwheel("show", file, "--json", "--limit", "40").json) == 30


def test_a_missing_database_is_not_made_anew(bookwheel: Bookwheel, indexed: Path, home: Path) -> None:
    for file in (home / "default").glob("documents.sqlite*"):
        file.unlink()
    done = bookwheel("index", indexed)
    assert done.code == 2
    assert "documents.sqlite is missing" in done.err


def test_a_library_is_not_indexed_into_itself(bookwheel: Bookwheel, indexed: Path, home: Path) -> None:
    done = bookwheel("index", home, "--json").json
    assert done["added"] == 0
    assert done["skipped"] == {"a bookwheel library": 1}


def test_html_nested_too_deeply(bookwheel: Bookwheel, tmp_path: Path) -> None:
    (tmp_path / "deep.html").write_text("<div>" * 400_000 + "bottom")
    (tmp_path / "long.html").write_text("<p>a line<br>" * 50_000)
    done = bookwheel("index", tmp_path, "--json").json
    assert done["added"] == 1
    (failure,) = done["failures"]
    assert "deep.html nests" in failure


def test_a_file_without_text_is_told(bookwheel: Bookwheel, indexed: Path, tmp_path: Path) -> None:
    (tmp_path / "white.txt").write_text(" \n\n\t ")
    done = bookwheel("index", tmp_path / "white.txt")
    assert "was indexed" in one_sentence(done.err)
    assert "1 no text" in done.out


@pytest.mark.skipif(os.name != "posix", reason="closes streams with a POSIX shell")
def test_streams_that_are_closed(indexed: Path, compiled: None) -> None:
    for redirect, code in ((">&-", 0), ("2>&-", 0)):
        done = subprocess.run(
            ["/bin/sh", "-c", f'exec "{sys.executable}" -m bookwheel search rocks {redirect}'],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr


def test_help_is_offered_for_a_wrong_command_line_only(bookwheel: Bookwheel) -> None:
    missing = bookwheel("search", "owl", "--library", "nowhere")
    assert missing.code == 2
    assert "for usage, type: bookwheel" not in missing.err
    assert "for usage, type: bookwheel" in bookwheel("search", "owl", "-k", "0").err


def test_export_into_a_folder_that_is_not_there(bookwheel: Bookwheel, indexed: Path, tmp_path: Path) -> None:
    done = bookwheel("export", tmp_path / "no" / "out.jsonl")
    assert done.code == 2
    assert "there is no folder" in one_sentence(done.err)


@pytest.mark.skipif(os.name != "posix", reason="needs limits on file sizes")
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_an_export_that_fails_keeps_the_file_that_was_there(
    bookwheel: Bookwheel, tmp_path: Path, home: Path, compiled: None, name: str
) -> None:
    resource = pytest.importorskip("resource")
    source, file = tmp_path / "source.jsonl", tmp_path / "exports" / name
    dice = random.Random(1)
    text = " ".join(f"{dice.getrandbits(60):x}" for _ in range(500))
    source.write_text("".join(json.dumps({"_id": str(number), "text": text}) + "\n" for number in range(9)))
    assert bookwheel("index", source, "--encoder", "none", "--language", "none").code == 0
    file.parent.mkdir()
    assert bookwheel("export", file).code == 0
    before = file.read_bytes()
    limit = len(before) // 2
    done = subprocess.run(
        [sys.executable, "-m", "bookwheel", "export", str(file)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        check=False,
    )
    assert done.returncode == 2
    assert one_sentence(done.stderr) == (
        f"bookwheel: the disk is full: writing {file} failed; what it held is kept; free some space, or give another file"
    )
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["search", "owl", "--where"], "--where needs a value"),
        (["search", "owl", "--json=3"], "--json takes no value"),
        (["show", "a", "b"], "unexpected argument: b"),
        (["show", "a", "b", "c"], "unexpected argument: b c"),
        (["models", "/nope"], "FOLDER: Directory '/nope' does not exist"),
        (["search", "owl", "-k", "3.5"], "-k must be a whole number of 1 or more, not '3.5'"),
        (["search", "owl", "--cutoff", "3"], "--cutoff must be a number between 0 and 1, not '3'"),
        (["search", "owl", "--ram", "lots"], "--ram must be a size such as 512MB or 2GB, not 'lots'"),
        (["index", "x", "--unit", "page"], "--unit must be one of 'sentence', 'passage', 'document', not 'page'"),
        (
            ["index", "x", "--vectors", "mine"],
            "--vectors must be of the form NAME=FILE, as in --vectors minilm=FILE, not 'mine'",
        ),
        (["index", "x", "--vectors", "mine=nofile.npy"], "there is no file nofile.npy; nothing was read"),
        (
            ["plan", "--passages", "10", "--dim", "7"],
            "dimension must be a multiple of 8 between 8 and 4096, or 0 for no vectors, not 7",
        ),
        (["help"], "no such command: 'help'; did you mean `bookwheel --help`?"),
        (["--bogus"], "no such option: --bogus"),
    ],
)
def test_sentences_about_the_command_line(bookwheel: Bookwheel, indexed: Path, command: list[str], sentence: str) -> None:
    done = bookwheel(*command)
    assert done.code == 2
    assert one_sentence(done.err) == f"bookwheel: {sentence}"


def test_an_export_does_not_replace_a_folder(bookwheel: Bookwheel, indexed: Path, tmp_path: Path) -> None:
    done = bookwheel("export", tmp_path)
    assert done.code == 2
    assert one_sentence(done.err) == f"bookwheel: {tmp_path} is a folder; give the name of a file"


def test_one_passage_is_planned_in_the_singular(bookwheel: Bookwheel) -> None:
    assert bookwheel("plan", "--passages", "1", "--encoder", "none").out.startswith("1 passage, no vectors")
    assert bookwheel("plan", "--passages", "2000", "--encoder", "none").out.startswith("2,000 passages, no vectors")
