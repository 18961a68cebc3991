from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import pytest
from analysis_texts import TEXTS
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.analysis.words import MANY, WordTable, spans_of, split_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't panic, 'quoted' rock'n'roll dogs' 'tis", ["Don't", "panic", "quoted", "rock'n'roll", "dogs", "tis"]),
        ("l’eau — “déjà” vu…", ["l'eau", "déjà", "vu"]),
        ("snake_case __init__ C++ 3.14 e-mail", ["snake_case", "__init__", "C", "3", "14", "e", "mail"]),
        ("cafe\u0301 हिन्दी می\u200cخواهم", ["cafe\u0301", "हिन्दी", "می\u200cخواهم"]),
        ("Python入門、東京。", ["Python入門", "東京"]),
        ("a''b ''' \ud800x", ["a", "b", "x"]),
        ("", []),
    ],
)
def test_raw_words(text: str, expected: list[str]) -> None:
    assert split_words(text) == expected


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_raw_words_are_what_a_regular_expression_finds(text: str) -> None:
    """The fast way against the plain one: runs of word characters and marks, with single apostrophes inside."""
    normal = re.sub("[\u2019\u02bc\uff07]", "'", text)
    inner = "".join(
        {chr(code) for code in map(ord, normal) if unicodedata.category(chr(code))[0] == "M" and not 0xFE00 <= code <= 0xFE0F}
    )
    word = f"[\\w\u00ad\u200c\u200d{re.escape(inner)}]"
    if "\u02bc" not in text:  # a letter to \w, an apostrophe to us
        assert split_words(text) == re.findall(f"{word}+(?:(?<=\\w)'(?=\\w){word}+)*", normal) or "'" in normal
    found = spans_of(text)
    assert [raw for raw, _, _ in found] == split_words(text)
    assert all(len(raw) == end - start for raw, start, end in found)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=8))
def test_word_table(texts: list[str]) -> None:
    table = WordTable()
    half = len(texts) // 2
    for part in (texts[:half], texts[half:]):
        indptr, ids = table.ids(part)
        assert (indptr.dtype, ids.dtype, indptr[0], len(indptr)) == ("int64", "int32", 0, len(part) + 1)
        for number, text in enumerate(part):
            assert [table.words[index] for index in ids[indptr[number] : indptr[number + 1]]] == split_words(text)
    assert len(table) == len(table.words) == len(set(table.words))


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, max_size=8), st.lists(TEXTS, max_size=8), st.booleans())
def test_the_compiled_word_table_agrees_with_the_plain_one(texts: list[str], more: list[str], late: bool) -> None:
    compiled = WordTable()
    numbers: dict[str, int] = {}
    long = " ".join(f"word{number}" for number in range(MANY // 5))
    for batch in [texts, [long], more, texts] if late else [[long, *texts], more]:
        expected = [[numbers.setdefault(word, len(numbers)) for word in split_words(text)] for text in batch]
        indptr, ids = compiled.ids(batch)
        assert [ids[start:end].tolist() for start, end in pairwise(indptr)] == expected
    assert compiled.words == list(numbers)
    assert compiled.nbytes > 68 * len(numbers)
