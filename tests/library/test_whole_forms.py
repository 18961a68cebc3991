"""C++, .NET, R&D, node.js, versions, addresses, emoji: terms of their own beside their parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import bookwheel
from bookwheel import Document
from bookwheel.analysis.whole_forms import MARK, form_of, whole_forms

TEXTS = {
    "cpp": "C++ templates are hard to read for people.",
    "c": "Plain C code is what it is.",
    "sharp": "C# generics, and F# too.",
    "vitamin": "Vitamin C is good for you.",
    "net": "We use .NET at work.",
    "fishing": "A net for fishing.",
    "rd": "The R&D department has a budget.",
    "r": "R and D are letters.",
    "node": "The server runs node.js in production.",
    "version": "Released as 1.2.3 today.",
    "otherversion": "Released as 1.3.2 and 2.1.3 today.",
    "mail": "Write to jane.doe@example.org about it.",
    "page": "See https://example.org/docs/a?b=1, please.",
    "snake": "The variable max_buffer_len was set by fooBarSomething yesterday.",
    "smile": "Well done 😀 and thanks",
    "price": "It costs 5€ or so",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with bookwheel.open(Path(tmp_path_factory.mktemp("forms")) / "x", create=True, encoder=None, recipe="bm25") as made:
        made.add([Document(name, text, "") for name, text in TEXTS.items()])
        yield made


def found(library: Any, query: str, recipe: str = "bm25") -> list[str]:
    return [result.id for result in library.search(query, k=20, recipe=recipe)]


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("C++", "cpp"), ("c++", "cpp"), ("C#", "sharp"), ("F#", "sharp"), (".NET", "net"), ("R&D", "rd"), ("node.js", "node"),
        ("1.2.3", "version"), ("jane.doe@example.org", "mail"), ("https://example.org/docs/a?b=1", "page"), ("😀", "smile"),
        ("€", "price"), ("max_buffer_len", "snake"), ("fooBarSomething", "snake"),
    ],
)  # fmt: skip
def test_the_whole_form_comes_first_and_holds_for_itself(library: Any, form: str, name: str) -> None:
    assert found(library, form)[0] == name
    assert found(library, f'"{form}"', "syntax() >> bm25") == [name]
    assert found(library, f"+{form}", "syntax() >> bm25") == [name]


@pytest.mark.parametrize(("part", "name"), [("buffer", "snake"), ("something", "snake"), ("jane", "mail"), ("node", "node")])
def test_parts_are_found_in_prose(library: Any, part: str, name: str) -> None:
    assert found(library, part) == [name]


def test_excluding_one_leaves_its_parts(library: Any) -> None:
    assert set(found(library, "C -C++", "syntax() >> bm25")) == {"c", "sharp", "vitamin"}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ('"C++ templates"', {"cpp"}),
        ('"C++ code"', set()),  # "Plain C code" and a C++ elsewhere are not it
        ('code -"C++ code"', {"c"}),
        ('"C# generics"', {"sharp"}),
        ('"the r&d  department"', {"rd"}),
        ('"runs node.js in"', {"node"}),
    ],
)
def test_phrases_with_one_hold_as_they_are_written(library: Any, query: str, names: set[str]) -> None:
    assert set(found(library, query, "syntax() >> bm25")) == names


def test_excluding_one_whose_word_is_a_stop_word_elsewhere(tmp_path: Path) -> None:
    """French has c among its function words, so that the texts tell whether they have the word C."""
    french = "Le chat est dans la maison, et c'est pour les enfants qui sont avec elle que nous avons une table."
    with bookwheel.open(tmp_path / "x", create=True, encoder=None, recipe="bm25") as made:
        made.add(
            [
                Document(name, f"{TEXTS[name]} This is what they said about the code, and that was it.", "")
                for name in ("c", "cpp")
            ]
        )
        made.add([Document("french", french, "")])
        assert {"english", "french"} <= set(made.info().languages)
        assert found(made, "code -C++", "syntax() >> bm25") == ["c"]
        assert found(made, "+C++", "syntax() >> bm25") == ["cpp"]


def test_decimals_and_initials_are_no_forms() -> None:
    assert whole_forms("p < 0.05, 3.14 (e.g. U.S.) end. Next") == []
    assert [form_of(word) for word in whole_forms("(C++), C++/C#.")] == ["c++", "c++", "c#"]
    assert all(word.startswith(MARK) for word in whole_forms("a.bc 😀"))


def test_vectors_do_not_see_them(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "dense", create=True) as library:
        library.add([Document("a", "node.js runs 😀", ""), Document("b", "node js runs", "")])
        (_, one_score), (_, two_score) = library.rank_documents(["javascript server"], k=2, recipe="dense")[0]
        assert one_score == pytest.approx(two_score, abs=1e-6)
