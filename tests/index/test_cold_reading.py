"""Reading what is on disk: what is asked for ahead holds all that a search then reads, and nothing of it changes a result."""

from __future__ import annotations

import mmap
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.index.inverted.bm25 import Bm25Index
from bookwheel.index.inverted.bm25_builder import Bm25Builder
from bookwheel.index.inverted.reader import BLOCK
from bookwheel.index.mapping import MappedFile
from bookwheel.index.pages import in_memory, share_in_memory
from bookwheel.index.storage import AHEAD, HEADER, ArrayFolder, FolderWriter
from bookwheel.kernels import bits
from bookwheel.kernels.bm25 import Bm25, idf

TERMS = 40


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Bm25Index:
    """Lists of one posting up to one in every passage, so that some have a directory and some a row of greatest impacts."""
    folder = tmp_path_factory.mktemp("lists")
    generator = np.random.default_rng(3)
    builder = Bm25Builder()
    passages = 9000
    for _ in range(passages):
        terms = np.flatnonzero(generator.random(TERMS) < 1 / (1 + np.arange(TERMS) ** 2)).astype(np.int64)
        builder.add(np.array([0, len(terms)], np.int64), terms)
    builder.close(folder / "sparse", folder / "impacts", [f"t{n:02}" for n in range(TERMS)], bm25=Bm25(), average_length=2.0)
    return Bm25Index(folder / "sparse", folder / "impacts")


def query(index: Bm25Index, numbers: set[int]) -> tuple[list[str], np.ndarray]:
    terms = [f"t{n:02}" for n in sorted(numbers)]
    return terms, idf(index.document_frequencies(terms), index.passages)


@settings(max_examples=15, deadline=None)
@given(numbers=st.sets(st.integers(0, TERMS - 1), min_size=1, max_size=8))
def test_all_lists_of_a_query_are_asked_for(index: Bm25Index, numbers: set[int]) -> None:
    """With every byte that was not asked for overwritten, the search finds the same."""
    terms, weights = query(index, numbers)
    records, _ = index._query(terms, weights)
    asked = {name: np.zeros(array.nbytes, np.bool_) for name, array in index.arrays.items()}

    class Recorder:
        def __init__(self, folder: ArrayFolder) -> None:
            self.array = folder.array

        def advise(self, name: str, offset: int, length: int) -> None:
            asked[name][offset : offset + length] = True

    reader = index._reader
    real = reader._folders
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bookwheel.index.inverted.reader.in_memory", lambda address: False)
        patch.setattr(reader, "_folders", {name: Recorder(folder) for name, folder in real.items()})
        reader.prefetch(records)
    wanted = index.search(terms, weights, 20)
    kept = {}
    guard = 32  # a reader of packed postings may fetch a little more than it uses
    for name in ("postings", "impacts", "last", "units", "widths", "shapes", "maxima", "ranges"):
        raw = index.arrays[name].view(np.uint8).copy()
        raw[~asked[name]] = 0xA5
        if name == "postings":
            raw[-guard:] = 0
        kept[name] = raw.view(index.arrays[name].dtype)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "arrays", index.arrays | kept)
        found = index.search(terms, weights, 20)
    assert found.ids.tolist() == wanted.ids.tolist()
    assert found.scores.tolist() == wanted.scores.tolist()
    assert any(part.any() for part in asked.values()) == bool(len(records))


def test_terms_looked_up_side_by_side_give_the_same_records(index: Bm25Index, monkeypatch: pytest.MonkeyPatch) -> None:
    terms = [f"t{n:02}" for n in range(TERMS)] + ["nowhere", ""]
    warm = index._look_up(terms)
    monkeypatch.setattr(index, "cold", lambda: True)
    calls: list[int] = []
    real = index._look_up
    monkeypatch.setattr(index, "_look_up", lambda some: (calls.append(len(some)), real(some))[1])
    assert np.array_equal(real(terms), warm)
    assert calls == [1] * len(terms)


def test_nothing_is_asked_for_where_the_lists_are_in_memory(index: Bm25Index, monkeypatch: pytest.MonkeyPatch) -> None:
    records, _ = index._query(*query(index, {0, 3, 9}))
    monkeypatch.setattr("bookwheel.index.inverted.reader.in_memory", lambda address: True)
    monkeypatch.setattr(index._reader, "_ask", lambda *given: pytest.fail("asked for what is there"))
    index._reader.prefetch(records)


def test_records_of_a_damaged_dictionary_ask_for_nothing_beyond_the_files(
    index: Bm25Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookwheel.index.inverted.reader.in_memory", lambda address: False)
    wild = np.array([[1 << 40, 1 << 50, -5, 1 << 45, 1 << 44, 1 << 43, 0, 0], [0, -1, 1 << 60, -7, -1, -1, 0, 0]], np.int64)
    index._reader.prefetch(wild)


def test_blocks_are_as_long_as_the_kernels_have_them() -> None:
    assert BLOCK == bits.BLOCK


@pytest.fixture
def folder(tmp_path: Path) -> ArrayFolder:
    with FolderWriter(tmp_path / "f") as writer:
        writer.write("numbers", np.arange(300_000, dtype=np.int64) + 7)
        writer.write("rows", np.ones((0, 3, 2), np.float16))
        writer.write("pairs", np.arange(6, dtype=np.uint8).reshape(3, 2))
    return ArrayFolder(tmp_path / "f")


def test_arrays_read_as_they_were_written(folder: ArrayFolder) -> None:
    assert folder.array("rows").shape == (0, 3, 2)
    assert folder.array("rows").dtype == np.float16
    assert folder.array("pairs").tolist() == [[0, 1], [2, 3], [4, 5]]
    assert np.array_equal(np.load(folder.path("numbers")), folder.array("numbers"))
    assert folder.ends("numbers") == (7, 300_006)


def test_a_long_request_is_made_in_pieces_that_cover_it(folder: ArrayFolder) -> None:
    folder.array("numbers")
    made: list[tuple[int, int]] = []

    class Mapped:
        def __init__(self, inner: MappedFile) -> None:
            self.inner = inner
            self.size = inner.size

        def advise(self, name: str, start: int, length: int) -> None:
            assert name == "WILLNEED"
            self.inner.advise(name, start, length)
            made.append((start, start + length))

    whole = folder._maps["numbers"]

    folder._maps["numbers"] = Mapped(whole)  # type: ignore[assignment]
    folder.advise("numbers", 5000, 10 * AHEAD)
    assert made[0][0] <= HEADER + 5000
    assert made[-1][1] == HEADER + 5000 + 10 * AHEAD
    assert all(stop - start <= AHEAD and start % mmap.PAGESIZE == 0 for start, stop in made)
    assert all(one[1] == after[0] for one, after in pairwise(made))
    before = len(made)
    folder.advise("numbers", 1 << 40, 10)
    assert len(made) == before
    folder._maps["numbers"] = whole
    folder.scattered("numbers")
    assert folder.array("numbers")[123_456] == 123_463


def test_pages_just_written_are_in_memory_and_scattered_ones_are_still_read(folder: ArrayFolder) -> None:
    array = folder.array("numbers")
    assert int(array.sum()) > 0
    assert in_memory(array.ctypes.data)
    assert share_in_memory(array.ctypes.data, array.nbytes) == 1.0
    assert share_in_memory(array.ctypes.data, 0) == 1.0
