"""Words that look alike count in part, and words that only ask count less."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document, Library
from bookwheel.library.asking import LibraryCollection
from bookwheel.read.evidence import Evidence
from bookwheel.read.likeness import coverage
from bookwheel.read.matching import Question, matches


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> LibraryCollection:
    library: Library = bookwheel.open(
        tmp_path_factory.mktemp("likeness") / "library", create=True, encoder=None, language="german"
    )
    library.add(
        [
            Document("wood", "Der Regenwald am Fluss ist alt."),
            Document("price", "Die Restauration kostete viel."),
            Document("salt", "Salz liegt auf der Straße."),
        ]
    )
    return LibraryCollection(library._searcher)


def share(collection: LibraryCollection, question: str, text: str) -> float:
    """What one sentence has of a question."""
    evidence = [Evidence(1, 1, "x", "", "", "", text, 0, len(text))]
    found = coverage(collection, matches(collection, Question.of(collection, question), evidence))
    np.testing.assert_allclose(found.passages.max(), found.sentences.max())
    return float(found.sentences.max())


@pytest.mark.parametrize(
    ("asked", "said"), [("Amazonasregenwald", "Regenwald"), ("Einwanderung", "Einwanderer"), ("restaurieren", "Restauration")]
)
def test_parts_and_forms_count_in_part(collection: LibraryCollection, asked: str, said: str) -> None:
    assert 0.1 < share(collection, asked, f"Der {said} ist alt.") < share(collection, asked, f"Der {asked} ist alt.") < 1.0


@pytest.mark.parametrize(
    ("asked", "said"), [("Amazonasregenwald", "Salz"), ("Salz", "Holz"), ("1974", "1975"), ("Regenwald", "Regal")]
)
def test_others_do_not(collection: LibraryCollection, asked: str, said: str) -> None:
    assert share(collection, asked, f"Der {said} ist alt.") < 0.05


def test_two_words_that_are_there_are_less_than_four(collection: LibraryCollection) -> None:
    text = "Der Regenwald am Fluss und das Salz der Restauration sind alt."
    shares = [share(collection, asked, text) for asked in ("Regenwald", "Regenwald Salz", "Regenwald Salz Fluss Restauration")]
    assert shares == sorted(shares)
    assert shares[-1] < 1.0


@pytest.mark.parametrize("asking", ["Welcher Regenwald", "Regenwald passiert"])
def test_a_word_that_asks_costs_less_than_another_that_is_missing(collection: LibraryCollection, asking: str) -> None:
    text = "Der Regenwald am Fluss ist alt."
    assert share(collection, "Regenwald Quarz", text) < share(collection, asking, text) < share(collection, "Regenwald", text)


def test_a_word_in_one_of_its_languages_is_there(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.add(
        [Document(f"de{n}", "Das Restaurant der Stadt ist am Montag geschlossen, und der Koch ist nicht da.") for n in range(3)]
    )
    library.add(
        [Document(f"en{n}", "The restaurant of the town is closed on Monday, and the cook is not there.") for n in range(3)]
    )
    collection = LibraryCollection(library._searcher)
    whole = share(collection, "restaurant", "The restaurant of the town is closed.")
    assert whole == pytest.approx(share(collection, "restaurant", "Das restaurant der Stadt ist geschlossen."), rel=0.4)
    assert whole > 0.15


def test_pairs_of_characters_of_a_word_that_only_asks_count_half(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.add([Document("a", "沃尔夫森出生于一九五零年。"), Document("b", "河流穿过古老的森林。")])
    collection = LibraryCollection(library._searcher)
    text = "沃尔夫森出生于一九五零年。"
    asks, says = share(collection, "沃尔夫森什么时候出生", text), share(collection, "沃尔夫森河流时候出生", text)
    assert asks > says  # 什么 asks; 河流 is a word like others, and the text lacks both
    assert share(collection, "沃尔夫森出生", text) > asks
    assert share(collection, "什么什么", "什么") > 0.2  # what is there counts, however little it weighs
