"""Reading methods that use a model's probabilities, its doubts, a second model, or the estimate of refusal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from scripted_model import GOOD, QUESTION, TEXTS, Model

import bookwheel
from bookwheel.language import Reply
from bookwheel.read.difficulty import FEATURES, Difficulty, trained
from bookwheel.read.methods.chain_of_note import answered
from bookwheel.read.methods.replug import weights


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bookwheel.Library:
    library = bookwheel.open(tmp_path_factory.mktemp("probability") / "library", create=True, encoder=None)
    library.add(TEXTS)
    return library


class Sure(Model):
    """Also tells how probable each word of an answer is: a doubtful one is written with a question mark behind it."""

    def stream(self, prompt, *, system="", max_tokens=128, stop=(), deadline=None, reply=None) -> Iterator[str]:
        self.prompts.append(prompt)
        told = reply or Reply()
        for word in self.say(prompt).split():
            text = word.replace("?", "") + " "
            if told.probabilities:
                told.tokens.append((text, math.log(0.1 if "?" in word else 0.95)))
            yield text
        told.finish = "stop"


class Together(Model):
    """Answers several prompts with one text."""

    def ensemble(self, prompts, weights, *, system="", max_tokens=128, stop=(), deadline=None, reply=None) -> Iterator[str]:
        self.given = list(zip(prompts, weights, strict=True))
        yield from self.say("\n".join(prompts)).split(" twelve")
        reply.prompt_tokens = 5


class Scoring(Model):
    """Finds a text of some words probable, more so where the question stands before it."""

    def __init__(self, say: Callable[[str], str], likes: str) -> None:
        super().__init__(say)
        self.likes = likes

    def log_likelihoods(self, contexts, continuations, *, deadline=None):
        found = []
        for context, text in zip(contexts, continuations, strict=True):
            liked = self.likes in text and "Question" in context
            found.append(np.full(len(text.split()), -1.0 if liked else -3.0, np.float32))
        return found


def honest(prompt: str) -> str:
    return GOOD if GOOD in prompt else "NOT IN THE PASSAGES"


def test_replug_averages_tokens_where_the_model_can(library: bookwheel.Library) -> None:
    model = Together(lambda prompt: "The wheel of Ramelli held twelve books." if GOOD in prompt else "nothing")
    model.say = lambda prompt: GOOD.replace(" twelve", " twelve twelve")  # pieces: before and behind it
    answer = library.ask(QUESTION, model, method="replug", threshold=0)
    assert sum(weight for _, weight in model.given) == pytest.approx(1)
    assert [weight for _, weight in model.given] == sorted((weight for _, weight in model.given), reverse=True)
    assert all(prompt.count("end of passage") == 1 for prompt, _ in model.given)
    assert answer.spent.calls == 1


def test_replug_takes_the_answer_that_more_of_the_weight_rests_on(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    said = {
        "one": "The wheel of Ramelli held nine books in Pisa.",
        "two": "The wheel of Ramelli held twelve books, as drawn.",
        "three": "In a copy the wheel of Ramelli held twelve books, as drawn.",
    }
    library.add([{"id": name, "text": text} for name, text in said.items()])

    def say(prompt: str) -> str:
        return said["one"] if said["one"] in prompt else "The wheel of Ramelli held twelve books."

    answer = library.ask(QUESTION, Model(say), method="replug", threshold=0)
    assert answer.method == "replug"
    assert "twelve" in answer.text
    assert "nine" not in answer.text
    even = weights(list(answer.evidence))
    assert sum(even) == pytest.approx(1)
    assert even == sorted(even, reverse=True)


def test_notes_are_no_part_of_the_answer(library: bookwheel.Library) -> None:
    model = Model(lambda prompt: f"[1] says that twelve books were held\n[2] irrelevant\nAnswer: {honest(prompt)}")
    answer = library.ask(QUESTION, model, method="chain_of_note", threshold=0)
    assert answer.method == "chain_of_note"
    assert "irrelevant" not in answer.text
    assert not answer.omitted
    assert len(model.prompts) == 1
    assert answered("Answer: one\n**Final answer:** two") == "two"
    assert answered("no such line") == ""


def test_flare_searches_for_what_the_model_doubts(library: bookwheel.Library) -> None:
    def say(prompt: str) -> str:
        return GOOD if "Tea is dried" in prompt else "The tea? is dried in milk?"

    model = Sure(say)
    answer = library.ask(QUESTION, model, method="flare", passages=2, threshold=0)
    assert "Tea is dried" not in model.prompts[0]
    assert "Tea is dried" not in "".join(model.prompts[1:])  # "tea" itself is masked: it is what was doubted

    def other(prompt: str) -> str:
        return GOOD if "Tea is dried" in prompt else "The tea is dried in milk?"

    model = Sure(other)
    answer = library.ask(QUESTION, model, method="flare", passages=2, threshold=0)
    assert "Tea is dried" in model.prompts[1]
    assert answer.method == "flare"
    assert GOOD in answer.text
    assert len(model.prompts) == 2
    model = Sure(lambda prompt: GOOD)
    library.ask(QUESTION, model, method="flare", passages=2, threshold=0)
    assert len(model.prompts) == 1  # nothing is doubted


def test_iterate_stops_when_the_claims_have_what_was_asked(library: bookwheel.Library) -> None:
    model = Model(honest)
    answer = library.ask(QUESTION, model, method="iterate", passages=1, threshold=0)
    assert len(model.prompts) == 1
    model = Model(lambda prompt: "Tea is dried in the sun.")
    answer = library.ask("What is chained?", model, method="iterate", passages=1, threshold=0)
    assert len(model.prompts) == 2
    assert any(one.id == "tea" for one in answer.evidence)


@pytest.mark.parametrize("name", ["compress_by_model", "selective_context"])
def test_sentences_are_chosen_by_their_probability(library: bookwheel.Library, name: str) -> None:
    model = Scoring(honest, "twelve books" if name == "compress_by_model" else "nosuch")
    answer = library.ask(QUESTION, model, method=name, threshold=0)
    plain = Model(honest)
    library.ask(QUESTION, plain, method="stuff", threshold=0)
    assert len(model.prompts[-1]) < len(plain.prompts[0])
    assert answer.claims
    if name == "compress_by_model":
        assert GOOD in model.prompts[-1]
        assert answer.method == name


def test_a_verifier_chooses_among_drafts(library: bookwheel.Library) -> None:
    def say(prompt: str) -> str:
        return f"Rationale: it says so\nAnswer: {GOOD if GOOD in prompt else 'Many books were chained.'}"

    for likes in ("twelve", "chained"):
        verifier = Scoring(lambda prompt: "Yes", likes)
        answer = library.ask("Which books?", Model(say), method="speculative", threshold=0, verifier=verifier)
        assert answer.method == "speculative"
        assert likes in answer.text
    asked = Model(lambda prompt: "No" if "chained" in prompt else "Yes")
    answer = library.ask(QUESTION, Model(say), method="speculative", threshold=0, verifier=asked)
    assert asked.prompts
    assert GOOD in answer.text
    model = Model(say)
    answer = library.ask(QUESTION, model, method="speculative", threshold=0)
    assert answer.method == "speculative"  # without a verifier the stored text chooses
    assert GOOD in answer.text
    assert 1 < len(model.prompts) <= 3


def test_how_much_is_done_depends_on_the_question(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.add([*TEXTS, *({"id": f"p{n}", "text": text} for n, (_, text) in enumerate(prose[:30]))])
    model = Model(honest)

    def calls(level: int) -> int:
        steps = ((1.0 if level > 0 else -1.0, *[0.0] * 5), (1.0 if level > 1 else -1.0, *[0.0] * 5))
        model.prompts.clear()
        answer = library.ask(QUESTION, model, method="adaptive", difficulty=Difficulty(steps), threshold=0)
        assert answer.claims
        return len(model.prompts)

    assert [calls(level) for level in (0, 1, 2)] == [0, 1, 2]
    answer = library.ask(QUESTION, model, method="adaptive", threshold=0)
    assert answer.probability is not None


def test_a_trained_difficulty_is_kept_in_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = rng.random((90, len(FEATURES)))
    levels = [0 if row[0] > 0.66 else 1 if row[0] > 0.33 else 2 for row in rows]
    made = trained(rows, levels)
    assert np.mean([made.level(row) == level for row, level in zip(rows, levels, strict=True)]) > 0.75
    made.save(tmp_path / "difficulty.json")
    assert Difficulty.of(tmp_path / "difficulty.json") == made
    (tmp_path / "bad.json").write_text('{"steps": [[1], 2]}')
    for name in ("bad.json", "missing.json"):
        with pytest.raises(bookwheel.BookwheelError, match="difficulty"):
            Difficulty.of(tmp_path / name)
    with pytest.raises(bookwheel.UsageError, match="level"):
        trained(rows, [0] * len(rows))
