"""Many queries or questions from standard input: what of them cannot be used costs nothing of the others."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_helpers import Bookwheel, Done, run_lines_of

Piped = Callable[..., Done]


@pytest.fixture
def piped(bookwheel: Bookwheel, records: Path, monkeypatch: pytest.MonkeyPatch) -> Piped:
    """Runs a command line over lines of standard input, in a library of three records."""
    assert bookwheel("index", records, "--encoder", "none", "--language", "english").code == 0

    def run(lines: str, *arguments: str | Path) -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
        return bookwheel(*arguments)

    return run


def test_a_line_that_cannot_be_searched_is_told_and_the_others_go_on(piped: Piped) -> None:
    lines = "lighthouse\n \n" + "x" * 40_000 + "\nq4\tgrain and oil\n"
    done = piped(lines, "search", "-", "--json")
    told = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 2
    assert [line["id"] for line in told] == ["1", "2", "3", "q4"]
    assert [line["results"][0]["id"] for line in (told[0], told[3])] == ["a", "b"]
    assert "empty" in told[1]["error"]
    assert "at most" in told[2]["error"]
    assert len(told[2]["query"]) == 1000

    done = piped(lines, "search", "-", "--run")
    assert done.code == 2
    assert {row[0] for row in run_lines_of(done.out)} == {"1", "q4"}
    assert [line.partition(": the query")[0] for line in done.err.splitlines()] == ["bookwheel: 2", "bookwheel: 3"]

    done = piped(lines, "search", "-")
    assert done.code == 2
    assert "q4: grain and oil" in done.out
    assert "bookwheel: 2: the query is empty" in done.err

    done = piped(" \n", "search", "-")
    assert done.code == 2
    assert "nothing found" not in done.err, "nothing was searched"
    assert piped("zebra\n", "search", "-").code == 1


@pytest.mark.parametrize(
    ("lines", "both"), [("q1\trocks\nx\nq1\tships\n", "lines 1 and 3"), ("2\tzebra\nrocks\n", "lines 1 and 2")]
)
@pytest.mark.parametrize("form", ["--run", "--json", "--full"])
def test_two_queries_with_one_id_are_refused(piped: Piped, lines: str, both: str, form: str) -> None:
    done = piped(lines, "search", "-", form)
    assert done.code == 2
    assert done.out == ""
    assert both in done.err
    assert "an ID of its own" in done.err


def test_an_id_that_a_run_cannot_hold_is_refused_before_the_search(piped: Piped) -> None:
    done = piped("q1\trocks\nq 2\tships\n", "search", "-", "--run")
    assert done.code == 2
    assert done.out == ""
    assert "'q 2'" in done.err
    assert piped("q1\trocks\nq 2\tships\n", "search", "-", "--json").code == 0


def test_a_question_that_cannot_be_asked_is_told_with_exit_code_2(piped: Piped, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    lines = "q1\tWhat warns ships?\n \nq1\tWhat are rocks?\nq4\tWhat do ships carry?\n"
    done = piped(lines, "ask", "-", "--json", "--threshold", "0", "--log", log)
    told = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 2
    assert [line["id"] for line in told] == ["q1", "2", "q1", "q4"]
    assert "lines 1 and 3" in told[2]["error"]
    assert "error" not in told[3]
    assert [json.loads(line)["id"] for line in log.read_text().splitlines()] == ["q1", "2", "q4"], "the ID has one answer"
