"""Arguments of the wrong kind, as programs give them: one sentence, and nothing is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bookwheel
from bookwheel import UsageError

ROWS = [{"id": str(n), "text": f"The heron number {n} stands in water."} for n in range(5)]


@pytest.fixture
def library(tmp_path: Path) -> bookwheel.Library:
    made = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    made.add(ROWS)
    return made


@pytest.mark.parametrize(
    "ask",
    [
        lambda library: library.search_many("abc"),
        lambda library: library.rank_documents("abc"),
        lambda library: library.rank_many("abc"),
        lambda library: library.rank_recipes("abc", ["bm25"]),
    ],
)
def test_a_text_is_not_taken_for_a_list_of_letters(library: bookwheel.Library, ask: Callable[[Any], Any]) -> None:
    with pytest.raises(UsageError, match="as a list"):
        ask(library)


@pytest.mark.parametrize("limit", [-1, 1.5, "2", True])
def test_a_limit_is_a_whole_number(library: bookwheel.Library, limit: Any) -> None:
    with pytest.raises(UsageError, match="limit must be"):
        library.get("3", limit)
    assert [len(library.get("3", some)) for some in (None, 0, 1, 5)] == [1, 0, 1, 1]


@pytest.mark.parametrize("paths", [5, None, 2.5])
def test_paths_are_texts(library: bookwheel.Library, paths: Any) -> None:
    with pytest.raises(UsageError, match="paths must be"):
        library.index(paths)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ram": []}, "ram must be a size"),
        ({"ram": "9" * 400}, "ram must be a size"),
        ({"ram": float("inf")}, "ram must be a size"),
        ({"ram": True}, "ram must be a size"),
        ({"wait": "5s"}, "wait must be a number"),
        ({"wait": -1}, "wait must be a number of seconds"),
        ({"wait": float("nan")}, "wait must be a number of seconds"),
        ({"encoder": 5}, "encoder must be the name or the folder"),
        ({"analysis": 99}, "analysis is set by bookwheel itself"),
        ({"encoder_info": None}, "encoder_info is set by bookwheel itself"),
    ],
)
def test_opening(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        bookwheel.open(tmp_path / "new", create=True, **given)
    assert not (tmp_path / "new").exists()


def test_a_budget_may_be_a_float(tmp_path: Path) -> None:
    bookwheel.open(tmp_path / "new", create=True, encoder=None, ram=1.5e9).close()
