from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel._errors import InputError, ModelError, UsageError
from bookwheel.language.answer_cache import AnswerCache
from bookwheel.language.ask import Asker
from bookwheel.language.prompts import load_prompt, prompt_names
from bookwheel.rank.stages.asking import write_passage, write_queries
from bookwheel.rank.stages.feedback.steer import picked_sentences
from bookwheel.rank.stages.fuse.decompose import simpler_questions
from bookwheel.rank.stages.rewrite.rewrite import standalone_question


class Scripted:
    """Answers from a list, one after the other."""

    name = "scripted"

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.prompts: list[str] = []

    def generate(self, prompts: Sequence[str], **_: object) -> list[str]:
        self.prompts += prompts
        return [self.answers.pop(0) for _ in prompts]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    def close(self) -> None: ...


def asked(*answers: str, **budget: float) -> Asker:
    return Asker(Scripted(*answers), AnswerCache(), **budget)


@pytest.mark.parametrize(
    "answer",
    [
        "wing lift at low speed\nhow wings lift",
        "1. wing lift at low speed\n2. how wings lift\n",
        "Sure, here are two queries:\n- Query: wing lift at low speed\n- Query: how wings lift",
        '"wing lift at low speed"\n"How wings lift"\n"wing lift at low speed?"\nlift of a wing',
    ],
)
def test_answers_of_every_manner_are_read(answer: str) -> None:
    found = write_queries(asked(answer), "Lift of a wing?", 2)
    assert [text.lower() for text in found] == ["wing lift at low speed", "how wings lift"]


@pytest.mark.parametrize("answer", ["", "  \n", "...", "Lift of a wing", "Sure!"])
def test_answers_of_no_use_are_failures(answer: str) -> None:
    with pytest.raises(ModelError):
        write_queries(asked(answer), "lift of a wing?")


def test_a_question_that_is_answered_was_not_taken_apart() -> None:
    query = "which scheduler runs real-time tasks and how is its priority set"
    essay = "The scheduler used for real-time tasks is called the real-time scheduler. " * 4
    with pytest.raises(ModelError, match="found no parts"):
        simpler_questions(asked(essay), query)
    assert simpler_questions(asked(f"{essay}\nHow is its priority set?"), query) == ["How is its priority set?"]


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_whatever_the_model_says_is_lines_or_a_model_error(answer: str) -> None:
    try:
        found = simpler_questions(asked(answer), "a question", 3)
    except ModelError:
        return
    assert 1 <= len(found) <= 3
    assert all(line.strip() and len(line) <= 600 and "\n" not in line for line in found)


def test_a_follow_up_sees_the_questions_before() -> None:
    model = Scripted("Standalone question: When was the white stork first ringed?")
    found = standalone_question(
        Asker(model, AnswerCache()), "when was it first ringed?", ["what is a\nwhite stork?", "where does it nest?"]
    )
    assert found == "When was the white stork first ringed?"
    assert "- what is a white stork?\n- where does it nest?" in model.prompts[0]


def test_an_expansion_may_read_passages() -> None:
    model = Scripted("A passage.", "Another.")
    one = Asker(model, AnswerCache())
    assert write_passage(one, "q {passages}") == "A passage."
    assert "q {passages}" in model.prompts[0]
    assert write_passage(one, "q", ["first text", "second {query} text"]) == "Another."
    assert "[1] first text\n[2] second {query} text" in model.prompts[1]


def test_steering_takes_only_what_the_passages_say() -> None:
    passages = ["The stork nests on chimneys. It eats many frogs in shallow water.", "Trout live in cold rivers."]
    answer = "It eats many frogs in shallow water\nStorks are wonderful birds of happiness and joy."
    assert picked_sentences(asked(answer), "what do storks eat", passages) == ["It eats many frogs in shallow water."]
    with pytest.raises(ModelError, match="picked no sentence"):
        picked_sentences(asked("Storks are wonderful birds of happiness."), "q", passages)


# -- budget and answers ------------------------------------------------------------------------------------------------


def test_the_same_prompt_is_asked_once(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "answers.sqlite"
    for number in range(3):
        model = Scripted("other words")
        answers = AnswerCache(path)
        assert write_queries(Asker(model, answers, calls=1), "a query") == ["other words"]
        assert len(model.prompts) == (0 if number else 1)
        answers.close()
    assert path.stat().st_mode & 0o077 == 0


def test_answers_are_kept_by_model_and_prompt() -> None:
    answers = AnswerCache()
    answers.put("one", "p", "text", "answer")
    assert answers.get("one", "text") == "answer"
    assert answers.get("two", "text") is None
    assert answers.get("one", "text ") is None


def test_the_oldest_answers_go_first(tmp_path: Path) -> None:
    answers = AnswerCache(tmp_path / "a.sqlite", limit=5000)
    for number in range(40):
        answers.put("m", "p", f"text {number}", "x" * 300)
        assert answers.get("m", "text 0") is not None  # used again and again
    with sqlite3.connect(tmp_path / "a.sqlite") as database:
        (total,) = database.execute("SELECT sum(bytes) FROM answers").fetchone()
    assert total <= 5000
    assert answers.get("m", "text 39") is not None
    assert answers.get("m", "text 1") is None


@pytest.mark.parametrize("damage", ["folder", "noise"])
def test_a_cache_that_cannot_be_used_costs_time_only(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "answers.sqlite"
    path.mkdir() if damage == "folder" else path.write_bytes(b"no database " * 400)
    answers = AnswerCache(path)
    assert write_queries(Asker(Scripted("other words"), answers), "a query") == ["other words"]
    assert answers.get("scripted", "x") is None


def test_several_threads_may_keep_answers() -> None:
    answers = AnswerCache()

    def work(n: int) -> None:
        for i in range(50):
            answers.put("m", "p", f"{n} {i}", str(i))
            assert answers.get("m", f"{n} {i}") == str(i)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.get("m", "3 49") == "49"


def test_a_budget_of_calls_and_time() -> None:
    one = asked("a b", "c d", calls=1)
    assert write_queries(one, "q one") == ["a b"]
    assert write_queries(one, "q one") == ["a b"]  # kept: costs nothing
    with pytest.raises(ModelError, match="has used its 1 calls"):
        write_queries(one, "q two")
    late = asked("a b", seconds=0.01)
    time.sleep(0.02)
    with pytest.raises(ModelError, match=r"0\.01 s"):
        write_queries(late, "q")


# -- prompts -----------------------------------------------------------------------------------------------------------


def test_every_prompt_has_a_version_a_purpose_and_a_source() -> None:
    assert {
        "rewrite",
        "expand",
        "expand_seen",
        "steer",
        "decompose",
        "follow_up",
        "likelihood",
        "attention",
        "listwise",
    } <= set(prompt_names())
    for name in prompt_names():
        prompt = load_prompt(name)
        assert prompt.version >= 1
        assert prompt.settings["for"]
        assert prompt.settings["source"]
        assert prompt.places
        assert prompt.fill(**dict.fromkeys(prompt.places, "{query}")).count("{query}") == prompt.text.count("{")


def test_a_prompt_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("version: 3\nmax_tokens: 9\n---\nSay {query} in {count} ways\n")
    model = Scripted("new words")
    assert write_queries(Asker(model, AnswerCache()), "a query", 1, str(path)) == ["new words"]
    assert model.prompts == ["Say a query in 1 ways"]
    before = load_prompt(str(path)).digest
    path.write_text("version: 4\n---\nSay {query} in {count} ways\n")
    assert load_prompt(str(path)).digest != before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no head", "must begin with"),
        (b"version: x\n---\ntext", "must begin with"),
        (b"version 1\n---\ntext", "not of the form 'name: value'"),
        (b"\xff\xfe\n---\n", "cannot be read"),
        (b"version: 1\n---\n" + b"x" * 70000, "more than 65536 bytes"),
    ],
)
def test_a_prompt_that_cannot_be_read_is_told(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=says):
        load_prompt(str(path))
    with pytest.raises(UsageError, match="there is no prompt"):
        load_prompt("nothing")
    with pytest.raises(InputError, match="cannot be read"):
        load_prompt(str(tmp_path / "absent.txt"))
    (tmp_path / "odd.txt").write_text("version: 1\nmax_tokens: many\n---\n{quary}")
    with pytest.raises(UsageError, match="quary"):
        load_prompt(str(tmp_path / "odd.txt")).fill(query="x")
    with pytest.raises(InputError, match="whole number"):
        load_prompt(str(tmp_path / "odd.txt")).number("max_tokens", 5)
