"""Documents that programs add are named by their ids, with the lines of their own text."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document
from bookwheel.cli.main import main
from bookwheel.library.library import Library

YARD = "The yard of Orr was made in 1700.\nIt is 5 m high.\n\nThe keeper of the yard of Orr is Ada Brix.\n"
LONG = "".join(f"The number of the gate is {number}.\n" for number in range(1, 200)) + "A heron stands there."


def opened(path: Path, given: object) -> Library:
    library = bookwheel.open(path / "lib", create=True, encoder=None, language="english")
    library.add(given)
    return library


@pytest.mark.parametrize("given", [{"id": "yard", "text": YARD}, Document("yard", YARD), Document("yard", YARD, lines=True)])
def test_an_answer_names_the_document_and_the_line(tmp_path: Path, given: object) -> None:
    with opened(tmp_path, [given, {"id": "one", "text": "A line."}]) as library:
        answer = library.ask("Who is the keeper of the yard of Orr?", threshold=0, sentences=1)
        [quote] = answer.claims[0].quotes
        assert (quote.text, quote.place) == ("The keeper of the yard of Orr is Ada Brix.", "yard:4")
        assert [one.place for one in answer.evidence if one.id == "yard"] == ["yard:1"]
        result = library.search("yard")[0]
        assert (result.source, result.place, result.where.line) == ("-", "yard:1", 1)
        assert "[yard:1]" in repr(library.search("yard"))


def test_any_line_of_a_long_document_is_told(tmp_path: Path) -> None:
    with opened(tmp_path, [{"id": "long", "text": LONG}]) as library:
        for number in (1, 2, 77, 150, 199):
            [document] = library.find_all(f"the gate is {number}")
            assert [mention.place for mention in document.mentions] == [f"long:{number}"]
            piece = library.piece("long", line=number, lines=1)
            assert (piece.line, piece.place) == (number, f"long:{number}")
        for result in library.search("gate number heron", 20):
            assert result.place == f"long:{LONG[: result.start].count(chr(10)) + 1}"
        library.compact()
        assert library.search("heron")[0].where.line > 1


def test_a_line_that_a_document_names_is_kept(tmp_path: Path) -> None:
    given = [Document("seventh", "An owl.\nA heron.", line=7), Document("none", "A stork.\nA crane.", line=0)]
    with opened(tmp_path, given) as library:
        assert [library.search(word)[0].place for word in ("heron", "crane")] == ["seventh:7", "none"]


def test_copies_and_pruned_passages_are_named_by_their_ids(tmp_path: Path) -> None:
    text = "A heron stands at the edge of the pond and waits for fish.\n" * 2
    with opened(tmp_path, [{"id": "one", "text": text}, {"id": "two", "text": text}]) as library:
        [result] = library.search("heron", fold=True)
        assert sorted([result.place, *(copy.place for copy in result.also)]) == ["one:1", "two:1"]


def test_records_of_standard_input_have_their_own_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    records = '{"id": "a", "text": "An owl."}\n\n{"id": "b", "text": "A crane.\\n\\nA heron flies."}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(records.encode())))
    assert main(["index", "-", "--library", str(tmp_path / "lib")]) == 0
    with bookwheel.open(tmp_path / "lib") as library:
        [document] = library.find_all("heron")
        assert [mention.place for mention in document.mentions] == ["b:3"]
    assert main(["search", "crane", "--library", str(tmp_path / "lib")]) == 0
    assert main(["find", "heron", "--library", str(tmp_path / "lib")]) == 0
    told = capsys.readouterr().out
    assert "b:1" in told
    assert "-:" not in told
    assert "     3: " in told
