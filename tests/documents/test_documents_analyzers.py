from __future__ import annotations

import json
import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel._errors import UsageError
from bookwheel.analysis.analyzer import MAX_WORD, Analyzer, detect_language, highlight, languages
from bookwheel.analysis.stop_words import LANGUAGES, stop_words
from bookwheel.analysis.words import MANY, WordTable, spans_of, split_words

PLAIN = Analyzer()
ENGLISH = Analyzer("english", True, True)
CODE = Analyzer(split_identifiers=True)
TEXTS = st.text(st.characters() | st.sampled_from("ab' ’_-.é\u0301\u00ad漢字がきก한국नमस्ते\u200d"), max_size=60)


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


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_plain_ascii_terms_are_casefolded_words(text: str) -> None:
    ascii_text = text.encode("ascii", "ignore").decode().replace("'", " ").replace("_", " ")
    assert PLAIN(ascii_text) == re.findall(r"\w+", ascii_text.casefold())


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
    assert bool(spans) == bool(terms)


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


SAMPLES = {
    "english": "It was the best of times, it was the worst of times, it was the age of wisdom, and there is such a thing"
    " in the age.",
    "german": "Es war einmal ein König, der hatte eine Tochter, die war so schön, dass sich die Sonne selber, die doch"
    " so vieles gesehen.",
    "french": "Longtemps, je me suis couché de bonne heure. Parfois, à peine ma bougie éteinte, mes yeux se fermaient si"
    " vite que je n'avais pas.",
    "spanish": "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, no ha mucho tiempo que vivía un hidalgo de"
    " los de lanza.",
    "italian": "Nel mezzo del cammin di nostra vita mi ritrovai per una selva oscura, che la diritta via era smarrita e"
    " non so come.",
    "russian": "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему. Все смешалось"
    " в доме, и не было.",
    "swedish": "Det var en gång en gosse som var så lat att han inte ville gå till skolan, och han satt på en sten med"
    " sin katt.",
    "finnish": "Oli kerran mies, joka asui metsässä, ja hän oli niin köyhä, että hänellä ei ollut mitään, mutta se ei"
    " ollut hän.",
    "dutch": "Er was eens een man die in een bos woonde en hij had niet veel te eten, maar het was er mooi en de vogels"
    " zongen voor hem.",
    "polish": "Był sobie król, który miał syna i nie wiedział, że jest to jego ostatni dzień, ale nie było już czasu na"
    " to, aby się bać.",
}


@pytest.mark.parametrize("language", SAMPLES)
def test_languages_are_told_apart(language: str) -> None:
    assert detect_language([SAMPLES[language]]) == language
    assert Analyzer.default_for([SAMPLES[language]]).language == language


@pytest.mark.parametrize(
    "texts",
    [[], ["too short"], ["x1 y2 z3 " * 30], ["東京は日本の首都です。" * 30], [SAMPLES["english"], SAMPLES["russian"] * 2]],
)
def test_no_language_where_unsure(texts: list[str]) -> None:
    assert detect_language(texts) in (None, "russian")
    assert detect_language(texts[:1]) in (None, "english")


def test_default_analyzers() -> None:
    assert Analyzer.default_for([SAMPLES["english"]]) == Analyzer("english", True, True, False)
    assert Analyzer.for_language("none") == Analyzer(None, False, True, False)
    code = "def read_file(self, file_name): return self.open_file(file_name, readOnly) and the_rest in is_ok or not the_end\n"
    assert Analyzer.default_for([code * 3]).split_identifiers


def test_highlights() -> None:
    text = "Running shoes for the runner's RUN; 東京都の店 in Tōkyō"
    marked = [text[start:end] for start, end in highlight(text, "run 京都 tokyo", ENGLISH)]
    assert marked == ["Running", "RUN", "京都", "Tōkyō"]
    assert highlight(text, ["shoe"], ENGLISH) == [(8, 13)]
    assert highlight(text, "the", ENGLISH) == []
