"""Where a JSON value ends, told without parsing it."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.documents.readers.json_size import end_of


def letter_by_letter(text: str, start: int) -> int:
    """The same, plainly."""
    depth, inside, at = 0, False, start
    while at < len(text):
        letter = text[at]
        if inside:
            at += letter == "\\"
            inside = letter != '"'
        elif letter == '"':
            inside = True
        elif letter in "[]{}":
            depth += 1 if letter in "[{" else -1
            if depth <= 0:
                return at + 1
        at += 1
    return len(text)


@settings(max_examples=500, deadline=None)
@given(st.text('[]{}"\\ a,:', max_size=30), st.integers(0, 30))
def test_of_any_text(text: str, start: int) -> None:
    start = min(start, len(text))
    assert end_of(text, start) == letter_by_letter(text, start)


VALUES = st.recursive(
    st.none() | st.integers() | st.text('[]{}"\\a', max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('[]{}"\\a', max_size=5), inner, max_size=3),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(VALUES, max_size=4) | st.dictionaries(st.text(max_size=3), VALUES, max_size=4), st.text(max_size=5))
def test_of_what_json_writes(value: object, after: str) -> None:
    written = json.dumps(value)
    assert end_of(f" {written}{after}", 0) == 1 + len(written)


def test_a_text_that_never_ends() -> None:
    """Quotes that close nothing, and brackets that nothing closes, are gone through once."""
    for piece in ('\\"', "[", '{"a":[', "{},", '"a",'):
        for before in ("[", '["'):
            text = before + piece * 100_000
            assert end_of(text, 0) == len(text)
