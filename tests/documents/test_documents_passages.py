from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from told_places import place, places

from bookwheel.documents.document import Document, Part, Span
from bookwheel.documents.passages import SLACK, TARGET_WORDS, Unit, split_document


def pieces(
    text: str, unit: Unit = "passage", words: int = TARGET_WORDS, kind: str = "prose", pages: tuple[int, ...] = ()
) -> list[str]:
    return [text[span.start : span.end] for span in split_document(Document("x", text, kind=kind, pages=pages), unit, words)]


def prose(sentences: int, words: int = 10, paragraph: int = 5) -> str:
    text = ""
    for number in range(sentences):
        text += f"Sentence number {number} " + "word " * (words - 4) + "ends."
        text += "\n\n" if number % paragraph == paragraph - 1 else " "
    return text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One is here. Two is there! Three?", ["One is here.", "Two is there!", "Three?"]),
        ("Dr. Smith met J. R. Tolkien et al. Today.", ["Dr. Smith met J. R. Tolkien et al. Today."]),
        ("It costs 3.14 dollars. See www.example.com now.", ["It costs 3.14 dollars.", "See www.example.com now."]),
        ("See Fig. 3 and No. 7. Done.", ["See Fig. 3 and No. 7.", "Done."]),
        ("The answer is no. The question was why.", ["The answer is no.", "The question was why."]),
        ('"Stop!" he said. "Why?" She left.', ['"Stop!" he said.', '"Why?"', "She left."]),
        ("He waited... and left. It rained… Then it stopped.", ["He waited... and left.", "It rained…", "Then it stopped."]),
        ("e.g. this, i.e. that. In the U.S. it rains.", ["e.g. this, i.e. that.", "In the U.S. it rains."]),
        ("これは文です。次の文！「引用。」終わり", ["これは文です。", "次の文！", "「引用。」", "終わり"]),
        (
            "A list:\n- first\n- second\n  goes on\n1. third\n2) fourth",
            ["A list:", "- first", "- second\n  goes on", "1. third", "2) fourth"],
        ),
        ("Wrapped\nline goes on\n\nNext paragraph", ["Wrapped\nline goes on", "Next paragraph"]),
        ("In 2012. Then 12. Then more.", ["In 2012.", "Then 12.", "Then more."]),
        ("Er kam z.B. heute. Es war gut.", ["Er kam z.B. heute.", "Es war gut."]),
        ("one (two three.) Four.", ["one (two three.)", "Four."]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert pieces(text, "sentence") == expected


def test_a_short_text_is_one_passage_without_its_margins() -> None:
    text = "\n  " + "word " * int(TARGET_WORDS * SLACK) + "\n"
    assert pieces(text) == [text.strip()]
    assert pieces("", "passage") == pieces(" \n", "sentence") == pieces("\t", "document") == []
    assert pieces(" a. B. ", "document") == ["a. B."]


def test_passages_are_whole_sentences_of_even_length() -> None:
    found = pieces(prose(61), words=100)
    lengths = [len(piece.split()) for piece in found]
    assert all(piece.endswith("ends.") and piece.startswith("Sentence") for piece in found)
    assert sum(lengths) == 610
    assert 60 <= min(lengths) <= max(lengths) <= 125


def test_paragraphs_are_kept_together_where_the_length_allows() -> None:
    found = pieces(prose(40, words=10, paragraph=5), words=100)
    assert all((int(piece.split()[2])) % 5 == 0 for piece in found)


def test_passages_do_not_cross_headings() -> None:
    text = "".join(f"# Part {number}\n\n{prose(12).strip()}\n\n" for number in range(3))
    found = pieces(text, words=100, kind="markup")
    assert [piece.count("# Part") for piece in found] == [1] * 3 or sum("# Part" in piece for piece in found) == 3
    assert all(piece.startswith("# Part") or "# Part" not in piece for piece in found)
    underlined = text.replace("# Part 1", "Part One\n========").replace("# Part 2", "Part Two\n--------")
    assert all(
        piece.startswith(("# Part", "Part")) or "Part" not in piece for piece in pieces(underlined, words=100, kind="markup")
    )


def test_headings_in_code_fences_are_none_and_tiny_sections_are_joined() -> None:
    code = "# Setup\n\n```sh\n" + "# a comment line of the shell script\n" * 10 + "```\n"
    assert len(pieces(code, words=80, kind="markup")) == 1
    tiny = "".join(f"## H{number}\n\ntext here\n\n" for number in range(40))
    found = pieces(tiny, words=40, kind="markup")
    assert all(len(piece.split()) >= 10 for piece in found)
    assert all(piece.startswith("## H") for piece in found)


def test_passages_do_not_cross_pages_unless_a_sentence_does() -> None:
    first, second = prose(8).strip() + "\n\n", prose(8).strip() + "\n\n"
    assert pieces(first + second, words=100, pages=(0, len(first))) == [first.strip(), second.strip()]
    broken = prose(8).strip()[:-1] + "\n\n"
    text = broken + "and goes on here. " + second
    assert any(
        "and goes on here." in piece and "Sentence number 7" in piece
        for piece in pieces(text, words=100, pages=(0, len(broken)))
    )


def test_code_is_cut_before_definitions() -> None:
    text = "\n\n".join(
        f"def function_{number}(a, b):\n    total = a + b\n\n    for item in range(9):\n        total += item\n    return total"
        for number in range(30)
    )
    found = pieces(text, words=60, kind="code")
    assert len(found) > 3
    assert all(piece.startswith("def ") for piece in found)
    assert pieces(text, "sentence", kind="code")[:2] == [
        "def function_0(a, b):\n    total = a + b",
        "for item in range(9):\n        total += item\n    return total",
    ]


@pytest.mark.parametrize("unit", ["sentence", "passage"])
def test_a_huge_line_is_cut_in_linear_time(unit: Unit) -> None:
    started = time.process_time()
    found = pieces("a" * 2_000_000, unit)
    assert max(map(len, found)) <= TARGET_WORDS * 16
    assert "".join(found) == "a" * 2_000_000
    chinese = "漢" * 300_000
    assert 100 <= min(map(len, pieces(chinese, unit))) <= max(map(len, pieces(chinese, unit))) <= 300
    spaced = pieces("word " * 200_000, unit)
    assert 80 <= min(len(piece.split()) for piece in spaced) <= max(len(piece.split()) for piece in spaced) <= 150
    assert time.process_time() - started < 60


def test_a_letter_is_not_cut_from_its_marks() -> None:
    assert not any(piece.startswith("\u0301") for piece in pieces("e\u0301\u0301" * 20_000))


TEXTS = st.text(
    st.sampled_from("ab cd. E!?\n\t#-|。、漢字ก\u0301=`'\"()12\u00a0\r") | st.characters(exclude_categories=["Cs"]),
    max_size=400,
)


@settings(max_examples=150, deadline=None)
@given(
    TEXTS,
    st.sampled_from(["sentence", "passage", "document"]),
    st.sampled_from(["prose", "markup", "code"]),
    st.integers(1, 12),
    st.data(),
)
def test_spans_cover_the_text_in_order(text: str, unit: Unit, kind: str, words: int, data: st.DataObject) -> None:
    pages = tuple(sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=3)) | {0}))
    document = Document("x", text, kind=kind, pages=pages, lines=True)
    spans = split_document(document, unit, words)
    position = 0
    for span in spans:
        assert position <= span.start < span.end <= len(text)
        assert not text[position : span.start].strip()
        assert text[span.start : span.end] == text[span.start : span.end].strip()
        position = span.end
    assert not text[position:].strip()
    assert places(document, spans) == [place(document, span.start) for span in spans]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=80), st.integers(48, 90))
def test_passages_keep_near_the_target(lengths: list[int], words: int) -> None:
    text = " ".join("Word" + " word" * (length - 1) + "." for length in lengths)
    found = [len(piece.split()) for piece in pieces(text, words=words)]
    assert max(found) <= words * SLACK
    assert len(found) == 1 or min(found) >= 0.4 * words


def test_places() -> None:
    text = "one\ntwo\nthree\nfour"
    spans = [Span(0, 3), Span(4, 7), Span(8, 18)]
    assert places(Document("x", text, line=10, lines=True), spans) == [(None, 10), (None, 11), (None, 12)]
    assert places(Document("x", text, pages=(0, 5, 8), line=0), spans) == [(1, None), (1, None), (3, None)]
    assert places(Document("x", text, line=7), spans) == [(None, 7)] * 3
    assert places(Document("x", text, line=0), spans) == [(None, None)] * 3


def test_parts_are_named_and_cells_are_ranges() -> None:
    rows = [f"row {number} has a dozen words in it, so that a passage holds some rows" for number in range(2, 22)]
    text = "a title page\n\n" + "\n".join(rows) + "\n\n" + "\n".join(rows[:3]) + "\n\nthe end"
    second = text.index(rows[0], text.index(rows[-1]))
    parts = (
        Part(0, "slide 1"),
        Part(text.index(rows[0]), "Sales", "A:F", 2),
        Part(second, "Sales", "B:AA", 30),
        Part(text.index("the end"), "chapter 2"),
    )
    document = Document("x", text, parts=parts, line=0)
    spans = split_document(document, "sentence", 20)
    names = [name for name, _ in places(document, spans)]
    assert names == [
        "slide 1",
        *(f"Sales!A{row}:F{row}" for row in range(2, 22)),
        *(f"Sales!B{row}:AA{row}" for row in range(30, 33)),
        "chapter 2",
    ]
    passages = split_document(document, "passage", 60)
    found = [(text[span.start : span.end], name) for span, (name, _) in zip(passages, places(document, passages), strict=True)]
    for passage, name in found:
        first, last = passage.split("\n")[0], passage.rstrip().split("\n")[-1]
        if first in rows and last in rows and "\n\n" not in passage:
            number = rows.index(first) + 2
            assert name in (f"Sales!A{number}:F{rows.index(last) + 2}", f"Sales!B30:AA{28 + rows.index(last) + 2}")
    assert len({name for _, name in found}) == len(found) > 5
    assert places(document, [Span(text.index(rows[-1]), second + 10)]) == [("Sales!A21:AA30", None)]
    assert place(Document("x", "before after", parts=(Part(7, "slide 2"),), line=0), 3) == (None, None)
