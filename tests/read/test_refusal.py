"""Refusals: nonsense is refused with what is lacking, what the documents say is not."""

from __future__ import annotations

from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document, Library
from bookwheel.library.asking import LibraryCollection

FOREIGN = (
    "Which zoning permits need a public hearing in Zurich?",
    "Who won the football world cup final of 1974?",
    "How much cumin goes into lentil soup?",
    "zyzzyva quokka xylem?",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]]) -> Library:
    made = bookwheel.open(tmp_path_factory.mktemp("refusal") / "library", create=True)
    made.add([Document(name, text) for name, text in prose[:200]])
    return made


def test_what_the_documents_do_not_say_is_refused(library: Library) -> None:
    for question in FOREIGN:
        answer = library.ask(question)
        assert answer.refused
        assert not answer
        assert not answer.claims
        assert answer.evidence
        assert answer.reason.startswith("no passage ")
        assert any(answer.reason.endswith(f"; nearest: {one.place}") for one in answer.evidence)
        assert all(one.place.startswith(f"{one.id}:") for one in answer.evidence)
        assert answer.probability is not None
        assert library.ask(question, threshold=0).claims


def test_what_they_say_is_answered(library: Library) -> None:
    asked = []
    for document in list(library)[:60:3]:
        sentences = [part for part in document.text.split(". ") if 8 <= len(part.split()) <= 30]
        if sentences:
            asked.append(" ".join(sentences[0].split()[:12]) + "?")
    assert len(asked) >= 10
    assert sum(not library.ask(question).refused for question in asked) >= 0.9 * len(asked)


def test_the_missing_words_are_named(library: Library) -> None:
    assert "'quokka'" in library.ask("quokka xylem of a thread lock").reason


def test_more_words_from_elsewhere_never_make_it_likelier(library: Library) -> None:
    chances = []
    for more in ("", " quokka", " quokka zyzzyva", " quokka zyzzyva xylem"):
        chances.append(library.ask(f"open a file for reading{more}").probability)
    assert chances == sorted(chances, reverse=True)


def test_a_search_shows_the_same_estimate(library: Library) -> None:
    for question in FOREIGN[:3]:
        answer = library.ask(question)
        assert answer.probability is not None
        assert not library.search(question, 8, cutoff=min(1.0, answer.probability + 1e-4))


def test_a_small_library_says_that_it_cannot_tell(tmp_path: Path) -> None:
    small = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    small.add([Document("tea", "Tea is dried in the sun."), Document("owl", "Owls hunt voles.")])
    answer = small.ask("How is tea dried?")
    assert answer.claims
    assert answer.probability is None
    assert "too small to tell" in answer.notes[-1]
    assert small.ask("quokka xylem").refused


def test_nothing_meets_the_filter(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.add([Document("tea", "Tea is dried in the sun.", metadata={"year": 2020})])
    answer = library.ask("How is tea dried?", where="year >= 2030")
    assert answer.refused
    assert answer.reason.startswith("no document of the library meets the limit year >= 2030")


def test_bad_questions(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    with pytest.raises(bookwheel.LibraryEmpty, match="is empty; add documents with"):
        library.ask("anything?")
    library.add([Document("tea", "Tea is dried in the sun.")])
    for bad in ("", "  \n"):
        with pytest.raises(bookwheel.QueryError, match="empty"):
            library.ask(bad)
    with pytest.raises(bookwheel.QueryError, match="at most"):
        library.ask("tea " * 250_000)
    assert library.ask("???").refused


def test_function_words_of_one_language_are_no_words_of_another(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True)
    library.add(
        [
            {
                "id": "de",
                "text": "Die Heizung wurde vom Betrieb Kolb erneuert, und sie heizt das ganze Haus mit dem Keller und dem Dach.",
            },
            {
                "id": "en",
                "text": "We took the night train to Vienna, and the hotel near the station was as cold as it had been in May.",
            },
        ]
    )
    assert library.ask("who was the king of Spain?").refused
    assert library.ask("Wer hat die Heizung erneuert?").claims[0].quotes[0].id == "de"
    assert library.ask("was the hotel cold?").claims[0].quotes[0].id == "en"


def test_letters_and_options_do_not_tell_the_language_of_a_question(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True)
    library.add(
        [
            {"id": "pt", "text": "O livro que foi escrito por ele não é do autor, mas da casa em que ele vivia com a família."},
            {"id": "en", "text": "The option set -e is used in scripts that are to end with the first error that they meet."},
        ]
    )
    question = "what does set -e do in scripts"
    words = [question[start:end] for start, end, _ in LibraryCollection(library._searcher).terms(question)]
    assert "scripts" in words
    assert "in" not in words
