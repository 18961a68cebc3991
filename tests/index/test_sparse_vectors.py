"""The index of sparse vectors agrees with plain numpy over the weights kept, and these with the weights given."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sparse_reference import bitmap

from bookwheel._errors import LibraryDamaged
from bookwheel.index.inverted.bm25 import Bm25Index
from bookwheel.index.inverted.vectors import SparseVectorBuilder, SparseVectorIndex, merge

rows = st.lists(st.dictionaries(st.integers(0, 8), st.floats(0.0, 4.0, width=32), max_size=9), max_size=30)
NAMES = ["ant", "bee", "##s", "été", "日本", "", "zebra", "b", "bees"]


@pytest.fixture(scope="module", autouse=True)
def no_fsync() -> Iterator[None]:
    """Durability is not what is tested here, and costs more than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


def csr(vectors: list[dict[int, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    indptr = np.concatenate(([0], np.cumsum([len(v) for v in vectors]))).astype(np.int64)
    terms = np.array([t for v in vectors for t in v], np.int32)
    return indptr, terms, np.array([w for v in vectors for w in v.values()], np.float32)


def build(folder: Path, vectors: list[dict[int, float]], names=NAMES, batch: int = 7, **options) -> SparseVectorIndex:
    builder = SparseVectorBuilder(folder, names, **options)
    for start in range(0, len(vectors), batch):
        builder.add(*csr(vectors[start : start + batch]))
    builder.close()
    return SparseVectorIndex(folder)


def stored(index: SparseVectorIndex, names: list[str]) -> np.ndarray:
    """The weights kept, (passages, terms), read back one term at a time."""
    everyone = np.arange(index.passages)
    return np.stack([index.score([name], [1.0], everyone) for name in names], axis=1).astype(np.float64)


def dense(vectors: list[dict[int, float]], terms: int) -> np.ndarray:
    full = np.zeros((len(vectors), terms))
    for row, vector in zip(full, vectors, strict=True):
        row[list(vector)] = list(vector.values())
    return full


def assert_best(index: SparseVectorIndex, terms, weights, k, allowed=None, **options) -> None:
    scores = index.score(terms, weights, np.arange(index.passages))
    possible = scores > 0
    if allowed is not None:
        possible &= allowed
        options["mask"] = bitmap(allowed)
    possible &= scores >= np.float32(options.get("threshold", 0.0))
    ids = np.flatnonzero(possible)
    ids = ids[np.lexsort((ids, -scores[ids]))][:k]
    hits = index.search(terms, weights, k, **options)
    np.testing.assert_array_equal(hits.ids, ids)
    np.testing.assert_array_equal(hits.scores, scores[ids])


@settings(max_examples=40, deadline=None)
@given(rows, st.sampled_from([8, 12, 16]), st.data())
def test_search_agrees_with_the_weights_kept(vectors, bits, data) -> None:
    terms = data.draw(st.lists(st.sampled_from([*NAMES, "unknown"]), unique=True, max_size=9))
    weights = data.draw(st.lists(st.sampled_from([0.0, 0.3, 1.0, 1.5, 7.0]), min_size=len(terms), max_size=len(terms)))
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=len(vectors), max_size=len(vectors))), bool)
    with tempfile.TemporaryDirectory() as folder:
        index = build(Path(folder) / "v", vectors, bits=bits)
        given_weights, kept = dense(vectors, 9), stored(index, NAMES)
        greatest = given_weights.max(axis=0, initial=0.0)
        # Half a step; weights below that are kept as one step.
        assert np.all(np.abs(given_weights - kept) <= greatest / (255 << (bits - 8)) * 1.0001 + 1e-30)
        np.testing.assert_array_equal(given_weights > 0, kept > 0)
        column = {name: i for i, name in enumerate(NAMES)}
        known = [(column[t], w) for t, w in zip(terms, weights, strict=True) if t in column]
        expected = sum((w * kept[:, i] for i, w in known), np.zeros(len(vectors)))
        np.testing.assert_allclose(index.score(terms, weights, np.arange(len(vectors))), expected, rtol=1e-6)
        for k in (1, 5, 50):
            assert_best(index, terms, weights, k)
            assert_best(index, terms, weights, k, allowed=allowed)
        assert_best(index, terms, weights, 5, threshold=1.0)


def random_vectors(count: int, terms: int, seed: int, per: int = 20) -> list[dict[int, float]]:
    rng = np.random.default_rng(seed)
    share = 1.0 / np.arange(2, terms + 2) ** 0.8
    cumulative = np.cumsum(share / share.sum())
    found = []
    for _ in range(count):
        ids = np.unique(np.searchsorted(cumulative, rng.random(per)))
        found.append(dict(zip(np.minimum(ids, terms - 1).tolist(), rng.gamma(2.0, 0.4, len(ids)).tolist(), strict=False)))
    return found


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> SparseVectorIndex:
    names = [f"t{i}" for i in range(800)]
    return build(tmp_path_factory.mktemp("large") / "v", random_vectors(40_000, 800, 1), names, batch=4096, memory=1 << 20)


def queries(seed: int, count: int) -> list[tuple[list[str], np.ndarray]]:
    rng = np.random.default_rng(seed)
    sizes = [2, 10, 40, 120]
    return [
        ([f"t{j}" for j in rng.choice(800, sizes[i % 4], replace=False)], rng.gamma(2.0, 0.5, sizes[i % 4]))
        for i in range(count)
    ]


@pytest.mark.parametrize("k", [1, 10, 1000])
def test_many_blocks_and_windows(large, k) -> None:
    for terms, weights in queries(2, 8):
        assert_best(large, terms, weights, k)


@pytest.mark.parametrize("share", [0.001, 0.05, 0.9])
def test_filters(large, share) -> None:
    allowed = np.random.default_rng(3).random(large.passages) < share
    for terms, weights in queries(4, 4):
        assert_best(large, terms, weights, 10, allowed=allowed)


def test_batches_and_threads_give_what_single_searches_give(large) -> None:
    asked = queries(5, 13)
    single = [large.search(terms, weights, 20) for terms, weights in asked]
    for threads in (1, 2, 3):
        for one, other in zip(single, large.search_many(asked, 20, threads=threads), strict=True):
            np.testing.assert_array_equal(one.ids, other.ids)
            np.testing.assert_array_equal(one.scores, other.scores)
    assert large.search_many([], 10) == []


def test_an_approximate_search_loses_little_and_tells_true_scores(large) -> None:
    lost = total = 0
    for terms, weights in queries(6, 20):
        exact, near = large.search(terms, weights, 10), large.search(terms, weights, 10, approximate=0.85)
        np.testing.assert_array_equal(near.scores, large.score(terms, weights, near.ids))
        assert len(near) == len(exact)
        lost += len(np.setdiff1d(exact.ids, near.ids))
        total += len(exact)
    assert lost <= 0.2 * total


def test_runs_on_disk_change_nothing(tmp_path) -> None:
    vectors = random_vectors(9000, 300, 7)
    names = [f"t{i}" for i in range(300)]
    one = build(tmp_path / "one", vectors, names, batch=9000)
    many = build(tmp_path / "many", vectors, names, batch=500, memory=1)
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, many.arrays[name], err_msg=name)
    assert not list(tmp_path.glob("*.runs"))


@pytest.mark.parametrize("step", [None, 0.01])
def test_a_merge_keeps_weights(tmp_path, step) -> None:
    names = [f"t{i}" for i in range(300)]
    parts = [random_vectors(n, 300, n) for n in (3000, 700, 1)]
    rng = np.random.default_rng(1)
    indexes = [build(tmp_path / str(i), part, names, step=step) for i, part in enumerate(parts)]
    kept = [rng.random(len(part)) < share for part, share in zip(parts, (0.9, 0.3, 2.0), strict=True)]
    merge([(index, bitmap(keep)) for index, keep in zip(indexes, kept, strict=True)], tmp_path / "m")
    merged = SparseVectorIndex(tmp_path / "m")
    before = np.concatenate([stored(index, names)[keep] for index, keep in zip(indexes, kept, strict=True)])
    after = stored(merged, names)
    assert merged.passages == len(before)
    if step is not None:
        np.testing.assert_array_equal(after, before)
    tolerance = max(float(index.arrays["steps"].max()) for index in indexes)
    np.testing.assert_allclose(after, before, atol=tolerance)
    np.testing.assert_array_equal(after > 0, before > 0)
    assert merged.document_frequencies(names).tolist() == (before > 0).sum(axis=0).tolist()
    for terms, weights in queries(8, 3):
        assert_best(merged, terms, weights, 10)


def test_merging_whole_parts_is_building_from_all(tmp_path) -> None:
    names = [f"t{i}" for i in range(100)]
    vectors = random_vectors(4000, 100, 3)
    merge(
        [
            (build(tmp_path / "a", vectors[:1500], names, step=0.02), None),
            (build(tmp_path / "b", vectors[1500:], names, step=0.02), None),
        ],
        tmp_path / "m",
    )
    whole, merged = build(tmp_path / "all", vectors, names, step=0.02), SparseVectorIndex(tmp_path / "m")
    for name, array in whole.arrays.items():
        np.testing.assert_array_equal(array, merged.arrays[name], err_msg=name)


def test_top_terms_are_a_passages_greatest_weights(large) -> None:
    names = [f"t{i}" for i in range(800)]
    for passage in (0, 17_000, 39_999):
        weights = np.array([large.score([name], [1.0], np.array([passage]))[0] for name in names])
        order = np.lexsort((names, -weights))[:5]
        found = large.top_terms(passage, 5)
        assert [name for name, _ in found] == [names[i] for i in order]
        np.testing.assert_allclose([w for _, w in found], weights[order], rtol=1e-6)


def test_integer_weights_are_kept_exactly(tmp_path) -> None:
    rng = np.random.default_rng(2)
    vectors = [{int(t): float(rng.integers(1, 256)) for t in rng.choice(9, 4, replace=False)} for _ in range(500)]
    index = build(tmp_path / "v", vectors, bits=8, step=1.0)
    np.testing.assert_array_equal(stored(index, NAMES), dense(vectors, 9))


def test_a_vocabulary_that_grows(tmp_path) -> None:
    builder = SparseVectorBuilder(tmp_path / "v")
    builder.add(np.array([0, 1]), np.array([0], np.int32), np.array([1.0], np.float32))
    builder.add(np.array([0, 1, 1]), np.array([5000], np.int32), np.array([2.0], np.float32))
    with pytest.raises(ValueError, match="5000 was used"):
        builder.close(["a"])
    builder.close([f"w{i}" for i in range(5001)])
    index = SparseVectorIndex(tmp_path / "v")
    assert (index.passages, index.postings, index.terms) == (3, 2, 2)
    assert index.search(["w5000", "w0"], [1.0, 1.0], 5).ids.tolist() == [1, 0]
    assert index.hot_bytes > 0
    assert index.structure.damaged() == []


def test_wrong_input(tmp_path) -> None:
    builder = SparseVectorBuilder(tmp_path / "v", NAMES)
    one = np.array([0, 1]), np.array([0], np.int32)
    for weight in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="finite"):
            builder.add(*one, np.array([weight]))
    with pytest.raises(ValueError, match="1 term ids but 2 weights"):
        builder.add(*one, np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="indptr"):
        builder.add(np.array([0, 2]), np.array([0], np.int32), np.array([1.0]))
    with pytest.raises(ValueError, match="twice"):
        builder.add(np.array([0, 2]), np.array([3, 3], np.int32), np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="bits"):
        SparseVectorBuilder(tmp_path / "w", bits=7)
    with pytest.raises(ValueError, match="step"):
        SparseVectorBuilder(tmp_path / "w", step=0.0)
    double = SparseVectorBuilder(tmp_path / "w", ["a", "a"])
    double.add(np.array([0, 2]), np.array([0, 1], np.int32), np.array([1.0, 1.0]))
    with pytest.raises(ValueError, match="same text"):
        double.close()
    builder.add(*one, np.array([1.0]))
    builder.close()
    index = SparseVectorIndex(tmp_path / "v")
    with pytest.raises(ValueError, match="approximate"):
        index.search(["ant"], [1.0], 3, approximate=0.0)
    with pytest.raises(ValueError, match="must differ"):
        index.search(["ant", "ant"], [1.0, 1.0], 3)
    with pytest.raises(ValueError, match="not negative"):
        index.search(["ant"], [-1.0], 3)
    with pytest.raises(ValueError, match="same number of bits"):
        merge([(index, None), (build(tmp_path / "x", [{0: 1.0}], bits=8), None)], tmp_path / "m")
    with pytest.raises(LibraryDamaged, match="not listed"):
        Bm25Index(tmp_path / "v", tmp_path / "v")
