"""How an answer is printed: what the documents do not support has no number of a passage."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_helpers import Bookwheel

from bookwheel.cli.output import Terminal
from bookwheel.cli.quotes import print_answer, print_refusal
from bookwheel.read.answer import Answer, Claim
from bookwheel.read.evidence import Evidence, Quote

PASSAGES = tuple(Evidence(n, n, f"d{n}", "", f"d{n}.txt", f"d{n}.txt:{n}", f"Text {n}.", 0, 7) for n in range(1, 13))


def quote(number: int) -> Quote:
    return Quote(number, f"d{number}", f"d{number}.txt", 0, 7, f"Text {number}.", f"d{number}.txt:{number}")


def test_what_is_marked_is_not_cited(capsys: pytest.CaptureFixture[str]) -> None:
    claims = (
        Claim("Text 12.", "quoted", (quote(12),)),
        Claim("Text 2.", "quoted", (quote(2),)),
        Claim("Text 80.", "altered", (quote(3),), "it says 80 where the text has 3"),
        Claim("It is green.", "unsupported", (), "no passage that was read has “green”"),
    )
    answer = Answer("q", claims, PASSAGES, "write")
    print_answer(answer, Terminal(80, False))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == [
        "Text 12. [12]",
        "Text 2. [2]",
        "Text 80. [altered: it says 80 where the text has 3]",
        "It is green. [unsupported: no passage that was read has “green”]",
        "",
        "[2] d2.txt:2",
    ]
    assert lines[6] == "[12] d12.txt:12"
    assert not any(line.startswith("[3]") for line in lines)
    assert answer.text == "Text 12. Text 2."


def test_hidden_text_is_quoted_only_where_it_is_asked_for(bookwheel: Bookwheel, tmp_path: Path) -> None:
    page = (
        "<html><body><p>The harbour was built in 1901.</p><p style='display:none'>The crane weighs nine tons.</p></body></html>"
    )
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    library = tmp_path / "library"
    assert bookwheel("index", tmp_path / "page.html", "--library", library, "--encoder", "none").code == 0
    done = bookwheel("ask", "what does the crane weigh?", "--library", library)
    assert done.code == 1
    assert "readers of the documents do not see; --hidden" in done.err
    assert "nine tons" not in done.out
    asked = bookwheel("ask", "what does the crane weigh?", "--hidden", "--library", library)
    assert (asked.code, asked.out.splitlines()[0]) == (0, "The crane weighs nine tons. [1]")
    both = bookwheel("ask", "when was the harbour with the crane built?", "--library", library, "--json").json
    assert [one["place"] for one in both["evidence"]] == [str(tmp_path / "page.html")]
    seen = bookwheel("ask", "when was the harbour with the crane built?", "--library", library, "--hidden", "--json").json
    assert len(seen["evidence"]) == 2


def test_a_refusal_shows_what_readers_see(capsys: pytest.CaptureFixture[str]) -> None:
    one = Evidence(1, 1, "d", "", "d.txt", "d.txt:1", "Seen. Unseen.", 0, 13, hidden=((6, 13),))
    print_refusal(Answer("q", (), (one,), "quote", refused=True, reason="no"), Terminal(80, False))
    told = capsys.readouterr()
    assert (told.out.splitlines(), told.err) == (["[1] d.txt:1", "    Seen."], "bookwheel: no\n")


@pytest.mark.parametrize("words", [(), ("--query", "harbour")])
def test_a_summary_is_printed_as_an_answer(bookwheel: Bookwheel, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "zh.txt").write_text("这座桥建于1932年，耗资350万马克。设计者是王建国。", encoding="utf-8")
    library = tmp_path / "library"
    assert bookwheel("index", tmp_path / "zh.txt", "--library", library, "--encoder", "none").code == 0
    done = bookwheel("summarise", tmp_path / "zh.txt", "--library", library, *words)
    assert done.code == 0
    assert done.out.splitlines()[:2] == ["这座桥建于1932年，耗资350万马克。 [1]", "设计者是王建国。 [2]"]


def test_wrong_questions_get_one_sentence(bookwheel: Bookwheel, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The cat sat on the mat.", encoding="utf-8")
    library = tmp_path / "library"
    assert bookwheel("index", tmp_path / "a.txt", "--library", library, "--encoder", "none").code == 0
    for words, told in (
        ((" ",), "the question is empty"),
        (("where is the cat?", "--model", ""), "model must be the name of a language model"),
        (("cat " * 10_000,), "the question can have at most 32,768 characters, not 39,999"),
        (("where is the cat?", "--method", "corrective"), "the reading method 'corrective' needs a language model"),
    ):
        done = bookwheel("ask", *words, "--library", library)
        assert (done.code, done.err.count("\n")) == (2, 1 + done.err.count("for usage")), done.err
        assert told in done.err
    limited = bookwheel("ask", "where is the cat? file:dog.txt", "--library", library)
    assert limited.code == 1
    assert "no document of the library meets the limit file:dog.txt; ask without it" in limited.err


def test_a_cutoff_shows_the_probability_or_says_why_not(bookwheel: Bookwheel, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The cat sat on the mat.", encoding="utf-8")
    small = tmp_path / "small"
    assert bookwheel("index", tmp_path / "a.txt", "--library", small, "--encoder", "none").code == 0
    done = bookwheel("search", "dog cat", "--cutoff", "0.5", "--library", small)
    assert done.code == 0
    assert "the library is too small to tell whether passages are relevant; nothing was left out" in done.err
    for number in range(12):
        text = f"The harbour of town number{number} has cranes that weigh {number} tons. Ships from port{number} carry grain and salt."
        (tmp_path / f"t{number}.txt").write_text(text, encoding="utf-8")
    large = tmp_path / "large"
    assert bookwheel("index", tmp_path, "--library", large, "--encoder", "none").code == 0
    shown = bookwheel("search", "harbour number7 cranes weigh tons", "--cutoff", "0", "--library", large)
    assert "relevant with a probability of 0." in shown.out or "relevant with a probability of 1." in shown.out
    told = bookwheel("search", "harbour number7 cranes weigh tons", "--cutoff", "0", "--library", large, "--json").json
    assert all(0 <= one["probability"] <= 1 for one in told["results"])
    none = bookwheel("search", "harbour zoning permits hearing council", "--cutoff", "0.9", "--library", large)
    assert none.code == 1
    assert "the best passage is relevant with a probability of 0." in none.err
