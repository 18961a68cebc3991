"""Near-duplicates: signatures estimate the overlap of shingles, and the Bloom filters forget nothing."""

from __future__ import annotations

import numpy as np
import pytest

from bookwheel.documents.duplicates import NearDuplicates, duplicates_of, resemblance, shingles, signature

WORDS = [f"w{number}" for number in range(500)]


def text(dice: np.random.Generator, n: int = 80) -> list[str]:
    return [WORDS[at] for at in dice.integers(0, len(WORDS), n)]


def changed(dice: np.random.Generator, words: list[str], places: int) -> list[str]:
    words = list(words)
    for at in dice.choice(len(words), places, replace=False):
        words[at] = "x" + words[at]
    return words


def test_signatures_estimate_the_overlap_of_shingles() -> None:
    dice = np.random.default_rng(1)
    errors = []
    for places in (0, 1, 2, 4, 8, 20):
        for _ in range(10):
            one = text(dice)
            other = changed(dice, one, places)
            a, b = set(shingles(" ".join(one)).tolist()), set(shingles(" ".join(other)).tolist())
            true = len(a & b) / len(a | b)
            found = resemblance(signature(" ".join(other))[np.newaxis], signature(" ".join(one)))[0]
            errors.append(found - true)
    # The standard deviation of an estimate from 128 hashes is at most 0.044.
    assert abs(float(np.mean(errors))) < 0.02
    assert float(np.std(errors)) < 0.06


def test_copies_are_seen_and_others_are_not() -> None:
    dice = np.random.default_rng(2)
    seen = NearDuplicates(2000, threshold=0.7)
    texts = [text(dice) for _ in range(300)]
    assert not any(seen.seen(" ".join(words)) for words in texts)
    assert all(seen.seen(" ".join(words)) for words in texts)
    nearly = [seen.seen(" ".join(changed(dice, words, 1))) for words in texts]  # 0.93 in common
    assert np.mean(nearly) > 0.95
    assert np.mean([seen.seen(" ".join(text(dice))) for _ in range(300)]) < 0.01
    assert seen.nbytes < 2000 * 200
    assert not seen.seen("")
    assert not seen.seen("")


def test_the_first_of_each_group_is_kept() -> None:
    dice = np.random.default_rng(3)
    one, two = text(dice), text(dice)
    texts = [" ".join(words) for words in (one, two, changed(dice, one, 1), two, text(dice))]
    assert duplicates_of([*texts, "", ""], 0.7).tolist() == [0, 1, 0, 1, 4, 5, 6]


@pytest.mark.parametrize("wrong", [{"expected": 0}, {"expected": 5, "threshold": 0.0}, {"expected": 5, "errors": 1.0}])
def test_settings_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        NearDuplicates(**wrong)  # type: ignore[arg-type]
