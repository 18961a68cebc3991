"""Limits that are written in a question."""

from __future__ import annotations

import pytest

from bookwheel.read.limits import Limited, read_limits

FIELDS = ["id", "title", "source", "path", "folder", "suffix", "year", "tags", "author", "date"]
THERE = {"/reports/2024", "reports/2024", "notes.txt", "report.pdf", "drafts"}


def matches(where: str) -> bool | None:
    if where.startswith(("folder =", "path =")):
        return where.split('"')[1] in THERE
    if where.startswith("source"):
        return False
    return None if "%" in where else "1066" not in where


def read(question: str, fields: list[str] = FIELDS) -> Limited:
    return read_limits(question, fields, matches)


@pytest.mark.parametrize(
    ("question", "left", "told"),
    [
        ("What was spent? year >= 2020", "What was spent?", ["year >= 2020"]),
        ("What was spent where year>=2020 and author = Ann?", "What was spent?", ["year >= 2020", 'author = "Ann"']),
        ("tag:red what is hot", "what is hot", ["tag:red"]),
        ("what is hot -tag:red", "what is hot", ["-tag:red"]),
        ('what did she say author:"Ada Lovelace"?', "what did she say?", ['author:Ada Lovelace']),
        ("file:notes.txt who called?", "who called?", ["file:notes.txt"]),
        ("only in /reports/2024: what was decided?", "what was decided?", ["in /reports/2024"]),
        ("What was decided, only in /reports/2024?", "What was decided?", ["in /reports/2024"]),
        ("what was decided in reports/2024", "what was decided", ["in reports/2024"]),
        ("What does it say in report.pdf?", "What does it say?", ["in report.pdf"]),
        ("was steht nur in drafts über Bienen", "was steht über Bienen", ["in drafts"]),
        ("What was built since 2020?", "What was built?", ["year >= 2020"]),
        ("Since 2020, what was built?", "what was built?", ["year >= 2020"]),
        ("what do reports from 2019 say", "what do say", None),
        ("what was built, reports before 2019?", "what was built?", ["year < 2019"]),
        ("papers published between 2018 and 2020: what helps?", "what helps?", ["year from 2018 to 2020"]),
        ("how many documents since 2020?", "how many documents?", ["year >= 2020"]),
        ("list all reports from 2019", "list all reports", ["year = 2019"]),
        ("qué se construyó desde 2020", "qué se construyó", ["year >= 2020"]),
    ],
)  # fmt: skip
def test_limits_are_taken_out(question: str, left: str, told: list[str] | None) -> None:
    found = read(question)
    if told is None:  # in the midst of a sentence it may be what is asked
        assert found.question == question
        return
    assert [limit.told for limit in found.limits] == told
    assert found.question == left


@pytest.mark.parametrize(
    "question",
    [
        "What happened in 2020?",
        "Who was king before 1800?",
        "Why is a > b not b < a?",
        "What is the ratio 3:2 in music?",
        "See http://example.org/file:x please",
        "How does this work in the wheel?",
        "What is said in /no/such/folder?",
        "Does Node.js run in it?",
        "price >= 20 of what?",
        "How do I write C++ in emacs",
        "What was built since 1066?",
        "Is there an only child in drafting?",
    ],
)
def test_what_is_not_clear_stays(question: str) -> None:
    found = read(question)
    assert found.question == question
    assert not found.limits


def test_an_unclear_one_is_told() -> None:
    assert "'before 1800' was taken as words" in read("Who was king before 1800?").unclear[0]
    assert "/no/such/folder" in read("What is said in /no/such/folder?").unclear[0]
    assert not read("Who was king before 1800?", ["id", "title"]).unclear


def test_times_need_a_field_that_says_when() -> None:
    assert not read("What was built since 2020?", ["id", "title", "source", "modified"]).limits


def test_filters_add_up() -> None:
    found = read("What was built since 2020? tag:red")
    assert found.where("size > 3") == '(size > 3) and ([tags] like "red") and (year >= 2020 or (year >= "2020" and year < "3"))'
    assert found.where(None, soft=False) == '[tags] like "red"'
    assert Limited("x").where(None) is None


def test_what_is_no_limit_is_told_once() -> None:
    assert read("only in /nowhere what was decided").unclear == (
        "nothing in the library is in '/nowhere', so it was taken as words",
    )
    either = read("what was built? year >= 2020 or tag:red")
    assert (len(either.limits), either.question) == (2, "what was built?")
    assert [note for note in either.unclear if "joined by 'or'" in note]
    assert not read("what is red or hot? year >= 2020").unclear
    outside = read_limits("in:../up what was built", FIELDS, lambda where: None if ".." in where else False)
    assert (outside.limits, outside.question) == ((), "in:../up what was built")
    assert "was taken as words; write the whole path" in outside.unclear[0]
