"""Reading methods: how often a model is asked, what it is shown, and that whatever it writes is bound to stored text."""

from __future__ import annotations

import pytest
from scripted_model import GOOD, QUESTION, TEXTS, Model

import bookwheel
from bookwheel.read.methods import METHODS
from bookwheel.read.methods.base import relevance


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bookwheel.Library:
    library = bookwheel.open(tmp_path_factory.mktemp("methods") / "library", create=True, encoder=None)
    library.add(TEXTS)
    return library


def honest(prompt: str) -> str:
    if "number from 0" in prompt:
        return "9: twelve books" if GOOD in prompt else "0: nothing"
    if "simpler questions" in prompt:
        return "1. Who drew the wheel?\n2. How is tea dried?"
    return GOOD if GOOD in prompt else "NOT IN THE PASSAGES"


@pytest.mark.parametrize("name", METHODS)
def test_a_method_answers_from_stored_text(library: bookwheel.Library, name: str) -> None:
    model = Model(honest)
    answer = library.ask(QUESTION, model, method=name, threshold=0)
    assert answer.method == name
    assert GOOD in answer.text
    assert answer.spent.calls == len(model.prompts)
    assert answer.spent.prompt_tokens > 0
    known = {one.number: one for one in answer.evidence}
    for claim in answer.claims:
        for quote in claim.quotes:
            assert library[quote.id].text[quote.start : quote.end] == quote.text
            assert known[quote.evidence].id == quote.id


@pytest.mark.parametrize("name", METHODS)
def test_a_liar_gets_nothing_shown_as_supported(library: bookwheel.Library, name: str) -> None:
    answer = library.ask(
        QUESTION, Model(lambda _: "The wheel of Ramelli held ninety books and was built in Oslo [1]."), method=name, threshold=0
    )
    assert "ninety" not in answer.text
    assert "Oslo" not in answer.text
    assert answer.method == "quote"


@pytest.mark.parametrize("name", METHODS)
def test_calls_are_bounded(library: bookwheel.Library, name: str) -> None:
    for most in (1, 2, 3):
        model = Model(honest)
        answer = library.ask(QUESTION, model, method=name, threshold=0, calls=most)
        assert len(model.prompts) <= most
        assert answer.claims


def test_what_each_is_shown(library: bookwheel.Library) -> None:
    def prompts(name: str) -> list[str]:
        model = Model(honest)
        library.ask(QUESTION, model, method=name, threshold=0)
        return model.prompts

    (stuffed,) = prompts("stuff")
    assert stuffed.index("Many books were chained") < stuffed.index(GOOD)  # the best last
    (short,) = prompts("compress")
    assert GOOD in short
    assert len(short) < len(stuffed)
    judged = prompts("summarise_first")
    assert "chained" not in judged[-1]
    assert any("Tea is dried" in prompt for prompt in prompts("self_ask")[-1:])


def test_corrective_searches_again(library: bookwheel.Library) -> None:
    def blind(prompt: str) -> str:
        if "number from 0" in prompt:
            return "0"
        return "How is tea dried" if "Tea is dried" not in prompt and "=== " not in prompt else "Tea is dried in the sun."

    model = Model(blind)
    answer = library.ask(QUESTION, model, method="corrective", passages=2, threshold=0)
    assert any(one.id == "tea" for one in answer.evidence)
    assert len({one.number for one in answer.evidence}) == len(answer.evidence)


def test_an_unknown_method_is_a_mistake(library: bookwheel.Library) -> None:
    with pytest.raises(bookwheel.UsageError, match="map_reduce"):
        library.ask(QUESTION, Model(honest), method="nosuch")


@pytest.mark.parametrize(
    ("text", "score"), [("7", 7), ("10/10: all", 10), ("Score: 3, little", 3), ("none", None), ("42", None)]
)
def test_relevance_is_read(text: str, score: int | None) -> None:
    assert relevance(text) == score
