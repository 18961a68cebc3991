"""Merging and reweighing give what building from scratch gives, byte for byte."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sparse_reference import Collection, bitmap, zipf

from bookwheel.index.inverted import merge as sparse_merge
from bookwheel.index.inverted.bm25 import Bm25Index
from bookwheel.index.inverted.merge import merge, reweigh
from bookwheel.kernels.bm25 import Bm25

passages = st.lists(st.lists(st.integers(0, 8), max_size=9), max_size=20)


@pytest.fixture(scope="module", autouse=True)
def no_fsync() -> Iterator[None]:
    """Durability is not what is tested here, and costs more than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


def assert_equal(one: Bm25Index, other: Bm25Index) -> None:
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)
    assert one.structure.attributes == other.structure.attributes
    assert one.impacts.attributes == other.impacts.attributes


def check_merge(folder: Path, collections: list[Collection], kept: list[np.ndarray], bm25: Bm25) -> None:
    parts = []
    for i, (collection, keep) in enumerate(zip(collections, kept, strict=True)):
        parts.append((collection.build(folder / f"part{i}", batch=500), None if keep.all() else bitmap(keep)))
    merge(parts, folder / "merged", folder / "merged-impacts", bm25)
    left = [p for c, keep in zip(collections, kept, strict=True) for p, k in zip(c.passages, keep, strict=True) if k]
    scratch = Collection([p.tolist() for p in left], collections[0].names).build(folder / "scratch", batch=500, bm25=bm25)
    assert_equal(Bm25Index(folder / "merged", folder / "merged-impacts"), scratch)


@settings(max_examples=25, deadline=None)
@given(st.lists(passages, min_size=1, max_size=4), st.data())
def test_a_merge_is_the_index_of_what_is_kept(parts, data) -> None:
    collections = [Collection(p, [f"t{i}" for i in range(9)]) for p in parts]
    kept = [np.array(data.draw(st.lists(st.booleans(), min_size=len(p), max_size=len(p))), bool) for p in parts]
    with tempfile.TemporaryDirectory() as folder:
        check_merge(Path(folder), collections, kept, Bm25(1.5, 0.3))


@pytest.mark.parametrize("batch", [1 << 20, 1 << 12])
def test_a_merge_of_many_blocks(tmp_path, monkeypatch, batch) -> None:
    monkeypatch.setattr(sparse_merge, "BATCH", batch)
    monkeypatch.setattr(sparse_merge, "WORDS", 96)
    monkeypatch.setattr("bookwheel.index.inverted.writer.SLICE", 1 << 11)
    rng = np.random.default_rng(4)
    collections = [zipf(n, 700, seed=n) for n in (9000, 3000, 1)]
    kept = [rng.random(len(c.passages)) < share for c, share in zip(collections, (0.9, 0.3, 2.0), strict=True)]
    check_merge(tmp_path, collections, kept, Bm25())


def test_terms_held_fall_with_the_number_of_parts(tmp_path, monkeypatch) -> None:
    """A record a part for each term of any part is their square: 177 MB of thirteen parts whose terms differ."""
    monkeypatch.setattr(sparse_merge, "RECORDS", most := 1 << 18)
    names = [[f"{part:02}x{i:04}" if part % 2 else f"{i:04}x{part:02}" for i in range(700)] for part in range(12)]
    collections = [Collection([list(range(700))], of) for of in names]
    indexes = [collection.build(tmp_path / f"{i}", batch=500) for i, collection in enumerate(collections)]
    found = list(sparse_merge._union(indexes))
    assert max(records.nbytes for _, records in found) <= most
    assert [name for batch, _ in found for name in batch] == sorted(name.encode() for of in names for name in of)
    merge([(index, None) for index in indexes], tmp_path / "m", tmp_path / "mi", Bm25())
    merged = Bm25Index(tmp_path / "m", tmp_path / "mi")
    assert (merged.terms, merged.passages) == (12 * 700, 12)


def test_a_term_that_is_lost_altogether_leaves_the_vocabulary(tmp_path) -> None:
    index = Collection([[0, 1], [1]]).build(tmp_path)
    merge([(index, bitmap(np.array([False, True])))], tmp_path / "m", tmp_path / "mi", Bm25())
    merged = Bm25Index(tmp_path / "m", tmp_path / "mi")
    assert merged.records(["t0", "t1"])[:, 0].tolist() == [-1, 0]
    assert merged.passages == 1


def test_reweighing_is_building_with_other_parameters(tmp_path, monkeypatch) -> None:
    collection = zipf(5000, 500, seed=2)
    index = collection.build(tmp_path / "a", batch=500)
    monkeypatch.setattr(sparse_merge, "BATCH", 1 << 12)
    for bm25, average in ((Bm25(0.9, 0.4), 3.0), (Bm25(2.0, 1.0), 11.5)):
        reweigh(index, tmp_path / f"new{average}", bm25, average)
        scratch = collection.build(tmp_path / f"b{average}", batch=500, bm25=bm25, average=average)
        assert_equal(Bm25Index(tmp_path / "a" / "structure", tmp_path / f"new{average}"), scratch)
