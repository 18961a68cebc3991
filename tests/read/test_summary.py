"""Summaries: every sentence is stored text, chosen for what it has in common with the others."""

from __future__ import annotations

from pathlib import Path

import pytest

import bookwheel
from bookwheel.read import summary

ARTICLE = """\
The barn owl hunts at night over open fields. Owls have soft feathers and hunt without a sound. The barn owl nests in old barns.
Farmers like the barn owl, since an owl hunts mice in the fields at night.

A recipe for soup needs onions, carrots and a pot of water. Owls that hunt at night hear a mouse under the snow.
The barn owl hunts at night over open fields.
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]]) -> bookwheel.Library:
    library = bookwheel.open(tmp_path_factory.mktemp("summary") / "library", create=True)
    library.add([{"id": "owl", "text": ARTICLE, "kind": "animal"}])
    library.add([{"id": f"doc{n}", "text": text, "kind": "python"} for n, (_, text) in enumerate(prose[:60])])
    library.add([{"id": "numbers", "text": "1 2 3\n4 5 6\n"}])
    return library


def test_every_sentence_is_stored_text_in_its_order(library: bookwheel.Library) -> None:
    for names, where in ((["owl"], None), ((), 'kind = "python"'), (["owl", "doc3"], None)):
        found = library.summarise(names, where=where, sentences=4)
        quotes = [quote for claim in found.claims for quote in claim.quotes]
        assert 0 < len(quotes) <= 4
        for quote in quotes:
            assert library[quote.id].text[quote.start : quote.end] == quote.text
        assert len({quote.text for quote in quotes}) == len(quotes)


def test_what_most_is_about_comes_first(library: bookwheel.Library) -> None:
    text = library.summarise("owl", sentences=2).text
    assert "owl" in text.lower()
    assert "soup" not in text
    assert "soup" in library.summarise("owl", sentences=1, query="how is soup made, of onions?").text


def test_lengths_are_kept(library: bookwheel.Library) -> None:
    for words in (10, 25, 60):
        assert len(library.summarise(where='kind = "python"', sentences=50, words=words).text.split()) <= words * 1.2
    assert len(library.summarise("owl", sentences=3).claims) <= 3


def test_books_are_read_in_blocks(library: bookwheel.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "BLOCK", 40)
    found = library.summarise(where='kind = "python"', sentences=5)
    assert len(found.claims) == 5


def test_nothing_to_choose_from(library: bookwheel.Library) -> None:
    assert library.summarise("numbers").refused
    with pytest.raises(bookwheel.InputError, match="nosuch"):
        library.summarise("nosuch")
    with pytest.raises(bookwheel.UsageError):
        library.summarise()
    with pytest.raises(bookwheel.UsageError):
        library.summarise("owl", sentences=0)
    with pytest.raises(bookwheel.FilterError):
        library.summarise(where="nofield = 1")


def test_without_vectors(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "plain", create=True, encoder=None)
    library.add([{"id": "owl", "text": ARTICLE}])
    assert "owl" in library.summarise("owl", sentences=1).text.lower()
