"""Every place in the whole collection: the same as reading every stored text word by word."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

import pytest

import bookwheel
from bookwheel.analysis.analyzer import Analyzer
from bookwheel.analysis.words import spans_of

ENGLISH = Analyzer.for_language("english")
Words = list[tuple[frozenset[str], int, int]]


@cache
def key(word: str) -> frozenset[str]:
    """What a word is found by: its terms; stop words fit themselves."""
    return frozenset(ENGLISH.terms(word)) or frozenset((word.casefold(),))


def words_of(library: bookwheel.Library) -> dict[str, Words]:
    """Each text read word by word."""
    return {document.id: [(key(word), start, end) for word, start, end in spans_of(document.text)] for document in library}


def brute(texts: dict[str, Words], phrase: str) -> dict[str, list[tuple[int, int]]]:
    """Start and end of each run of words of a text whose terms have those of the phrase's words."""
    wanted = [key(word) for word, _, _ in spans_of(phrase)]
    found: dict[str, list[tuple[int, int]]] = {}
    for name, words in texts.items():
        for at in range(len(words) - len(wanted) + 1):
            some = words[at : at + len(wanted)]
            if all(one <= other[0] for one, other in zip(wanted, some, strict=True)):
                found.setdefault(name, []).append((some[0][1], some[-1][2]))
    return found


def places(found) -> dict[str, list[tuple[int, int]]]:
    told = {one.id: [(m.start, m.end) for m in one.mentions if not m.in_title] for one in found}
    return {name: spans for name, spans in told.items() if spans}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]]) -> bookwheel.Library:
    library = bookwheel.open(
        tmp_path_factory.mktemp("all") / "library", create=True, encoder=None, language="english", unit="sentence"
    )
    library.add([{"id": f"{number}", "text": text} for number, (_, text) in enumerate(prose[:250])])
    library.add([{"id": f"late{number}", "text": text} for number, (_, text) in enumerate(prose[250:330])])
    library.remove(["3", "late7"])
    return library


def test_the_same_as_reading_every_text(library: bookwheel.Library, prose: list[tuple[str, str]]) -> None:
    random.seed(7)
    phrases = ["the", "is not", "file object", "Return a", "returned", "non-empty string", "no such words here", "to be"]
    for _ in range(25):  # phrases that do occur, over ends of sentences and lines too
        words = [word for word, _, _ in spans_of(random.choice(prose[:330])[1])]
        at, length = random.randrange(len(words)), random.choice((1, 1, 2, 3, 4))
        phrases.append(" ".join(words[at : at + length]))
    texts = words_of(library)
    for phrase in phrases:
        found, wanted = library.find_all(phrase), brute(texts, phrase)
        assert places(found) == wanted, phrase
        assert found.documents == len(wanted) == len(found)
        assert found.occurrences == sum(map(len, wanted.values()))
        held = {name: library[name].passages for name in wanted}
        inside = {(name, sum(s <= start for s, _ in held[name])) for name, spans in wanted.items() for start, _ in spans}
        assert found.passages == len(inside), phrase


def test_exact_is_the_word_as_it_is_written(library: bookwheel.Library) -> None:
    for word in ("return", "returns", "File", "lines"):
        pattern = re.compile(rf"(?<![\w']){word}(?![\w']|'\w)", re.IGNORECASE)
        wanted = {one.id: [m.span() for m in pattern.finditer(one.text)] for one in library}
        assert places(library.find_all(word, exact=True)) == {name: spans for name, spans in wanted.items() if spans}


def test_places_are_the_stored_text(library: bookwheel.Library) -> None:
    for one in library.find_all("file object"):
        document = library[one.id]
        for mention in one.mentions:
            assert document.text[mention.start : mention.end] == mention.text
            assert mention.text in mention.around
            start, end = document.passages[mention.passage - document.first]
            assert start <= mention.start < end or mention.start == end


@pytest.fixture
def small(tmp_path: Path) -> bookwheel.Library:
    library = bookwheel.open(tmp_path / "small", create=True, encoder=None)
    library.add(
        [
            {"id": "a", "title": "Solar panels", "text": "Nothing of them is said in the text of this document.", "year": 2019},
            {"id": "b", "text": "Programs in C++ and in C. We like R&D.", "year": 2020},
            {"id": "c", "text": "東京都庁は新宿区にある。東京は大きい。", "year": 2021},
            {
                "id": "d",
                "text": "Die Solarzellen der Häuser. Ein Haus hat ein Dach, und die Dächer der Häuser sind rot.",
                "year": 2022,
            },
            {"id": "e", "text": "A solar panel, or two; the panel is solar.", "year": 2023},
        ]
    )
    return library


@pytest.mark.parametrize(
    ("phrase", "wanted"),
    [
        ("solar panel", ["a", "e"]),
        ("C++", ["b"]),
        ("C", ["b"]),
        ("R&D", ["b"]),
        ("東京都", ["c"]),
        ("東京", ["c"]),
        ("都庁は新宿", ["c"]),
        ("Haus", ["d"]),
        ("the", ["a", "e"]),
        ("nowhere", []),
    ],
)
def test_what_fits(small: bookwheel.Library, phrase: str, wanted: list[str]) -> None:
    assert [one.id for one in small.find_all(phrase)] == wanted


def test_titles_count_and_filters_hold(small: bookwheel.Library) -> None:
    found = small.find_all("solar panel")
    assert (found.documents, found.passages, found.occurrences) == (2, 2, 2)
    assert found[0].mentions[0].in_title
    assert [one.id for one in small.find_all("solar panel", where="year >= 2020")] == ["e"]
    assert [one.id for one in small.find_all(["solar", "C++"], together="any")] == ["a", "b", "e"]
    assert [one.id for one in small.find_all(["solar", "two"])] == ["e"]
    assert small.find_all("C++").occurrences == 1


@pytest.mark.parametrize("wrong", ["", "   ", "...", 7, "a\0b", [], ["x" * 2000]])
def test_what_cannot_be_looked_for(small: bookwheel.Library, wrong) -> None:
    with pytest.raises(bookwheel.QueryError):
        small.find_all(wrong)


def test_long_texts_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bookwheel.library import whole_texts

    monkeypatch.setattr(whole_texts, "WINDOW", 1000)
    monkeypatch.setattr(whole_texts, "OVERLAP", 100)
    library = bookwheel.open(tmp_path / "long", create=True, encoder=None, language="english")
    text = " ".join(f"word{number} über the \n green hill" for number in range(3000))
    library.add([{"id": "long", "text": text}])
    assert places(library.find_all("the green hills")) == brute(words_of(library), "the green hills")
    assert library.find_all("the green hills").occurrences == 3000


def test_damage_is_told_not_counted(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "hurt", create=True, encoder=None)
    library.add([{"id": f"{n}", "text": f"The lighthouse number {n} warns ships."} for n in range(4)])
    library.close()
    file = tmp_path / "hurt" / "documents.sqlite"
    import sqlite3

    with sqlite3.connect(file) as db:
        db.execute("UPDATE texts SET text = replace(text, 'warns', 'wakes') WHERE document = 2")
    db.close()
    found = bookwheel.open(tmp_path / "hurt").find_all("lighthouse")
    assert found.documents == 3
    assert len(found.notes) == 1
    assert "damaged" in found.notes[0]
