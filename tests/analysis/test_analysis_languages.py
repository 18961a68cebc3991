from __future__ import annotations

import pytest
from analysis_texts import SAMPLES

from bookwheel.analysis.analyzer import Analyzer
from bookwheel.analysis.languages import detect_language


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
