"""What a query's words weigh in a library of several languages does not depend on what was asked before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import bookwheel
from bookwheel.library.retrieval import query_terms
from bookwheel.library.retrieval.query_terms import query_weights
from bookwheel.library.snapshot import Snapshot

ENGLISH = "The heron stands in the river and waits for the fish that are swimming there, as it was and as it will be."
GERMAN = "Der Reiher steht im Fluss und wartet auf die Fische, die nicht da sind, und er ist so still wie ein Stein."
QUERIES = [
    "the heron",
    "die Fische im Fluss",
    "Reiher heron",
    "qwxyz",
    "HeronRiver fish",
    "the the die",
    "stands the heron",
    "日",
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("words") / "library"
    with bookwheel.open(place, create=True, encoder=None) as made:
        made.add({"id": f"e{n}", "text": f"{ENGLISH} {n}"} for n in range(6))
        made.add({"id": f"g{n}", "text": f"{GERMAN} {n}"} for n in range(3))
        assert {"english", "german"} <= set(made.info().languages)
    return place


@pytest.fixture(scope="module")
def alone(library: Path) -> list[dict[str, float]]:
    """The weights of each query as the first of a snapshot."""
    found = []
    for query in QUERIES:
        snapshot = Snapshot.open(library)
        found.append(query_weights(snapshot, query))
        snapshot.close()
    return found


@pytest.mark.parametrize("words", [2, query_terms.WORDS])
def test_they_are_those_of_the_first_query(
    library: Path, alone: list[dict[str, float]], words: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_terms, "WORDS", words)
    snapshot = Snapshot.open(library)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            assert list(pool.map(lambda query: query_weights(snapshot, query), QUERIES)) == alone
    snapshot.close()


def test_terms_that_no_passage_has_are_not_there(alone: list[dict[str, float]]) -> None:
    assert alone[QUERIES.index("qwxyz")] == {}
    assert set(alone[0]) == {"ENheron"}
    assert all(weight > 0 for found in alone for weight in found.values())
