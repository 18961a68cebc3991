"""Questions as people write them: about everything, with limits, and following each other."""

from __future__ import annotations

from pathlib import Path

import pytest

import bookwheel
from bookwheel._errors import ModelError
from bookwheel.read.conversation import unclear


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bookwheel.Library:
    library = bookwheel.open(tmp_path_factory.mktemp("asked") / "library", create=True, encoder=None)
    library.add(
        [
            {
                "id": "a",
                "text": "Solar panels were drawn by Ada Lovelace in Turin. They cost 40 dollars. The town paid.",
                "year": 2021,
            },
            {"id": "b", "text": "The solar panel was sold. Zoning rules changed in May. Nobody paid.", "year": 2018},
            {"id": "c", "text": "Bees dance. The hive is full of wax.", "year": 2018, "tags": ["red", "small"]},
            {"id": "d", "text": "Ada Lovelace was born in London in 1815 and wrote the first program.", "year": 2020},
        ]
    )
    return library


def test_counts_are_exact_and_quotes_are_stored_text(library: bookwheel.Library) -> None:
    answer = library.ask("How many documents mention solar panels?")
    assert answer.method == "scan"
    assert answer.claims[0].text == '2 documents of 4 mention "solar panels": 2 places in 2 passages.'
    assert answer.claims[0].status == "counted"
    assert [claim.quotes[0].id for claim in answer.claims[1:]] == ["a", "b"]
    for claim in answer.claims[1:]:
        (quote,) = claim.quotes
        assert library[quote.id].text[quote.start : quote.end] == quote.text == claim.text
    found = answer.everywhere
    assert found is not None
    assert [one.id for one in found] == ["a", "b"]
    assert answer.to_dict()["everywhere"]["occurrences"] == 2


def test_nothing_is_a_refusal_that_says_how_much_was_searched(library: bookwheel.Library) -> None:
    answer = library.ask("all reports that mention unicorns")
    assert answer.refused
    assert answer.reason == 'no document mentions "unicorns": all 4 documents were searched'


def test_words_apart_are_told(library: bookwheel.Library) -> None:
    answer = library.ask("list all documents that mention the town paid solar")
    assert "all of the words" in answer.text
    assert "in a row" in answer.notes[0]
    assert library.ask('list all documents that mention "town solar"').refused


def test_all_documents_under_a_limit(library: bookwheel.Library) -> None:
    assert library.ask("How many documents are there?").text == "There are 4 documents in the library."
    answer = library.ask("How many documents are there? year <= 2018")
    assert answer.text == "There are 2 documents in the library, within the limits."
    assert answer.limits == ("year <= 2018",)
    assert library.ask("How many documents mention paid? year = 2018").claims[0].text.startswith("1 document of 2 mentions")


def test_a_limit_is_taken_out_and_told(library: bookwheel.Library) -> None:
    answer = library.ask("What is said of the solar panel? year = 2018")
    assert {quote.id for claim in answer.claims for quote in claim.quotes} == {"b"}
    assert "limited to: year = 2018" in answer.notes
    assert answer.asked == "What is said of the solar panel?"
    assert answer.question == "What is said of the solar panel? year = 2018"
    assert not library.ask("What is said of the solar panel? year = 2018", limits=False).limits
    with pytest.raises(bookwheel.QueryError, match="only limits"):
        library.ask("year = 2018")


def test_a_soft_limit_gives_way_and_says_so(library: bookwheel.Library) -> None:
    # Nothing since 2021 tells of bees.
    answer = library.ask("Which bees dance since 2021", recipe="bm25")
    quoted = {quote.id for claim in answer.claims for quote in claim.quotes}
    assert (quoted == {"c"} and any("without that limit" in note for note in answer.notes)) or answer.limits == (
        "year >= 2021",
    )


def test_a_follow_up_is_completed(library: bookwheel.Library) -> None:
    answer = library.ask("How much did they cost?", history=("Who drew the solar panels?",))
    assert "panels" in answer.asked
    assert answer.evidence[0].id == "a"
    assert any(note.startswith("asked as: How much did they cost?") for note in answer.notes)


def test_words_of_earlier_questions_weigh_less_than_those_of_the_question(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    pharos = "The lighthouse of Pharos was planned by Sostratus, an architect of Knidos. Workers brought granite. {}"
    library.add(
        [{"id": "pharos", "text": pharos.format("Sailors in boats saw it from afar.")}, {"id": "mill", "text": "A mill."}]
    )
    answer = library.ask(
        "Which boats of sailors see it?",
        history=("Which architect planned the lighthouse of Pharos?",),
        sentences=1,
        threshold=0,
    )
    assert answer.asked.endswith("architect planned lighthouse Pharos")
    assert answer.text == "Sailors in boats saw it from afar."


class Rewriter:
    name = "rewriter"

    def __init__(self, text: str) -> None:
        self.text = text

    def generate(self, prompts, *, system="", max_tokens=128, stop=(), deadline=None):
        if not self.text:
            raise ModelError("the model is away")
        return [self.text for _ in prompts]

    def count_tokens(self, texts):
        return [len(text.split()) for text in texts]

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("How much did the solar panels cost?", "How much did the solar panels cost?"),
        ("How much did Microsoft pay in 1999?", "How much did they cost? solar panels"),
        ("", "How much did they cost? solar panels"),
    ],
)
def test_a_model_completes_with_words_of_the_conversation_only(library: bookwheel.Library, written: str, asked: str) -> None:
    from bookwheel.library.asking import LibraryCollection
    from bookwheel.read.conversation import Turn, complete
    from bookwheel.read.options import AskOptions

    collection = LibraryCollection(library._searcher)
    found = complete(collection, "How much did they cost?", [Turn("Who drew the solar panels?")], AskOptions(Rewriter(written)))
    assert found.question == asked
    assert bool(found.notes) == (found.question != written)


def test_a_pronoun_may_mean_a_name_of_the_last_answer(library: bookwheel.Library) -> None:
    from bookwheel.library.asking import LibraryCollection
    from bookwheel.read.conversation import Turn, complete
    from bookwheel.read.options import AskOptions

    collection = LibraryCollection(library._searcher)
    turns = [Turn("Who drew the solar panels?", "Solar panels were drawn by Ada Lovelace in Turin.")]
    assert "Ada Lovelace" in complete(collection, "Where was she born?", turns, AskOptions()).question
    assert "Ada" not in complete(collection, "Where is London?", turns, AskOptions()).question


def test_what_is_no_question(library: bookwheel.Library, tmp_path: Path) -> None:
    for wrong in ("", "  ", "x" * 40_000, "a\0b"):
        with pytest.raises(bookwheel.QueryError):
            library.ask(wrong)
    empty = bookwheel.open(tmp_path / "empty", create=True, encoder=None)
    with pytest.raises(bookwheel.LibraryEmpty):
        empty.ask("anything?")


@pytest.mark.parametrize(
    "question", ["And in winter?", "How many books did it hold?", "Why?", "Who was she?", "What about tea?"]
)
def test_these_leave_something_unsaid(question: str) -> None:
    assert unclear(question)


@pytest.mark.parametrize(
    "question", ["How do honey bees dance?", "What did Tesla do in his youth?", "Which river runs through Paris?"]
)
def test_these_do_not(question: str) -> None:
    assert not unclear(question)


@pytest.mark.parametrize(
    "wrong",
    [
        {"inside": 5}, {"history": [5]}, {"model": 5}, {"model": " "}, {"model": object(), "method": "stuff"},
        {"method": "stuff"}, {"passages": "x"}, {"threshold": float("nan")}, {"seconds": -1}, {"unsupported": "x"},
    ],
)  # fmt: skip
def test_options_that_make_no_sense_are_told(wrong: dict[str, object]) -> None:
    from bookwheel.read.options import AskOptions

    with pytest.raises(bookwheel.UsageError) as told:
        AskOptions(**wrong)  # type: ignore[arg-type]
    assert "\n" not in str(told.value)
