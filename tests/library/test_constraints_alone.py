"""Queries of nothing but constraints give what fulfils them, by every recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import bookwheel
from bookwheel import Document

RECIPES = ["syntax() >> bm25", "syntax() >> dense", "syntax() >> (0.5*bm25 + 0.5*dense)"]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with bookwheel.open(Path(tmp_path_factory.mktemp("alone")) / "x", create=True, language="english") as made:
        made.add(
            [
                Document("hamlet", "To be, or not to be, that is the question.", "", {"year": 1603}),
                Document("other", "It is not to be what it was, and that is that.", "", {"year": 2020}),
                Document("wand", "The wand algorithm skips postings.", "", {"year": 2020}),
                Document("stop", "The and of it.", "", {"year": 2019}),
            ]
        )
        yield made


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('"to be or not to be"', {"hamlet"}),
        ('"not to be"', {"hamlet", "other"}),
        ("year:2020", {"other", "wand"}),
        ("-year:2020", {"hamlet", "stop"}),
        ("-wand", {"hamlet", "other", "stop"}),
        ('year:2020 -"not to be"', {"wand"}),
        ("+wand year:2020", {"wand"}),
    ],
)
def test_all_that_fulfils_them_is_found(library: Any, recipe: str, query: str, names: set[str]) -> None:
    assert {result.id for result in library.search(query, k=10, recipe=recipe)} == names


def test_words_beside_them_still_choose(library: Any) -> None:
    assert [result.id for result in library.search("wand year:2020", k=10, recipe=RECIPES[0])] == ["wand"]


def test_the_title_is_text_where_there_is_no_other(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "titles", create=True, encoder=None) as library:
        library.add([Document("a", "", "Only a zebra in the title"), Document("b", " \n", "Nothing"), Document("c", "", "")])
        (found,) = library.search("zebra", k=5)
        assert (found.id, found.title, found.text) == ("a", "Only a zebra in the title", "Only a zebra in the title")
        assert library.add([Document("a", "", "Only a zebra in the title")]).unchanged == 1


@pytest.mark.parametrize(
    ("language", "text", "phrases"),
    [
        ("russian", "Ёжик нёс ещё один мёд", ["нес еще один мед", "еще один", "НЁС ЕЩЕ"]),
        ("french", "La même forêt à côté de l'église", ["meme foret", "a cote", "MÊME FORÊT"]),
        ("portuguese", "Isso não é o que está lá", ["nao e o que", "isso nao"]),
    ],
)
def test_function_words_of_a_phrase_meet_without_their_marks(
    tmp_path: Path, language: str, text: str, phrases: list[str]
) -> None:
    with bookwheel.open(tmp_path / "x", create=True, encoder=None, language=language) as made:
        made.add([Document("a", text, ""), Document("b", "12 345 67", "")])
        for phrase in phrases:
            assert [result.id for result in made.search(f'"{phrase}"', recipe="syntax() >> bm25")] == ["a"], phrase
