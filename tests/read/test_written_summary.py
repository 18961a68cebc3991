"""Summaries that a model writes: a tree of prompts within its budget, and nothing shown that stored text does not say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import bookwheel
from bookwheel.read.written_summary import _spaced, groups_of, leaves_for

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
    assert "===" not in model.prompts[0]  # small models repeat what stands around passages
    assert found.method == "write"
    assert [claim.text for claim in found.claims] == [claim.text for claim in plain.claims]
    short = library.summarise("mills", sentences=3, words=25, model=Model(first_facts))
    assert 0 < len(short.text.split()) <= 25


def test_the_context_is_kept(library: bookwheel.Library) -> None:
    model = Model(first_facts)
    library.summarise("mills", model=model)
    assert len(model.prompts) == 1
    shorter = Model(first_facts)
    found = library.summarise("mills", sentences=3, model=shorter, context=520)
    assert len(shorter.prompts) > 2
    assert all(len(prompt.split()) <= 520 for prompt in shorter.prompts)
    assert found.method == "write"
    with pytest.raises(bookwheel.UsageError, match="context"):
        library.summarise("mills", model=model, context=20)


def test_what_was_written_before_a_failure_stands(library: bookwheel.Library) -> None:
    count = 0

    def failing(prompt: str) -> str:
        nonlocal count
        count += 1
        if count == 3:
            raise RuntimeError("the line is dead")
        return first_facts(prompt)

    found = library.summarise("mills", sentences=3, model=Model(failing, context=520))
    assert count == 3
    assert found.method == "write"
    assert any("the line is dead" in note for note in found.notes)
    assert len(found.claims) == 3


def test_marks_around_passages_that_a_model_repeats_are_no_sentences(library: bookwheel.Library) -> None:
    found = library.summarise(
        "mills", sentences=3, model=Model(lambda prompt: f"=== 0a1b2c3d passage [1] from “A” ===\n{first_facts(prompt)}")
    )
    assert found.method == "write"
    assert found.omitted == ()


def test_a_model_that_is_not_there_is_told_even_where_none_is_needed(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.add([{"id": "short", "text": "Yes."}, {"id": "long", "text": "The mill at Ford ground wheat for forty farms."}])
    for name in ("short", "long"):
        assert any("/nope" in note for note in library.summarise(name, model="/nope").notes)
    for question in ("Who is the president of Mars?", "How many documents mention wheat?", "Who ground wheat?"):
        assert any("/nope" in note for note in library.ask(question, model="/nope").notes)
    assert not library.ask("Who is the president of Mars?").notes[1:]


def test_groups_are_read_so_that_the_first_lie_all_over() -> None:
    assert _spaced(0) == []
    assert _spaced(1) == [0]
    assert _spaced(6) == [0, 4, 2, 1, 5, 3]


def test_what_a_tree_costs() -> None:
    assert [leaves_for(calls) for calls in (1, 2, 3, 8, 16)] == [1, 1, 2, 6, 12]
    assert groups_of([3, 3, 3, 9, 3], 6, 5) == [[0, 1], [2, 4]]
    assert groups_of([3, 3, 3], 3, 2) == [[0], [1]]
