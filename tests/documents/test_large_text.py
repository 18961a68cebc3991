"""A text of any size is read by lines, in documents that have their place in it."""

from __future__ import annotations

import io
import lzma
import tracemalloc
from itertools import pairwise
from pathlib import Path

import pytest
from told_places import place

from bookwheel._errors import InputError
from bookwheel.documents.document import Document
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read
from bookwheel.documents.source import Source


def documents_of(path: Path, max_bytes: int = 64 << 20) -> list[Document]:
    (source,) = walk([path.parent], max_bytes=max_bytes)
    assert isinstance(source, Source)
    found = list(read(source))
    assert all(isinstance(item, Document) for item in found)
    return found  # type: ignore[return-value]


def log(lines: int) -> str:
    return "".join(f"{number:08} service started, answered 200 and stöpped\n" for number in range(1, lines + 1))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_the_parts_are_the_file_and_know_their_lines(tmp_path: Path, encoding: str) -> None:
    text = log(120_000)
    (tmp_path / "server.log").write_bytes(text.encode(encoding))
    documents = documents_of(tmp_path / "server.log")
    assert "".join(document.text for document in documents) == text
    assert len(documents) > 4
    for document in documents:
        assert document.text.endswith("\n")
        number = int(document.text[:8])
        assert (document.id, document.line) == (f"{tmp_path / 'server.log'}#{number}", number)
        assert place(document, document.text.index(f"{number + 10:08}")) == (None, number + 10)


def test_a_file_larger_than_the_limit_of_a_record_is_read_and_not_held(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text(log(400_000))
    (source,) = walk([tmp_path], max_bytes=8 << 20)
    assert isinstance(source, Source)
    tracemalloc.start()
    try:
        count = sum(item.text.count("\n") for item in read(source) if isinstance(item, Document))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 16 << 20
    assert count == 400_000
    assert peak < 24 << 20


def test_lines_that_were_added_leave_the_parts_before_them_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text(log(150_000))
    before = documents_of(path)
    with path.open("a") as file:
        file.write("one more line\n")
    assert documents_of(path)[: len(before) - 1] == before[:-1]


def test_a_text_without_line_ends(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("word " * 2_000_000)
    assert "".join(document.text for document in documents_of(tmp_path / "one.txt")) == "word " * 2_000_000


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"word{number} " for number in range(900_000)) + "\nlast line\n",
        "head\n" + "".join(f"第{number}句話在這裡。" for number in range(300_000)),
        "猫が" * 1_000_000,
    ],
)
def test_a_long_line_is_cut_between_words_into_documents_of_their_own(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.txt").write_text(text, encoding="utf-8")
    documents = documents_of(tmp_path / "one.txt")
    assert "".join(document.text for document in documents) == text
    assert len({document.id for document in documents}) == len(documents) > 4
    line = 1 + text.startswith("head")
    names = [document.id.rsplit("#", 1)[1] for document in documents]
    assert names[:3] == ["1", f"{line}.2", f"{line}.3"]
    for one, other in pairwise(documents):
        if "猫" not in text:
            assert one.text[-1] in " 。\n"
        assert one.line in (1, line)
        assert other.text[0] != " "


def test_a_smaller_text_is_one_document(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(log(50_000))
    (document,) = documents_of(tmp_path / "a.txt")
    assert document.id == str(tmp_path / "a.txt")


def test_standard_input_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    text = log(120_000)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(text.encode()))))  # type: ignore[arg-type]
    (source,) = walk(["-"])
    assert isinstance(source, Source)
    assert "".join(item.text for item in read(source) if isinstance(item, Document)) == text


def test_a_bomb_is_told_and_read_no_further(tmp_path: Path) -> None:
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(b"word " * 8_000_000))
    (source,) = walk([tmp_path], max_bytes=8 << 20)
    assert isinstance(source, Source)
    with pytest.raises(InputError, match="looks like a decompression bomb"):
        list(read(source))
