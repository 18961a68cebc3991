"""Reading methods: how often a model is asked, what it is shown, and that whatever it writes is bound to stored text."""

from __future__ import annotations

import numpy as np
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
    if "follow from the text" in prompt:
        return "Yes" if GOOD in prompt.partition("Statement:")[0] else "No"
    if "different short answers" in prompt:
        return "1. twelve books\n2. stones and grain"
    if "Candidate answer: stones" in prompt:
        return "Carts with a wheel carried stones and grain."
    if "Summary A" in prompt:
        return "A" if "twelve" in prompt.partition("Summary B")[0] else "B"
    if "rationale support" in prompt:
        return "Yes" if "twelve" in prompt else "No"
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


def test_sure_compares_the_summaries_of_its_candidates(library: bookwheel.Library) -> None:
    for first in ("twelve books", "stones and grain"):
        told = f"{first}\n{'stones and grain' if first == 'twelve books' else 'twelve books'}"
        model = Model(lambda prompt, told=told: told if "different short answers" in prompt else honest(prompt))
        answer = library.ask(QUESTION, model, method="sure", threshold=0)
        assert "twelve" in answer.text
        assert "stones" not in answer.text
        assert len(model.prompts) == 7  # candidates, a summary and a Yes or No for each, the pair in both orders


def test_sure_takes_no_candidate_that_stored_text_does_not_support(library: bookwheel.Library) -> None:
    def lies(prompt: str) -> str:
        if "different short answers" in prompt:
            return "ninety books\ntwelve books"
        return "The wheel of Ramelli held ninety books." if "Candidate answer: ninety" in prompt else honest(prompt)

    answer = library.ask(QUESTION, Model(lies), method="sure", threshold=0)
    assert "ninety" not in answer.text
    assert answer.method == "sure"


def test_what_a_first_answer_does_not_follow_from_is_left_out(library: bookwheel.Library) -> None:
    model = Model(honest)
    answer = library.ask(QUESTION, model, method="entailed", threshold=0)
    assert "chained" in model.prompts[0]
    assert "chained" not in model.prompts[-1]
    assert GOOD in model.prompts[-1]
    assert answer.method == "entailed"
    model = Model(lambda prompt: "No" if "follow from the text" in prompt else honest(prompt))
    answer = library.ask(QUESTION, model, method="entailed", threshold=0)
    assert answer.method == "quote"
    assert any("follows from no passage" in note for note in answer.notes)


def test_a_verifier_judges_what_follows(library: bookwheel.Library) -> None:
    model, judge = Model(lambda _: GOOD), Model(lambda prompt: "yes." if GOOD in prompt.partition("Statement:")[0] else "no")
    library.ask(QUESTION, model, method="entailed", verifier=judge, threshold=0)
    assert len(model.prompts) == 2
    assert all("Does the statement follow" in prompt for prompt in judge.prompts)


class Attending(Model):
    """Attends to passages that have a word, and reads its prompt in parts."""

    context = 4096

    def __init__(self, word: str) -> None:
        super().__init__(honest)
        self.word = word
        self.read: list[list[str]] = []

    def sequence(self, parts, *, max_tokens=256):
        self.read.append(list(parts))
        return [part.split() for part in parts]

    def attention(self, blocks, suffix, query, *, heads=None, move=False):
        assert "Question:" in suffix
        return [np.full((2, len(block)), 0.5 if self.word in " ".join(block) else 0.1, np.float32) for block in blocks]


def test_what_is_attended_to_most_comes_last(library: bookwheel.Library) -> None:
    words = ("chained", "1588", "grain")
    for word in words:
        model = Attending(word)
        answer = library.ask(QUESTION, model, method="attention_sort", threshold=0)
        (prompt,) = model.prompts
        assert prompt.index(word) == max(prompt.index(other) for other in words)
        assert len(model.read) == (1 if word == "1588" else 2)  # the best is last before anything is read
        assert answer.spent.calls == 1 + len(model.read)


def test_an_unknown_method_is_a_mistake(library: bookwheel.Library) -> None:
    with pytest.raises(bookwheel.UsageError, match="map_reduce"):
        library.ask(QUESTION, Model(honest), method="nosuch")


@pytest.mark.parametrize(
    ("text", "score"), [("7", 7), ("10/10: all", 10), ("Score: 3, little", 3), ("none", None), ("42", None)]
)
def test_relevance_is_read(text: str, score: int | None) -> None:
    assert relevance(text) == score
