"""Where models are compared, documents rank by their best passage, however many passages another document has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bookwheel
from bookwheel import Document
from bookwheel.evaluate.collection import Collection
from bookwheel.train.by_document import best_documents
from bookwheel.train.lists.comparing import FIRST, Candidates
from bookwheel.train.projection.sample import Sample
from bookwheel.train.static.choice import DenseRuns

SECOND = 1 / np.log2(3)
"""nDCG where the one answer is the second document."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bookwheel.Library]:
    """A document of more than a hundred passages that say a word often, one that says it once, and some more."""
    sentence = "The gannet dives, and the gannet fishes, while a gannet watches the gannet. "
    texts = {"long": sentence * 2000, "answer": "Once a gannet came to the harbour, where ropes are sold and boats are mended."}
    with bookwheel.open(tmp_path_factory.mktemp("long") / "library", create=True, language="english") as opened:
        opened.add([Document(name, text) for name, text in texts.items()], workers=1)
        opened.add([Document(f"other {at}", f"Boats of the harbour, number {at}.") for at in range(20)], workers=1)
        assert opened["long"].passages[100:]
        yield opened


def judged(query: str) -> Collection:
    return Collection("judged", {"q": query}, {"q": {"answer": 1}}, lambda: iter(()))


@given(
    st.integers(1, 30).flatmap(
        lambda n: st.tuples(
            st.lists(st.integers(0, 9), min_size=n, max_size=n),
            st.lists(st.lists(st.integers(-3, 3), min_size=n, max_size=n), min_size=1, max_size=3),
        )
    ),
    st.integers(1, 12),
)
def test_the_best_documents_are_those_of_the_best_passages(given: tuple[list[int], list[list[int]]], most: int) -> None:
    documents, rows = given
    found = best_documents(np.array(rows, np.float32), np.array(documents), most)
    for row, (numbers, scores) in zip(rows, found, strict=True):
        best: dict[int, int] = {}
        for document, score in zip(documents, row, strict=True):
            best[document] = max(best.get(document, score), score)
        ranked = sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
        assert scores.tolist() == [score for _, score in ranked]
        assert numbers.tolist() == [number for number, _ in ranked]


def test_how_far_a_static_model_goes_is_chosen_by_documents(
    library: bookwheel.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = DenseRuns(library, judged("?"))
    by_name = {"long": [0.9, 0.436], "answer": [0.8, 0.6]}
    vectors = np.array([by_name.get(runs._names[at], [0.1, 0.995]) for at in runs._documents.tolist()], np.float16)
    monkeypatch.setattr(runs, "vectors", lambda encoder, out: vectors)
    encoder: Any = SimpleNamespace(encode=lambda texts: np.array([[1, 0]], np.float32))
    assert runs.score(encoder, tmp_path / "vectors.npy") == pytest.approx(SECOND, abs=1e-3)


def test_maps_are_compared_by_documents() -> None:
    """Whatever order their passages are in."""
    documents = np.array([3] * 150 + [1] + [5] * 20)
    vectors = np.array([[0.9, 0.436]] * 150 + [[0.8, 0.6]] + [[0.1, 0.995]] * 20, np.float32)
    sample = Sample(vectors, documents, {1: "answer"})
    gains = sample.gains(vectors, np.array([[1, 0]], np.float32), ["q"], {"q": {"answer": 1}})
    assert gains == {"q": pytest.approx(SECOND, abs=1e-3)}


def test_bm25_ranks_passages_of_enough_documents(library: bookwheel.Library) -> None:
    """As a search does, which looks deeper where they are of few documents."""
    (ranked,) = library.rank_documents(["gannet"], k=10, recipe="bm25")
    assert [name for name, _ in ranked] == ["long", "answer"]
    asked = Candidates(library, judged("gannet"), ["q"], 5)
    assert asked.values([np.empty(0, np.float32)], FIRST)["q"] == pytest.approx(SECOND)
