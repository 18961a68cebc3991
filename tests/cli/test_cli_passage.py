from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel._width import display_width
from bookwheel.cli.output import clean, table
from bookwheel.cli.passage import passage_lines


def mark(text: str) -> str:
    return f"<{text}>"


def spans(text: str, *words: str) -> list[tuple[int, int]]:
    found = [match.span() for word in words for match in re.finditer(rf"\b{word}\b", text)]
    return sorted(found)


def test_short_text_is_shown_whole_with_matches_marked() -> None:
    text = "An owl flies at night."
    assert passage_lines(text, spans(text, "owl", "night"), 80, 4, mark) == ["An <owl> flies at <night>."]


def test_long_text_shows_the_sentence_with_most_different_matches() -> None:
    filler = "Nothing of interest stands here at all. " * 30
    text = f"{filler}An owl owl owl. {filler}Here the owl meets the mouse. {filler}"
    lines = passage_lines(text, spans(text, "owl", "mouse"), 60, 3, mark)
    assert len(lines) == 3
    assert "<owl> meets the <mouse>" in " ".join(lines)
    assert lines[0].startswith("… ")
    assert lines[-1].endswith(" …")


def test_code_keeps_its_lines_and_loses_common_indentation() -> None:
    text = "class Tree:\n    def grow(self):\n        return self.height + 1\n\n    def cut(self):\n        return 0\n"
    lines = passage_lines(text, spans(text, "cut"), 80, 2, mark)
    assert lines == ["def <cut>(self):", "    return 0"]


def test_a_word_longer_than_a_line_is_broken() -> None:
    assert passage_lines("x" * 25, [], 10, None) == ["x" * 10, "x" * 10, "x" * 5]


def test_wide_characters_count_two_columns() -> None:
    assert passage_lines("図書館" * 4, [], 10, None) == ["図書館図書", "館図書館図", "書館"]


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet=st.sampled_from("ab .\n\t図\x1b\u0301\u202e"), max_size=300),
    st.integers(12, 60),
    st.one_of(st.none(), st.integers(1, 5)),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 9)), max_size=6),
)
def test_lines_fit_and_hold_nothing_that_steers_a_terminal(
    text: str, width: int, lines: int | None, wanted: list[tuple[int, int]]
) -> None:
    highlights: list[tuple[int, int]] = []
    for start, length in sorted(wanted):
        if start + length <= len(text) and (not highlights or highlights[-1][1] <= start):
            highlights.append((start, start + length))
    shown = passage_lines(text, highlights, width, lines)
    assert lines is None or len(shown) <= lines
    for line in shown:
        assert display_width(line) <= width
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e]", line)
    if lines is None and "\n" not in text:
        assert "".join("".join(shown).split()) == "".join(clean(text).split())


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_cleaning_keeps_offsets(text: str) -> None:
    assert len(clean(text)) == len(text)
    assert len(clean(text, lines=True)) == len(text)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", clean(text))


def test_table_aligns_names_left_and_numbers_right() -> None:
    assert table([["a", "10"], ["図", "2"]], ("part", "n")) == ["part   n", "a     10", "図     2"]
