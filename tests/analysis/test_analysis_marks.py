"""A word and its form without marks are one term, in every language."""

from __future__ import annotations

import unicodedata

import pytest
from analysis_texts import SAMPLES

from bookwheel.analysis.analyzer import Analyzer, languages
from bookwheel.analysis.endings import with_marks
from bookwheel.analysis.folding import folded
from bookwheel.analysis.words import split_words

LOANS = "résumé Beyoncé cliché soufflé fiancé André Poincaré Schrödinger protégé exposé communiqué café naïve jalapeño Gödel"
WORDS = {
    "english": LOANS,
    "portuguese": "informação educação população não informações útil possível ciência",
    "french": "université première égalité même élève français être après",
    "spanish": "tecnología energía biología educación también niño",
    "catalan": "informació educació nació també",
    "italian": "università città perché più",
    "german": "Häuser für über Straße möglich",
    "czech": "příliš žluťoučký kůň zaměstnání které",
    "hungarian": "árvíztűrő tükörfúrógép között",
    "turkish": "çalışmaları öğrenci güzel",
    "swedish": "människor självständighet hjälper",
    "polish": "zażółć gęślą jaźń możliwości",
    "romanian": "informații românească",
}


@pytest.mark.parametrize("language", [*languages(), "none"])
def test_words_meet_their_forms_without_marks(language: str) -> None:
    analyzer = Analyzer.for_language(language)
    words = set(" ".join([WORDS.get(language, ""), LOANS, SAMPLES.get(language, "")]).split())
    for word in {part for text in words for part in split_words(text)}:
        plain = folded(word.casefold())
        assert analyzer.terms(word) == analyzer.terms(plain), word
        assert analyzer.terms(unicodedata.normalize("NFD", word)) == analyzer.terms(word), word


@pytest.mark.parametrize("language", ["none", "english", "russian", "arabic"])
@pytest.mark.parametrize(
    ("word", "other"), [("ёлка", "елка"), ("كِتَاب", "كتاب"), ("كتـــاب", "كتاب"), ("שָׁלוֹם", "שלום"), ("за́мок", "замок")]
)
def test_points_and_dots(language: str, word: str, other: str) -> None:
    analyzer = Analyzer.for_language(language)
    assert analyzer.terms(word) == analyzer.terms(other)
    assert len(analyzer.terms(word)) == 1


def test_letters_of_their_own_stay() -> None:
    assert folded("йод") == "йод"
    assert folded("їжа") == "їжа"
    assert folded("ѓорѓи") == "ѓорѓи"
    assert folded("हिन्दी") == "हिन्दी"


def test_endings_keep_what_stemmers_bring_together() -> None:
    analyzer = Analyzer.for_language("portuguese")
    assert analyzer.terms("informação") == analyzer.terms("informações") == analyzer.terms("informacao") == ("inform",)
    assert with_marks("informacao", "portuguese") == "informação"
    assert with_marks("cao", "portuguese")[:2] == "ca"
