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


@pytest.mark.parametrize("passages", ["abc", 5, [1.5]])
def test_numbers_of_passages_are_a_list_of_whole_numbers(library: bookwheel.Library, passages: Any) -> None:
    with pytest.raises(UsageError, match="passage"):
        library.documents_of(passages)
    assert library.documents_of([10**30, -1]) == {}


def test_a_language_is_a_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the language is a name"):
        bookwheel.open(tmp_path / "none", create=True, language=5)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("passages", [float("nan"), float("inf"), 2.5, "5"])
def test_a_plan_is_for_a_whole_number_of_passages(passages: Any) -> None:
    with pytest.raises(UsageError, match="passages must be a whole number"):
        bookwheel.plan(passages=passages)


def test_a_filter_that_another_thread_dropped_is_still_answered(library: bookwheel.Library) -> None:
    class Dropping(dict):
        def __setitem__(self, key: Any, value: Any) -> None:
            """As if others had filled it in the same moment."""

        def popitem(self, last: bool = True) -> Any:
            return None

    snapshot = library._snapshot
    snapshot._filters = Dropping()
    assert len(snapshot.masks('id = "1"')) == len(snapshot.segments)
