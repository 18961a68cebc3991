"""Asking on the command line: one question, many, everything, in conversation."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from cli_helpers import Bookwheel

from bookwheel.cli.output import nearby


@pytest.fixture
def library(tmp_path: Path, folder: Path, bookwheel: Bookwheel) -> Path:
    assert bookwheel("index", folder, "--library", tmp_path / "library", "--encoder", "none").code == 0
    return tmp_path / "library"


def ask(bookwheel: Bookwheel, library: Path, *words: str):
    return bookwheel("ask", *words, "--library", library)


def test_everything_is_counted_and_listed(bookwheel: Bookwheel, library: Path) -> None:
    done = ask(bookwheel, library, "which documents mention owls?")
    assert done.code == 0
    assert done.out.startswith('1 document of 3 mentions "owls": 3 places in')
    assert "owls.txt" in done.out
    told = ask(bookwheel, library, "which documents mention owls?", "--json").json
    (found,) = told["everywhere"]["found"]
    assert [one["text"] for one in found["mentions"] if one["in"] == "text"] == ["Owls", "owl"]
    assert told["everywhere"]["documents"] == 1
    none = ask(bookwheel, library, "how many files mention unicorns")
    assert none.code == 1
    assert 'no document mentions "unicorns": all 3 documents were searched' in none.err


def test_find_lists_every_place(bookwheel: Bookwheel, library: Path) -> None:
    done = bookwheel("find", "bees", "--library", library)
    assert done.code == 0
    assert 'mentions "bees"' in done.out
    told = bookwheel("find", "bees", "sound", "--any", "--json", "--library", library).json
    assert told["documents"] == 2
    assert sum(len(one["mentions"]) for one in told["found"]) == told["occurrences"]
    assert bookwheel("find", "unicorn", "--library", library).code == 1
    assert bookwheel("find", "...", "--library", library).code == 2


def test_a_folder_limits(bookwheel: Bookwheel, library: Path, folder: Path) -> None:
    file = folder / "owls.txt"
    told = ask(bookwheel, library, "what do young bees make?", "--in", str(file), "--json").json
    assert {one["source"] for one in told["evidence"]} <= {str(file)}
    wrong = ask(bookwheel, library, "what?", "--in", "/no/such/place")
    assert wrong.code == 2
    assert "nothing in the library is in '/no/such/place'" in wrong.err
    told = ask(bookwheel, library, f"who hunts, only in {file}?", "--json").json
    assert told["limits"] == [f"in {file}"]


def test_places_below_the_current_folder_are_relative_to_it(
    bookwheel: Bookwheel, library: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    done = ask(bookwheel, library, "what do young bees make?", "--threshold", "0")
    assert done.code == 0
    assert f"[1] {folder.name}/" in done.out
    assert f"{folder.parent}/" not in done.out
    assert nearby(f"nearest: Bees ({folder / 'bees.md'}:7)") == f"nearest: Bees ({folder.name}/bees.md:7)"
    assert nearby(f"/mnt{folder}/bees.md") == f"/mnt{folder}/bees.md"
    monkeypatch.chdir("/")
    assert f"[1] {folder}/" in ask(bookwheel, library, "what do young bees make?", "--threshold", "0").out


def test_many_questions_and_their_log(
    bookwheel: Bookwheel, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, gold = tmp_path / "log.jsonl", tmp_path / "gold.jsonl"
    questions = "q1\tWhen do owls hunt?\nq2\tHow does a honey bee tell the hive?\n" + "x" * 40_000 + "\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(questions.encode())))
    done = ask(bookwheel, library, "-", "--json", "--log", str(log), "--sentences", "1")
    assert done.code == 2
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["id"] for line in lines] == ["q1", "q2", "3"]
    assert "at most" in lines[2]["error"]
    assert [json.loads(line)["id"] for line in log.read_text().splitlines()] == ["q1", "q2", "3"]
    gold.write_text(
        json.dumps({"id": "q1", "answers": ["at night"]})
        + "\n"
        + json.dumps({"id": "q2", "answers": {"text": ["dances"]}})
        + "\n"
    )
    told = bookwheel("evaluate", "--answers", log, "--gold", gold, "--library", library, "--json").json
    assert told["questions"] == 2
    assert told["contained"] == 1.0
    assert told["exact_quotes"] == 1.0
    assert told["failed"] == told["unmatched"] == 1
    shown = bookwheel("evaluate", "--answers", log, "--gold", gold)
    assert shown.code == 0
    assert "contains a gold answer" in shown.out
    assert bookwheel("evaluate", "--answers", log).code == 2
    assert bookwheel("evaluate").code == 2


def test_a_log_that_cannot_be_written_is_told_before_the_question_is_asked(
    bookwheel: Bookwheel, library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookwheel.Library.ask", lambda *_, **__: pytest.fail("asked"))
    for log, sentence in (
        (tmp_path / "no" / "log.jsonl", "there is no folder"),
        (library / "manifest.json" / "x", "no folder"),
    ):
        done = ask(bookwheel, library, "When do owls hunt?", "--json", "--log", str(log))
        assert done.code == 2
        assert sentence in done.err
        assert str(log.parent) in done.err


def test_the_bill(bookwheel: Bookwheel, library: Path) -> None:
    done = ask(bookwheel, library, "When do owls hunt?", "--bill")
    assert "ms" in done.err
    assert "planned" in done.err
    assert "0 calls of the model" in done.err


def test_a_conversation_from_beginning_to_end(bookwheel: Bookwheel, library: Path) -> None:
    assert "no conversation" in ask(bookwheel, library, "And?", "--continue").err
    assert bookwheel("conversations", "--library", library).code == 1
    assert ask(bookwheel, library, "How does a honey bee tell the hive?", "--conversation", "bees").code == 0
    told = ask(bookwheel, library, "And where does its wax come from?", "--continue", "--json").json
    assert told["answer"]
    listed = bookwheel("conversations", "--library", library, "--json").json
    assert [(one["name"], one["questions"]) for one in listed] == [("bees", 2)]
    assert "honey bee" in bookwheel("conversations", "show", "bees", "--library", library).out
    lines = bookwheel("conversations", "export", "--library", library).out.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [1, 2]
    assert bookwheel("conversations", "forget", "--library", library).code == 2
    assert bookwheel("conversations", "forget", "nosuch", "--library", library).code == 2
    assert bookwheel("conversations", "forget", "bees", "--library", library).out == "2 questions forgotten\n"
    assert bookwheel("conversations", "show", "bees", "--library", library).code == 2


def test_a_threshold_of_the_users_own(bookwheel: Bookwheel, tmp_path: Path) -> None:
    records = tmp_path / "many.jsonl"
    texts = (f"Heron {n} stood in the water of pond {n} and waited for fish number {n}." for n in range(60))
    records.write_text("".join(json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(texts)))
    library = tmp_path / "many"
    assert bookwheel("index", records, "--library", library, "--encoder", "none").code == 0
    assert ask(bookwheel, library, "Where did heron 7 stand?", "--threshold", "1").code == 1
    assert ask(bookwheel, library, "Where did heron 7 stand?", "--threshold", "0").code == 0
    wrong = ask(bookwheel, library, "Where did heron 7 stand?", "--threshold", "2")
    assert wrong.code == 2
    assert "--threshold" in wrong.err
