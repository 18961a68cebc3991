"""Summaries that a model writes: a tree of prompts within its budget, and nothing shown that stored text does not say."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

import bookwheel
from bookwheel.read.written_summary import groups_of, leaves_for

FACTS = [f"The mill number {n} at Ford{n} ground wheat for {n + 20} farms." for n in range(12)]
TEXT = "\n\n".join(f"{fact} People came to it on foot or by cart from far away, and waited there for hours." for fact in FACTS)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bookwheel.Library:
    library = bookwheel.open(tmp_path_factory.mktemp("written") / "library", create=True, encoder=None, words=30)
    library.add([{"id": "mills", "text": TEXT}])
    return library


class Model:
    name = "scripted"

    def __init__(self, say: Callable[[str], str], context: int = 4096) -> None:
        self.say = say
        self.context = context
        self.prompts: list[str] = []

    def generate(self, prompts, *, system="", max_tokens=128, stop=(), deadline=None):
        self.prompts += prompts
        return [self.say(prompt) for prompt in prompts]

    def count_tokens(self, texts):
        return [len(text.split()) for text in texts]

    def close(self) -> None: ...


def first_facts(prompt: str) -> str:
    return " ".join(re.findall(r"The mill number \d+ at Ford\d+ ground wheat for \d+ farms\.", prompt)[:2])


def test_a_tree_of_prompts_ends_in_cited_sentences(library: bookwheel.Library) -> None:
    model = Model(first_facts, context=520)
    found = library.summarise("mills", sentences=3, model=model)
    assert len(model.prompts) > 2  # leaves, and what joins them
    assert "People came" not in model.prompts[-1]  # the last one reads summaries
    assert found.method == "write"
    assert found.model == "scripted"
    assert found.spent.calls == len(model.prompts)
    assert 0 < len(found.claims) <= 3
    known = {one.number for one in found.evidence}
    for claim in found.claims:
        assert claim.text in FACTS
        for quote in claim.quotes:
            assert quote.evidence in known
            assert library["mills"].text[quote.start : quote.end] == quote.text
            assert quote.place


@pytest.mark.parametrize("calls", [1, 2, 3, 7])
def test_calls_are_bounded(library: bookwheel.Library, calls: int) -> None:
    model = Model(first_facts, context=520)
    found = library.summarise("mills", model=model, calls=calls)
    assert len(model.prompts) <= calls
    assert found.claims
    assert any("passages" in note for note in found.notes) or calls == 7


def test_a_liar_leaves_the_documents_own_sentences(library: bookwheel.Library) -> None:
    lie = "The mill number 3 at Ford3 ground wheat for 99 farms. The mills were closed by the king in 1720."
    plain = library.summarise("mills", sentences=3)
    found = library.summarise("mills", sentences=3, model=Model(lambda _: lie))
    assert found.text == plain.text
    assert found.method == plain.method
    assert {claim.status for claim in found.omitted} == {"altered", "unsupported"}
    marked = library.summarise("mills", sentences=1, model=Model(lambda _: f"{FACTS[0]} {lie}"), unsupported="mark")
    assert marked.claims[0].status == "quoted"
    assert {claim.status for claim in marked.claims[1:]} == {"altered", "unsupported"}


def test_a_model_that_fails_costs_nothing(library: bookwheel.Library) -> None:
    def broken(prompt: str) -> str:
        raise RuntimeError("no such layer")

    plain = library.summarise("mills")
    found = library.summarise("mills", model=Model(broken))
    assert found.text == plain.text
    assert any("no such layer" in note for note in found.notes)
    small = library.summarise("mills", model=Model(first_facts, context=100))
    assert small.text == plain.text
    assert any("context" in note for note in small.notes)
    with pytest.raises(bookwheel.UsageError, match="calls"):
        library.summarise("mills", model=Model(first_facts), calls=0)


def test_a_small_model_reads_chosen_sentences_and_drops_none(library: bookwheel.Library) -> None:
    plain = library.summarise("mills", sentences=3)
    model = Model(lambda prompt: plain.claims[1].text)
    model.parameters = 135_000_000
    found = library.summarise("mills", sentences=3, model=model)
    assert len(model.prompts) == 1
    assert all(claim.text in model.prompts[0] for claim in plain.claims)
    assert model.prompts[0].count("end of passage") == len(plain.claims)
    assert found.method == "write"
    assert [claim.text for claim in found.claims] == [claim.text for claim in plain.claims]
    short = library.summarise("mills", sentences=3, words=25, model=Model(first_facts))
    assert 0 < len(short.text.split()) <= 25


def test_what_a_tree_costs() -> None:
    assert [leaves_for(calls) for calls in (1, 2, 3, 8, 16)] == [1, 1, 2, 6, 12]
    assert groups_of([3, 3, 3, 9, 3], 6, 5) == [[0, 1], [2, 4]]
    assert groups_of([3, 3, 3], 3, 2) == [[0], [1]]
