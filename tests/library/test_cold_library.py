"""A library on disk answers as one in memory: where ids follow each other, where they do not, and from several segments."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel.documents.document import Document
from bookwheel.index.inverted.base import InvertedIndex


@pytest.fixture
def path(tmp_path: Path, prose: list[tuple[str, str]]) -> Path:
    """Three segments; the first is then merged with the second with a hole in its ids."""
    place = tmp_path / "lib"
    with bookwheel.open(place, create=True, language="english") as library:
        for start in (0, 100):
            library.add([Document(str(n), text, title) for n, (title, text) in enumerate(prose[start : start + 100], start)])
        library.remove(["3", "150"])
        library.compact()
        library.add([Document(str(n), text, title) for n, (title, text) in enumerate(prose[200:300], 200)])
    return place


def test_positions_and_ids_agree_with_or_without_gaps(path: Path) -> None:
    with bookwheel.open(path) as library:
        holed, whole = library._snapshot.segments
        assert holed._first is None
        assert whole._first == int(whole.ids[0])
        for segment in (holed, whole):
            local = np.array([0, 5, len(segment.ids) - 1])
            assert np.array_equal(segment.numbers(local), segment.ids[local])
            asked = np.concatenate([segment.ids[::-3], [0, -4, int(segment.ids[-1]) + 1, int(holed.ids[2])]])
            here, found = segment.locate(asked)
            assert np.array_equal(segment.ids[found], asked[here])
            assert set(here.tolist()) == {n for n, number in enumerate(asked.tolist()) if number in segment.ids}


@pytest.mark.parametrize("recipe", ["bm25", "dense", "hybrid"])
def test_a_search_that_finds_everything_on_disk_gives_the_same(
    path: Path, recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = ["open a file", "the number of words in a list", "an error is raised"]
    with bookwheel.open(path) as library:
        wanted = [library.rank(query, 20, recipe=recipe) for query in queries]
    monkeypatch.setattr(InvertedIndex, "cold", lambda self: True)
    monkeypatch.setattr("bookwheel.index.inverted.reader.in_memory", lambda address: False)
    monkeypatch.setattr("bookwheel.index.dense.reader.in_memory", lambda address: False)
    with bookwheel.open(path) as library:
        for query, hits in zip(queries, wanted, strict=True):
            found = library.rank(query, 20, recipe=recipe)
            assert found.ids.tolist() == hits.ids.tolist()
            assert found.scores.tolist() == hits.scores.tolist()
            assert len(found)


def test_sketches_are_asked_for_before_the_first_search_by_them_and_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bookwheel.open(path) as library:
        snapshot = library._snapshot
        library.rank("open a file", recipe="bm25")
        assert all(segment.dense._cold for segment in snapshot.segments if segment.dense is not None)
        snapshot.begin(["dense"])
        assert not any(segment.dense._cold for segment in snapshot.segments if segment.dense is not None)
        monkeypatch.setattr("bookwheel.index.storage.ArrayFolder.advise", lambda *given: pytest.fail("asked for twice"))
        snapshot.begin(["dense"])
