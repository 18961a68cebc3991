"""Near-duplicates: signatures estimate the overlap of shingles, in whatever script and however a text is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bookwheel.documents.duplicates as duplicates
from bookwheel.analysis.words import split_words
from bookwheel.documents.duplicates import duplicates_of, resemblance, signature

WORDS = [f"w{number}" for number in range(500)]


def text(dice: np.random.Generator, n: int = 80) -> list[str]:
    return [WORDS[at] for at in dice.integers(0, len(WORDS), n)]


def changed(dice: np.random.Generator, words: list[str], places: int) -> list[str]:
    words = list(words)
    for at in dice.choice(len(words), places, replace=False):
        words[at] = "x" + words[at]
    return words


def shingles(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + 3]) for at in range(max(1, len(words) - 2))}


def alike(one: str, other: str) -> float:
    first, second = signature(one), signature(other)
    assert first is not None
    assert second is not None
    return float(resemblance(first[np.newaxis], second)[0])


def test_signatures_estimate_the_overlap_of_shingles() -> None:
    dice = np.random.default_rng(1)
    errors = []
    for places in (0, 1, 2, 4, 8, 20):
        for _ in range(30):
            one = text(dice)
            other = changed(dice, one, places)
            a, b = shingles(one), shingles(other)
            errors.append(alike(" ".join(one), " ".join(other)) - len(a & b) / len(a | b))
    # The standard deviation of an estimate from 128 hashes is at most 0.044.
    assert abs(float(np.mean(errors))) < 0.015
    assert float(np.std(errors)) < 0.05


def test_texts_that_share_nothing_agree_in_nothing() -> None:
    dice = np.random.default_rng(5)
    signatures = [signature(" ".join(f"{word}{n}" for word in text(dice))) for n in range(100)]
    table = np.array(signatures)
    pairs = [int((table[i] == table[j]).sum()) for i in range(100) for j in range(i)]
    assert np.mean(pairs) < 0.02  # of 128, where 16 bits agree by chance in 0.002


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The quick brown fox's dog ran.", "the “QUICK” brown fox’s dog — ran"),
        ("Ein Größenvergleich, äußerst knapp", "ein größenvergleich äußerst\u00a0knapp…"),
        ("two words", "Two, words!"),
        ("a b c", "a\n\nb\tc"),
    ],
)
def test_signs_and_case_make_no_difference(one: str, other: str) -> None:
    assert alike(one, other) == 1.0


def test_one_other_character_of_a_script_without_spaces_is_not_another_text() -> None:
    one = "我们在北京大学读书的时候经常去图书馆学习历史和文学"
    assert 0.5 < alike(one, one.replace("经", "曾")) < 1.0
    assert alike(one, "第二篇文章说的是完全不同的事情例如如何种植水稻") < 0.1


@pytest.mark.parametrize("empty", ["", " \n", "…—!", "''", "\u3000。"])
def test_a_text_without_words_resembles_nothing(empty: str) -> None:
    assert signature(empty) is None


def test_a_long_text_has_the_signature_of_its_words_however_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = np.random.default_rng(8)
    long = " ".join(text(dice, 3000))
    whole = signature(long)
    monkeypatch.setattr(duplicates, "PIECE", 700)
    assert (signature(long) == whole).all()


@given(st.text(max_size=200), st.integers(0, 3))
def test_any_text_has_a_signature_where_it_has_words(given_text: str, more: int) -> None:
    found = signature(given_text)
    if found is None:
        assert not any(word.isascii() for word in split_words(given_text))
    else:
        assert (signature(given_text + " ." * more) == found).all()


def test_the_first_of_each_group_is_kept() -> None:
    dice = np.random.default_rng(3)
    one, two = text(dice), text(dice)
    texts = [" ".join(words) for words in (one, two, changed(dice, one, 1), two, text(dice))]
    assert duplicates_of([*texts, "", ""], 0.7).tolist() == [0, 1, 0, 1, 4, 5, 6]
