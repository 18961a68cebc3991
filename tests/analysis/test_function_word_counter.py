"""The compiled counter of function words gives what the plain one does."""

import random

import pytest

from bookwheel.analysis import languages
from bookwheel.analysis.languages import language_of
from bookwheel.analysis.stop_words import LANGUAGES, stop_words

SEPARATORS = [" ", " ", ", ", "’", "'", "''", " 'e' ", "\n", " ́", "\udcff", "-", "猫"]


def made(seed: int) -> str:
    """Function words of one or two languages, and others, in capitals at times, with all that may stand between words."""
    choice = random.Random(seed)
    some = choice.sample(LANGUAGES, choice.randint(1, 2))
    words = [word for language in some for word in sorted(stop_words(language))] + ["Zebra", "C3PO", "naïve", "İstanbul", "x"]
    text = "".join(choice.choice(words) + choice.choice(SEPARATORS) for _ in range(choice.randint(0, 120)))
    return text.upper() if choice.random() < 0.2 else text


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> languages._Counter:
    monkeypatch.setattr(languages, "MANY", 1)
    counter = languages._Counter()
    counter("warm")
    assert counter._count is not None
    return counter


def test_both_ways_of_counting_agree(compiled: languages._Counter) -> None:
    for seed in range(200):
        text = made(seed)
        one, other = compiled(text), compiled._slowly(text.casefold())
        assert one[:-1] == other[:-1]
        assert one.every() == other.every()


def test_the_language_does_not_depend_on_how_many_texts_came_before(
    compiled: languages._Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [made(seed) for seed in range(100)]
    monkeypatch.setattr(languages, "_counted", languages._Counter())
    before = [language_of(text) for text in texts]
    monkeypatch.setattr(languages, "_counted", compiled)
    assert [language_of(text) for text in texts] == before
    assert len(set(before)) > 10
