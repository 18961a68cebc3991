"""One character of a script without spaces finds every text that holds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import bookwheel
from bookwheel import Document

TEXTS = {
    "tokyo": "東京バナナは東京の名物です。",
    "cat": "猫が好きです。犬も好きです。",
    "book": "나는 어제 책을 읽었다",
    "tea": "我喜欢喝茶",
    "bureau": "招商局是一家公司",
    "invite": "他在招聘，也做商业",
    "shop": "商",
    "thai": "ภาษาไทยง่ายมาก น้ำ",
    "lao": "ພາສາລາວ",
    "khmer": "ភាសាខ្មែរ",
    "english": "The cat is called 猫 in Japanese and that is all there is to it.",
}
CHARACTERS = sorted(
    {character for text in TEXTS.values() for character in text if character.isalpha() and character > "\u0e00"}
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with bookwheel.open(Path(tmp_path_factory.mktemp("single")) / "x", create=True, encoder=None, recipe="bm25") as made:
        for name, text in TEXTS.items():
            made.add([Document(name, text, "")])
        yield made


def found(library: Any, query: str, recipe: str = "bm25") -> set[str]:
    return {result.id for result in library.search(query, k=50, recipe=recipe)}


@pytest.mark.parametrize("character", CHARACTERS)
def test_every_text_with_it_is_found(library: Any, character: str) -> None:
    holding = {name for name, text in TEXTS.items() if character in text}
    assert found(library, character) == holding
    assert found(library, f"+{character}", "syntax() >> bm25") == holding
    assert found(library, f'"{character}"', "syntax() >> bm25") == holding
    excluded = found(library, f"{character} 好きです 招商 喜欢 cat -{character}", "syntax() >> bm25")
    assert not excluded & holding


def test_phrases_are_in_order(library: Any) -> None:
    assert found(library, '"招商局"', "syntax() >> bm25") == {"bureau"}
    assert found(library, '"商招局"', "syntax() >> bm25") == set()
    assert "bureau" not in found(library, "招商 商 -局", "syntax() >> bm25")


def test_it_is_marked(library: Any) -> None:
    (result,) = library.search("犬", k=9)
    assert [result.text[a:b] for a, b in result.highlights] == ["犬"]
