"""Terms of texts by way of word numbers are the analyzer's terms."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.analysis.analyzer import Analyzer
from bookwheel.analysis.term_ids import LexicalEncoder, TermsByLanguage
from bookwheel.analysis.words import WordTable, split_words

ANALYZERS = [
    Analyzer(),
    Analyzer("english", stopwords=True),
    Analyzer("english", stopwords=True, fold_accents=True, split_identifiers=True),
]


def check(analyzer: Analyzer, batches: list[list[str]]) -> None:
    table, encoder = WordTable(), LexicalEncoder(TermsByLanguage(analyzer))
    for texts in batches:
        indptr, ids = encoder.encode(*table.ids(texts), table.words)
        assert indptr.dtype == np.int64
        assert ids.dtype == np.int32
        assert len(indptr) == len(texts) + 1
        for i, text in enumerate(texts):
            assert [encoder.terms[t] for t in ids[indptr[i] : indptr[i + 1]]] == [
                term for word in split_words(text) for term in analyzer.indexed(word)
            ]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ANALYZERS), st.lists(st.lists(st.text(max_size=30), max_size=4), max_size=3))
def test_any_text(analyzer, batches) -> None:
    check(analyzer, batches)


def test_words_of_no_and_of_several_terms() -> None:
    check(
        ANALYZERS[2], [["the HTTPServer2 and max_line_length", "日本語の検索 of THE"], ["a b c", ""], ["max_line_length " * 50]]
    )


def test_many_words() -> None:
    check(ANALYZERS[0], [[" ".join(f"w{i}x{j}" for j in range(40)) for i in range(100)]] * 2)


def test_each_text_in_its_own_language() -> None:
    table, encoder = WordTable(), LexicalEncoder(TermsByLanguage(None))
    texts = ["running houses", "laufende Häuser running", "running Häuser"]
    indptr, ids = encoder.encode(*table.ids(texts), table.words, ["english", "german", None])
    found = [[encoder.terms[t] for t in ids[a:b]] for a, b in pairwise(indptr)]
    assert found == [["ENrun", "ENhous"], ["DElaufend", "DEhaus", "DErunning"], ["running", "hauser"]]


def test_a_word_number_that_the_table_lacks() -> None:
    with pytest.raises(ValueError, match="word IDs"):
        LexicalEncoder(TermsByLanguage(Analyzer())).encode(np.array([0, 1]), np.array([5], np.int32), ["one"])
