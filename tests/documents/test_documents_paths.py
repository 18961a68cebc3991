from __future__ import annotations

import gzip
import io
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from documents_files import zstd_compress

from bookwheel._errors import InputError
from bookwheel.documents.document import Document
from bookwheel.documents.paths import Skipped, Source, walk
from bookwheel.documents.read import read


def found(*paths: str | Path, **options: bool | int) -> tuple[list[str], Counter[str]]:
    items = list(walk([str(path) for path in paths], **options))  # type: ignore[arg-type]
    return [item.name for item in items if isinstance(item, Source)], Counter(
        item.reason for item in items if isinstance(item, Skipped)
    )


def texts(*paths: str | Path) -> list[str]:
    return [
        document.text
        for item in walk([str(path) for path in paths])
        if isinstance(item, Source)
        for document in read(item)
        if isinstance(document, Document)
    ]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name, content in {
        "b.txt": "bee",
        "a.md": "# ay",
        "sub/c.py": "print()",
        "sub/deep/d.txt": "dee",
        "sub/deep/.secret": "hidden",
        ".hidden/e.txt": "hidden",
        "empty.txt": "",
        "noise.txt": "abc\0\0def" + " more words" * 10,
        "picture.png": "\x89PNG",
        "build/out.txt": "ignored",
        "sub/keep.log": "kept",
        "sub/drop.log": "dropped",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    (root / ".gitignore").write_text("build/\n*.log\n")
    (root / "sub/.gitignore").write_text("!keep.log\n")
    return root


def test_a_folder_is_read_in_order_and_reasons_are_counted(tree: Path) -> None:
    names, reasons = found(tree)
    assert names == ["a.md", "b.txt", "sub/c.py", "sub/deep/d.txt", "sub/keep.log"]
    assert reasons == {"hidden": 4, "empty": 1, "binary": 2, "ignored by .gitignore": 2}
    assert found(tree) == (names, reasons)


def test_hidden_and_ignored_files_can_be_asked_for(tree: Path) -> None:
    names, reasons = found(tree, hidden=True, ignored=True)
    assert {".hidden/e.txt", "sub/deep/.secret", "build/out.txt", "sub/drop.log"} <= set(names)
    assert set(reasons) == {"empty", "binary"}


def test_named_files_are_read_whatever_the_rules_say(tree: Path) -> None:
    given = [tree / "build/out.txt", tree / ".hidden/e.txt", tree / "noise.txt"]
    assert texts(*given) == ["ignored", "hidden", "abc  def" + " more words" * 10]
    assert all(item.explicit for item in walk(given) if isinstance(item, Source))


def test_a_folder_that_git_ignores_is_read_if_named(tree: Path) -> None:
    (tree / ".git").mkdir()
    assert found(tree / "build")[0] == ["out.txt"]
    assert found(tree / "sub")[0] == ["c.py", "deep/d.txt", "keep.log"], (
        "rules above the folder hold up to the repository's top"
    )


def test_each_file_comes_once(tree: Path) -> None:
    names, _ = found(tree / "sub", tree, tree / "b.txt")
    assert names == ["c.py", "deep/d.txt", "drop.log", "keep.log", "a.md", "b.txt"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.md", ["a.md"]),
        ("**/*.txt", ["b.txt", "sub/deep/d.txt"]),
        ("s*", ["c.py", "deep/d.txt", "drop.log", "keep.log"]),
        ("sub/**", ["c.py", "deep/d.txt", "drop.log", "keep.log"]),
        ("?.[mt]*", ["a.md", "b.txt"]),
    ],
)
def test_globs(tree: Path, pattern: str, expected: list[str]) -> None:
    assert found(f"{tree}/{pattern}")[0] == expected


def test_a_file_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    (tmp_path / "a[1].txt").write_text("one")
    assert texts(tmp_path / "a[1].txt") == ["one"]


def test_all_wrong_paths_are_told_at_once(tree: Path) -> None:
    (tree / "broken").symlink_to(tree / "nowhere")
    with pytest.raises(InputError) as error:
        walk([str(tree / "gone.txt"), str(tree), str(tree / "*.xyz"), "a\0b", str(tree / "broken")])
    message = str(error.value)
    assert all(
        part in message for part in ("gone.txt' does not exist", "*.xyz' matches no file", "is not a path", "broken link")
    )
    assert message.count("\n") == 0


def test_no_path_at_all() -> None:
    with pytest.raises(InputError, match="no path"):
        walk([])


def test_link_loops_end(tree: Path) -> None:
    (tree / "sub/deep/up").symlink_to(tree)
    (tree / "sub/deep/self").symlink_to("self")
    (tree / "again").symlink_to(tree / "sub")
    (tree / "b2.txt").symlink_to(tree / "b.txt")
    outside = tree.parent / "outside"
    outside.mkdir()
    (outside / "o.txt").write_text("out")
    (outside / "back").symlink_to(tree)
    (tree / "zlink").symlink_to(outside)
    (tree / "secret.txt").symlink_to(outside / "o.txt")
    names, reasons = found(tree)
    assert names == ["a.md", "b.txt", "sub/c.py", "sub/deep/d.txt", "sub/keep.log"]
    assert reasons["link out of the folder"] == 2
    (tree / "secret.txt").unlink()
    names, reasons = found(tree, follow_links=True)
    assert names == ["a.md", "b.txt", "sub/c.py", "sub/deep/d.txt", "sub/keep.log", "zlink/o.txt"]
    assert reasons["link loop"] == 2
    assert reasons["link to a folder already read"] == 2
    assert reasons["link to a file already read"] == 1


def test_special_files_and_forbidden_folders(tree: Path) -> None:
    os.mkfifo(tree / "pipe.txt")
    assert found(tree)[1]["not a regular file"] == 1
    with pytest.raises(InputError, match="not a regular file"):
        walk([tree / "pipe.txt"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_forbidden_files_are_failures(tree: Path) -> None:
    (tree / "b.txt").chmod(0)
    assert [item.path for item in walk([tree]) if isinstance(item, Skipped) and item.failed] == [str(tree / "b.txt")]


def test_too_large_is_skipped_in_a_folder_and_told_for_a_named_file(tmp_path: Path) -> None:
    (tmp_path / "big.md").write_text("word " * 1000)
    (tmp_path / "records.jsonl").write_text('{"text": "short"}\n' * 400)
    names, reasons = found(tmp_path, max_bytes=1000)
    assert (names, reasons) == (["records.jsonl"], {"too large": 1})
    (source,) = walk([tmp_path / "big.md"], max_bytes=1000)
    assert isinstance(source, Source)
    with pytest.raises(InputError, match=r"big.md .* exceeds the limit of"):
        list(read(source))


def test_a_beir_folder_gives_its_corpus_only(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n1\t2\t1\n")
    (tmp_path / "queries.jsonl").write_text('{"_id": "1", "text": "q"}\n')
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress(b'{"_id": "2", "title": "", "text": "d"}\n'))
    names, reasons = found(tmp_path)
    assert names == ["corpus.jsonl.gz"]
    assert reasons == {"queries of a BEIR collection": 1, "judgments of a BEIR collection": 1}
    assert texts(tmp_path / "queries.jsonl") == ["q"]


def test_queries_without_a_corpus_are_ordinary(tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('{"_id": "1", "text": "q"}\n')
    assert found(tmp_path)[0] == ["queries.jsonl"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"%PDF-1.4\n", "pdf"),
        (b"<!DOCTYPE html><p>x", "html"),
        (b"<?xml version='1.0'?>\n<html lang='en'>", "html"),
        (b"#!/bin/sh\necho\n", "code"),
        (b'{"id": 1, "text": "a"}\n{"id": 2, "text": "b"}\n', "jsonl"),
        (b"From ada@example.org Sat Jan  1 00:00:00 2022\nSubject: x\n\nhi\n", "mbox"),
        (b"just words\n", "text"),
        ("Größe".encode("utf-16"), "text"),
    ],
)
def test_unknown_names_are_sniffed(tmp_path: Path, data: bytes, expected: str) -> None:
    (tmp_path / "thing").write_bytes(data)
    (tmp_path / "thing.weird.gz").write_bytes(gzip.compress(data))
    assert [item.format for item in walk([tmp_path]) if isinstance(item, Source)] == [expected, expected]


def test_json_with_an_object_a_line_is_read_as_records(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"id": "a", "text": "one"}\n{"id": "b", "text": "two"}\n')
    assert texts(tmp_path) == ["one", "two"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'\n  \n{"text": "one"}\n{"text": "two"}\n', ["one", "two"]),
        (b"plain\nwords\n", ["plain\nwords\n"]),
        (b"{not json}\n", ["{not json}\n"]),
        (b'{"text": "' + b"x" * 3_000_000 + b'"}\n', ["x" * 3_000_000]),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd_compress])
def test_standard_input_is_sniffed(monkeypatch: pytest.MonkeyPatch, data: bytes, expected: list[str], pack) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(pack(data))))
    (source,) = walk(["-"])
    assert isinstance(source, Source)
    assert [item.text for item in read(source) if isinstance(item, Document)] == expected
    assert source.digest() == ""


def test_digest_tells_content_apart(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.txt").write_text("one")
    (tmp_path / "c.txt").write_text("two")
    digests = [item.digest() for item in walk([tmp_path]) if isinstance(item, Source)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("line", ["*.py[d-c]", "[z-a]", "!", "/", "a[", "a[[:alpha:", "x\\"])
def test_a_line_of_a_gitignore_that_is_no_pattern_costs_that_line_alone(tmp_path: Path, line: str) -> None:
    (tmp_path / ".gitignore").write_text(f"drafts/\n{line}\n*.log\n")
    (tmp_path / "drafts").mkdir()
    for name in ("drafts/a.txt", "b.log", "c.txt"):
        (tmp_path / name).write_text("a heron")
    assert [Path(item.path).name for item in walk([tmp_path]) if isinstance(item, Source)] == ["c.txt"]


@pytest.mark.parametrize("name", ["notes.txt", "notes.txt.bz2", "notes.md.gz", "notes.csv"])
def test_noise_is_no_text_whatever_its_name_says(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(code for code in range(1, 256)) * 3)
    assert found(tmp_path) == ([], Counter({"binary": 1}))


@pytest.mark.parametrize(
    "data", [b"a short \x01\x02 note", b"N\bNA\bAM\bME\bE\n  ls\n" * 40, b"\x1b$)C\x0eGQ1[\x0f \x0eGQ\x0f\n" * 9]
)
def test_text_with_controls_that_text_may_have_is_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "notes.txt").write_bytes(data)
    assert found(tmp_path)[1] == Counter()
