"""Sources of pairs that are made as queries are where nobody has judged: what a query is, what answers it, and what it lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

import bookwheel
from bookwheel import Document
from bookwheel._errors import UsageError
from bookwheel.train.data.made import _answer
from bookwheel.train.data.material import Asking, Material
from bookwheel.train.data.passages import Passages
from bookwheel.train.data.sources import SOURCES, Source, pairs_of, source_of
from bookwheel.tune.made.drawn import Drawn
from bookwheel.tune.made.masking import plain_words
from bookwheel.tune.made.query import Draft, Taken
from bookwheel.tune.made.registry import WAYS

LINKED = {
    "sails.md": "# Sails\n\nA sloop carries one mast. See [rigging of small sloops](ropes.md) for what holds it up.\n",
    "ropes.md": "# Ropes\n\nRigging of small sloops is made of hemp. Stays and shrouds hold the mast, and halyards hoist the sails.\n",
}


class Asked:
    """A model that asks what the first words of its passage are about."""

    name = "asked"
    revision = "1"
    context = 4096

    def __init__(self) -> None:
        self.calls = 0

    def generate(self, prompts: Sequence[str], **_: Any) -> list[str]:
        self.calls += len(prompts)
        words = [prompt.split("Passage:")[-1].split() for prompt in prompts]
        return [f"What is known of {' '.join(one[2:7])}?" for one in words]


def material(library: bookwheel.Library, **asking: Any) -> Material:
    return Material(library, library, Passages.drawn(library._snapshot, 100, 0), 3, Asking(**asking))


def test_a_cloze_question_is_answered_by_its_passage_which_lost_words(library: bookwheel.Library) -> None:
    """Most of the words of the question that tell something are missing from the sentence that it is made of."""
    pairs = list(pairs_of(material(library), [source_of("cloze")], []))[:40]
    assert len(pairs) == 40
    kept = []
    for pair in pairs:
        document = library.document(pair.document)
        whole = plain_words(f"{document.title} {document.text}")
        words = [word for word in plain_words(pair.query).split() if len(word) > 4]
        assert all(word in whole for word in words)
        answer = plain_words(pair.answer)
        assert answer.split()[-1] in whole
        kept.append(sum(word in answer for word in words) / max(1, len(words)))
    assert sum(kept) / len(kept) < 0.75
    again = list(pairs_of(material(library), [source_of("cloze")], []))[:40]
    assert again == pairs
    left_out = pairs[0].query
    assert left_out not in [pair.query for pair in pairs_of(material(library), [source_of("cloze")], [left_out])]


def test_the_words_of_a_link_lead_to_the_document_that_is_linked_to(tmp_path: Path) -> None:
    for name, text in LINKED.items():
        (tmp_path / name).write_text(text)
    with bookwheel.open(tmp_path / "library", create=True) as library:
        library.index([tmp_path / "sails.md", tmp_path / "ropes.md"])
        (pair,) = pairs_of(material(library), [source_of("links")], [])
        assert pair.query == "rigging of small sloops"
        assert library.document(pair.document).source.endswith("ropes.md")
        assert "halyards hoist the sails" in pair.answer
        assert "small sloops" not in pair.answer.casefold()


def test_subjects_of_threads_lead_to_their_mails(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "library", create=True) as library:
        said = ("The harbour master wants the berths counted before the winter storms arrive.", "We counted nineteen of them.")
        library.add(
            Document(
                f"mail {at}",
                text + " Greetings from the office near the old lighthouse.",
                title=title,
                metadata={"from": "a@b.c"},
            )
            for at, (title, text) in enumerate(
                zip(("Berths for visiting yachts", "Re: Berths for visiting yachts"), said, strict=True)
            )
        )
        pairs = list(pairs_of(material(library), [source_of("replies")], []))
        assert {(pair.query, pair.document) for pair in pairs} == {("Berths for visiting yachts", n) for n in (1, 2)}
        assert not any("Berths for visiting" in pair.answer for pair in pairs)


def test_a_model_writes_questions_until_the_time_is_over(
    library: bookwheel.Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = Asked()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("bookwheel.tune.made.written.writer", lambda _: model)
    held = material(library, until={"written": 0.0})
    assert not list(pairs_of(held, [source_of("written=asked")], []))
    assert held.asking.used == {"written": 0}
    assert model.calls == 0
    some = material(library, counts={"written": 6})
    pairs = list(pairs_of(some, [source_of("written=asked")], []))
    assert some.asking.used == {"written": 6}
    assert 1 <= len(pairs) <= 6
    for pair in pairs:
        assert pair.query.startswith("What is known of ")
        assert pair.query not in pair.answer
        document = library.document(pair.document)
        assert plain_words(pair.answer.rpartition("\n")[2])[:60] in plain_words(document.text)
    calls = model.calls
    assert list(pairs_of(material(library, counts={"written": 6}), [source_of("written=asked")], [])) == pairs
    assert model.calls == calls  # answers are kept


def test_a_model_describes_passages_in_other_words(
    library: bookwheel.Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What repeats the passage is no description; and two sources that ask a model share its time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("bookwheel.tune.made.written.consistent", lambda *_: True)
    told = cycle(["Somebody describes strange creatures elsewhere", "copy"])

    class Describing(Asked):
        def generate(self, prompts: Sequence[str], **_: Any) -> list[str]:
            assert all("kind of text" in prompt for prompt in prompts)
            said = next(told)
            return [
                " ".join(one.split("Text:")[-1].split()[:9]) if said == "copy" else f"{said} {self.calls}" for one in prompts
            ]

    monkeypatch.setattr("bookwheel.tune.made.written.writer", lambda _: Describing())
    some = material(library, counts={"described": 6})
    pairs = list(pairs_of(some, [source_of("described=some")], []))
    assert len(pairs) == 3  # of six that were asked for
    assert all(pair.query.startswith("Somebody describes") for pair in pairs)
    assert "described" not in WAYS
    shared = Asking.shared(["written", "described"], 100.0)
    assert 40 < shared.until["described"] - shared.until["written"] < 60
    with pytest.raises(UsageError, match=r"give described=MODEL, such as described=smollm2"):
        source_of("described")


class Copying(Asked):
    """A model that copies words from the end of what it is shown, where it is asked to copy."""

    def __init__(self) -> None:
        super().__init__()
        self.copied = 0

    def copying(self, prompt: str, source: str, **_: Any) -> Iterator[str]:
        assert source in prompt
        self.copied += 1
        yield f"How about {' '.join(source.split()[-8:-2])}?"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


def test_a_model_copies_from_the_passage_while_it_writes(
    library: bookwheel.Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Copied answers are kept, apart from those that the same model wrote to the same prompt by itself."""
    model = Copying()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("bookwheel.tune.made.written.writer", lambda _: model)
    monkeypatch.setattr("bookwheel.tune.made.copied.language_model", lambda _: model)
    counts = {"written": 5, "copied": 5}
    sources = [source_of("written=smollm2"), Source("copied", "smollm2")]
    pairs = list(pairs_of(material(library, counts=counts), sources, []))
    first, last = ([pair for pair in pairs if pair.domain == domain] for domain in (0, 1))
    assert first
    assert last
    assert all(pair.query.startswith("What is known of ") for pair in first)
    assert all(pair.query.startswith("How about ") for pair in last)
    for pair in last:
        assert plain_words(pair.query.removeprefix("How about ")) in plain_words(library.document(pair.document).text)
    assert (model.calls, model.copied) == (5, 5)
    assert list(pairs_of(material(library, counts=counts), sources, [])) == pairs
    assert (model.calls, model.copied) == (5, 5)  # both are kept


def test_what_is_taken_out_of_an_answer_may_overlap(library: bookwheel.Library) -> None:
    """A span inside of the question's own words takes nothing beside them away."""
    document = next(iter(Drawn.of(library, 0).documents()))
    end = document.passages[0][1]
    words = document.text[:end].split()
    phrase, rest = " ".join(words[:6]), " ".join(words[6:])
    longest = max(words[:6], key=len)
    inside = document.text.find(longest)
    draft = Draft(phrase, {document.number: 1}, {document.number: Taken(spans=((inside, inside + len(longest)),))}, "")
    answer = _answer(document, draft)
    assert plain_words(answer.removeprefix(document.title)) == plain_words(rest)


def test_sources_are_named_as_they_are_given() -> None:
    assert {"cloze", "links", "replies", "written", "copied"} < set(SOURCES)
    with pytest.raises(UsageError, match=r"give written=MODEL, such as written=smollm2"):
        source_of("written")
    with pytest.raises(UsageError, match=r"copied questions are a language model's; give copied=MODEL, such as copied=smollm2"):
        source_of("copied")
    with pytest.raises(UsageError, match="log is read from a file; give log=FILE"):
        source_of("log")
    assert SOURCES["log"] is SOURCES["queries"]
    with pytest.raises(UsageError, match="give cloze alone"):
        source_of("cloze=x")
    with pytest.raises(UsageError, match=r"choose from titles, cloze, links, replies, written=MODEL"):
        source_of("dreams")
