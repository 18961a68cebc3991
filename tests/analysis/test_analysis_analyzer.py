from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise, product

import pytest
from analysis_texts import TEXTS
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel._errors import UsageError
from bookwheel.analysis.analyzer import MAX_WORD, Analyzer, languages
from bookwheel.analysis.highlight import Highlighter, highlight
from bookwheel.analysis.scripts import UNSPACED
from bookwheel.analysis.stop_words import LANGUAGES, stop_words
from bookwheel.analysis.words import spans_of, split_words

PLAIN = Analyzer()
ENGLISH = Analyzer("english", True, True)
CODE = Analyzer(split_identifiers=True)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_plain_ascii_terms_are_casefolded_words(text: str) -> None:
    ascii_text = text.encode("ascii", "ignore").decode().replace("'", " ").replace("_", " ")
    assert [term for word in split_words(ascii_text) for term in PLAIN.terms(word)] == re.findall(r"\w+", ascii_text.casefold())


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.sampled_from([PLAIN, ENGLISH, CODE, Analyzer("turkish", True), Analyzer("french", True, True, True)]))
def test_terms_are_clean_and_depend_on_the_word_alone(text: str, analyzer: Analyzer) -> None:
    terms = analyzer(text)
    assert terms == [term for word in analyzer.words(text) for term in analyzer.terms(word)]
    for term in terms:
        assert term
        assert not any(character.isspace() for character in term)
        term.encode()
    spans = highlight(text, text, analyzer)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert bool(spans) == any(analyzer.terms(word) for word in split_words(text))


@pytest.mark.parametrize(
    ("analyzer", "text", "expected"),
    [
        (ENGLISH, "The runner's running shoes", ["runner", "run", "shoe"]),
        (ENGLISH, "Café CAFE cafe\u0301", ["cafe", "cafe", "cafe"]),
        (PLAIN, "The Runner's café", ["the", "runner's", "café"]),
        (Analyzer("french", True, True), "L’avion qu'il a créé", ["avion", "cre"]),
        (Analyzer("german", True), "die Häuser und Straßen", ["haus", "strass"]),
        (Analyzer("turkish"), "ISPARTA İzmir", ["ıspar", "izmir"]),
        (Analyzer("russian", True), "книги и книгу", ["книг", "книг"]),
        (PLAIN, "ﬁne x² Ⅷ ½", ["fine", "x2", "viii", "1", "2"]),
        (PLAIN, "東京都 カ ｶﾅ 한국어 Python入門", ["東京", "京都", "カ", "カナ", "한국", "국어", "python", "入門"]),
        (PLAIN, "ที่นี่", ["ที่นี่"]),
        (CODE, "HTTPServer2 max_len iPhone fooBar2Baz",
         ["httpserver2", "http", "server", "max_len", "max", "len", "iphone", "phone", "foobar2baz", "foo", "bar", "baz"]),
        (CODE, "__init__ PCs NASA _x_ ___", ["init", "pcs", "nasa", "x"]),
        (PLAIN, "__init__ camelCase", ["init", "camelcase"]),
    ],
)  # fmt: skip
def test_terms(analyzer: Analyzer, text: str, expected: list[str]) -> None:
    assert analyzer(text) == expected


def test_long_words_are_cut() -> None:
    assert PLAIN("x" * 1000) == ["x" * MAX_WORD]
    assert PLAIN("é" * 1000) == ["é" * MAX_WORD]
    assert len(PLAIN("漢" * 1000)) == 999


def test_every_language_stems_and_survives_a_manifest() -> None:
    assert "english" in languages()
    assert set(LANGUAGES) <= set(languages())
    for language in languages():
        analyzer = Analyzer(language, True)
        assert analyzer("Example 2020") is not None
        assert Analyzer.from_dict(json.loads(json.dumps(analyzer.to_dict())) | {"later": 1}) == analyzer
    with pytest.raises(UsageError, match="no stemmer for 'klingon'"):
        Analyzer("klingon")
    assert len(stop_words("english")) == 33
    assert stop_words("porter") == stop_words("english")


def test_default_analyzers() -> None:
    assert Analyzer.for_language("english") == Analyzer("english", True, True, True)
    assert Analyzer.for_language("none") == Analyzer(None, False, True, True)


def test_highlights() -> None:
    text = "Running shoes for the runner's RUN; 東京都の店 in Tōkyō"
    marked = [text[start:end] for start, end in highlight(text, "run 京都 tokyo", ENGLISH)]
    assert marked == ["Running", "RUN", "京都", "Tōkyō"]
    assert highlight(text, ["shoe"], ENGLISH) == [(8, 13)]
    assert highlight(text, "the", ENGLISH) == []


@pytest.mark.parametrize("few", [1 << 12, -1], ids=["one by one", "by the table"])
def test_highlights_do_not_depend_on_what_was_highlighted_before(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"run{n} running {n} runs the runner's run" for n in range(40)] * 2
    expected = [[(word.start(), word.end()) for word in re.finditer(r"\b(running|runs|run)\b(?!')", text)] for text in texts]
    monkeypatch.setattr("bookwheel.analysis.word_matches.REMEMBERED", 20)
    monkeypatch.setattr("bookwheel.analysis.word_matches.FEW", few)
    mark = Highlighter(["run"], ENGLISH)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(mark, texts)) == expected
    assert [highlight(text, ["run"], ENGLISH) for text in texts] == expected
    assert {text[a:b] for text in texts for a, b in highlight(text, ["run3"], ENGLISH)} == {"run3"}


ANALYZERS = [PLAIN, ENGLISH, CODE, *(Analyzer(name, True, name == "french", True) for name in ("french", "german", "dutch"))]
WORDS = st.sampled_from(
    [
        "die",
        "dying",
        "dies",
        "running",
        "Runner's",
        "run_time",
        "runTime",
        "RUN",
        "l'eau",
        "geeignet",
        "aeon",
        "été",
        "Straße",
        "Ⅷ",
        "a",
    ]
)


def marked_word_by_word(text: str, wanted: list[str], analyzer: Analyzer) -> list[tuple[int, int]]:
    """By the definition: each word is analysed."""
    return [(start, end) for word, start, end in spans_of(text) if not {*wanted}.isdisjoint(analyzer.terms(word))]


@pytest.mark.parametrize("analyzer", ANALYZERS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_highlights_of_many_texts_are_those_of_each_word(analyzer: Analyzer, data: st.DataObject) -> None:
    spaced = TEXTS.filter(lambda text: not UNSPACED.search(text))
    texts = data.draw(st.lists(st.lists(WORDS | spaced, max_size=8).map(" ".join), max_size=4))
    wanted = analyzer(data.draw(st.lists(WORDS, max_size=4).map(" ".join)) + " " + " ".join(texts)[:20])
    mark = Highlighter(wanted, analyzer)
    expected = [marked_word_by_word(text, wanted, analyzer) for text in texts]
    assert mark.many(texts) == expected
    assert [mark(text) for text in texts] == expected


@pytest.mark.parametrize("language", [None, *languages()])
def test_the_beginning_of_a_word_is_that_of_its_terms(language: str | None) -> None:
    analyzer = Analyzer(language, False, True, True)
    letters = "aeiouybcdfghjklmnpqrstvwxz"
    endings = ["", "ing", "ed", "s", "es", "ational", "ies", "er", "isch", "en", "em", "ern", "heit", "ement", "aux", "ly"]
    words = ["".join(some) + end for some in product(letters, letters, "aynt") for end in endings]
    words += [*map("".join, product(letters, letters)), *letters, "HTTPServer", "Title", "UPPER", "x2", "fooBar"]
    changed = analyzer.changed_beginnings
    if changed is None:
        assert language not in (None, "english", "german", "french")
        return
    kept = [word for word in words if word[:2].lower()[-1] not in changed and not any(map(str.isupper, word[1:]))]
    assert len(kept) > 0.9 * len(words)
    assert all(term[:2] == word[: len(term)][:2].lower() for word in kept for term in analyzer.terms(word))
