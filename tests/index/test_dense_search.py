"""Dense search: agreement with brute force, filters, all-zero rows, batches, recall."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from dense_reference import recall
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bookwheel.hits import Hits
from bookwheel.index.dense import DenseBuilder, DenseIndex, open_dense
from bookwheel.index.dense import flat as dense_index
from bookwheel.index.dense.depth import SearchDepth
from bookwheel.index.dense.keys import numbers_of, scores_of
from bookwheel.index.dense.reader import RowReader
from bookwheel.index.dense.size import BITS, fitting_bits, memory_bytes
from bookwheel.index.dense.sketch import Sketches, encode, random_rotation

Vectors = NDArray[np.float32]


def clustered(n: int, d: int, seed: int = 0) -> Vectors:
    """Unit vectors around 40 centres that share a common part, as those of texts do."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(d).standard_normal((40, d)) + 1.0
    vectors = centres[generator.integers(0, 40, n)] + generator.standard_normal((n, d))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def built(folder: Path, vectors: Vectors, *, bits: int = 1, seed: int = 7) -> DenseIndex:
    with DenseBuilder(folder, vectors.shape[1], seed=seed, bits=bits) as builder:
        for start in range(0, len(vectors), 1000):
            builder.append(vectors[start : start + 1000])
    return DenseIndex(folder)


def brute(vectors: Vectors, query: Vectors, k: int, allowed: NDArray[np.bool_] | None = None) -> Hits:
    """The ranking by float64 products with what float16 keeps of the vectors, all-zero rows left out."""
    rounded = vectors.astype(np.float16).astype(np.float64)
    ids = np.flatnonzero(rounded.any(axis=1) & (True if allowed is None else allowed))
    return Hits.ranked(ids, rounded[ids] @ query.astype(np.float64), k)


def same(found: Hits, expected: Hits) -> None:
    """The same scores but for rounding, and the same ids where they are not equal."""
    assert len(found) == len(expected)
    np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-4, atol=1e-5)
    differing = found.ids != expected.ids
    if differing.any():
        assert np.all(np.isin(found.ids[differing][:-1], expected.ids) | (np.diff(expected.scores[differing]) > -1e-5))


def identical(a: Hits, b: Hits) -> None:
    np.testing.assert_array_equal(a.ids, b.ids)
    np.testing.assert_array_equal(a.scores, b.scores)


def bitmap(allowed: NDArray[np.bool_]) -> NDArray[np.uint64]:
    padded = np.zeros(-(-len(allowed) // 64) * 64, dtype=np.uint8)
    padded[: len(allowed)] = allowed
    return np.packbits(padded, bitorder="little").view(np.uint64)


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return clustered(9000, 64)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, vectors: Vectors) -> DenseIndex:
    return built(tmp_path_factory.mktemp("dense"), vectors)


@pytest.fixture(scope="module")
def queries() -> Vectors:
    return clustered(30, 64, seed=3)


def test_exact_is_brute_force(index: DenseIndex, vectors: Vectors, queries: Vectors) -> None:
    for query in queries:
        same(index.exact(query, 20), brute(vectors, query, 20))


def test_search_among_nearly_all_candidates_is_exact(index: DenseIndex, queries: Vectors) -> None:
    for query in queries:
        identical(index.search(query, 10, candidates=len(index) - 1), index.exact(query, 10))
        identical(index.search(query, 10, candidates=len(index)), index.exact(query, 10))


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize(("rows", "dimension"), [(1, 32), (63, 40), (64, 8), (65, 96), (200, 160)])
def test_small_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, dimension: int, bits: int) -> None:
    vectors = clustered(rows, dimension)
    index = built(tmp_path, vectors, bits=bits)
    query = clustered(1, dimension, seed=9)[0]
    by_brute_force = index.search(query, 5)
    same(by_brute_force, brute(vectors, query, 5))
    monkeypatch.setattr(dense_index, "EXACT_ROWS", 0)
    # through the sketches, padding rows among their groups
    want = max(rows - 1, 1)
    found = index.search(query, min(5, want), candidates=want)
    assert len(found) == min(5, want)
    assert np.all(found.ids < rows)
    np.testing.assert_array_equal(found.scores, index.score(query, found.ids))


def test_empty_segment(tmp_path: Path) -> None:
    index = built(tmp_path, np.empty((0, 32), dtype=np.float32))
    query = clustered(1, 32)[0]
    assert len(index) == 0
    assert len(index.search(query, 10)) == 0
    assert len(index.exact(query, 10, np.empty(0, dtype=np.uint64))) == 0
    assert len(index.score(query, np.empty(0, dtype=np.int64))) == 0
    assert recall(index, query[None], 10) == 1.0


def test_scores_are_those_of_the_rows(index: DenseIndex, vectors: Vectors, queries: Vectors) -> None:
    rows = np.array([5, 3, 8999, 3])
    expected = vectors.astype(np.float16).astype(np.float64)[rows] @ queries[0].astype(np.float64)
    np.testing.assert_allclose(index.score(queries[0], rows), expected, atol=1e-6)
    hits = index.search(queries[0], 50)
    np.testing.assert_array_equal(index.score(queries[0], hits.ids), hits.scores)
    with pytest.raises(IndexError, match="9000"):
        index.score(queries[0], np.array([9000]))


@settings(max_examples=15, deadline=None)
@given(share=st.sampled_from([0.0, 0.0005, 0.01, 0.3, 0.9, 1.0]), seed=st.integers(0, 10_000))
def test_filter_is_applied_inside_the_scan(index: DenseIndex, vectors: Vectors, share: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    allowed = generator.random(len(vectors)) < share
    query = clustered(1, 64, seed=seed)[0]
    mask = bitmap(allowed)
    expected = brute(vectors, query, 10, allowed)
    same(index.exact(query, 10, mask), expected)
    found = index.search(query, 10, mask=mask, candidates=4000)
    assert np.all(allowed[found.ids])
    assert len(found) == len(expected)
    if allowed.sum() <= 4000:
        identical(found, index.exact(query, 10, mask))
    else:
        assert len(np.intersect1d(found.ids, expected.ids)) >= 9


def test_a_mask_of_ones_changes_nothing(index: DenseIndex, queries: Vectors) -> None:
    every = np.full(-(-len(index) // 64), np.iinfo(np.uint64).max, dtype=np.uint64)
    for query in queries:
        identical(index.search(query, 10, mask=every), index.search(query, 10))
    with pytest.raises(ValueError, match="mask"):
        index.search(queries[0], 10, mask=every[:-1])


def test_zero_rows_are_never_found(tmp_path: Path) -> None:
    vectors = clustered(5000, 32)
    vectors[::3] = 0
    index = built(tmp_path, vectors)
    away = -vectors[vectors.any(axis=1)].mean(axis=0)
    for found in (index.search(away, 20), index.exact(away, 20), index.search(away, 20, candidates=3000)):
        assert len(found) == 20
        assert np.all(found.ids % 3 != 0)
    assert np.all(index.exact(away, 20).scores < 0)
    np.testing.assert_array_equal(index.score(away, np.array([0, 3])), [0, 0])
    assert len(index.exact(away, 5000)) == np.count_nonzero(vectors.any(axis=1))


def test_a_zero_query_finds_nothing(index: DenseIndex) -> None:
    assert len(index.search(np.zeros(64, dtype=np.float32), 10)) == 0
    assert len(index.exact(np.zeros(64, dtype=np.float32), 10)) == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_batches_find_what_single_queries_find(index: DenseIndex, vectors: Vectors, seed: int) -> None:
    queries = clustered(70, 64, seed)
    mask = bitmap(np.random.default_rng(seed).random(len(vectors)) < 0.5)
    for found, query in zip(index.search_many(queries, 10, candidates=50, mask=mask), queries, strict=True):
        identical(found, index.search(query, 10, candidates=50, mask=mask))


def test_equal_vectors_rank_by_id(tmp_path: Path) -> None:
    vectors = np.tile(clustered(10, 32), (400, 1))
    index = built(tmp_path, vectors)
    hits = index.search(vectors[4], 30, candidates=500)
    np.testing.assert_array_equal(hits.ids, np.arange(4, 300, 10))
    assert len(np.unique(hits.scores)) == 1


def test_rows_in_order_of_their_subject(tmp_path: Path) -> None:
    """A sample of a collection sorted by subject must not mislead the scan."""
    vectors = clustered(36_000, 32)
    order = np.argsort(vectors @ vectors[0])
    index = built(tmp_path, vectors[order])
    rows = np.concatenate([np.arange(30_000), np.arange(30_100, 36_000)])
    for allowed in (np.ones(36_000, dtype=bool), np.isin(np.arange(36_000), rows, invert=True)):
        found = index.search(vectors[0], 10, candidates=2000, mask=bitmap(allowed))
        identical(found, index.exact(vectors[0], 10, bitmap(allowed)))


def test_threshold_cuts_by_exact_score(index: DenseIndex, queries: Vectors) -> None:
    every = index.search(queries[0], 20)
    least = float(every.scores[7])
    identical(index.search(queries[0], 20, threshold=least), every.top(int((every.scores >= least).sum())))


def test_calibrated_recall(index: DenseIndex, queries: Vectors) -> None:
    few, more, most = (index.search_depth(k) for k in (10, 30, 100))
    assert few
    assert more
    assert most
    assert 10 <= few.candidates < len(index) // 2
    assert few.candidates <= more.candidates <= most.candidates
    assert recall(index, queries, 10) >= 0.98
    shares = [len(np.intersect1d(index.search(q, 10, candidates=20).ids, index.exact(q, 10).ids)) / 10 for q in queries]
    assert recall(index, queries, 10, candidates=20) == pytest.approx(np.mean(shares))
    assert recall(index, queries, 10, candidates=len(index)) == 1.0


def test_a_higher_recall_asked_for_looks_further(index: DenseIndex) -> None:
    # queries like none of the rows: the hard case
    queries = np.random.default_rng(5).standard_normal((200, 64)).astype(np.float32)
    reached = [index.search_depth(10, share) for share in (0.8, 0.9, 0.98, 0.999)]
    assert all(a is not None and b is not None and a.slack <= b.slack for a, b in pairwise(reached))
    shares = [recall(index, queries, 10, recall=share) for share in (0.9, 0.98, 0.999)]
    assert shares == sorted(shares)
    assert np.all(np.array(shares) >= [0.85, 0.96, 0.99])
    assert index.search_depth(10, 1.0) is None
    assert recall(index, queries, 10, recall=1.0) == 1.0
    with pytest.raises(ValueError, match="recall"):
        index.search(queries[0], 10, recall=1.5)


def test_verification_may_stop_early_but_loses_nothing_within_the_bound(index: DenseIndex, queries: Vectors) -> None:
    """Where no bound is below a row's true score, the search is exact however few rows it looked at."""
    depth = SearchDepth(len(index) - 1, 3.5)
    for query in queries:
        (keys,) = index._candidates(query[None], 10, depth, np.empty(0, dtype=np.uint64), -np.inf, None, 1)
        exact = index.exact(query, 10)
        bounds = dict(zip(numbers_of(keys).tolist(), scores_of(keys).tolist(), strict=True))
        found, _ = index._verify(query, keys, 10, depth, -np.inf)
        if all(bounds[number] >= exact.scores[-1] for number in exact.ids.tolist()):
            identical(found, exact)
        else:
            assert len(np.intersect1d(found.ids, exact.ids)) >= 9


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_nothing(index: DenseIndex, queries: Vectors, threads: int) -> None:
    mask = bitmap(np.random.default_rng(threads).random(len(index)) < 0.4)
    for some in (None, mask):
        for query in queries[:5]:
            identical(index.search(query, 10, mask=some, threads=threads), index.search(query, 10, mask=some))
        many = index.search_many(queries, 10, mask=some, threads=threads)
        for found, query in zip(many, queries, strict=True):
            identical(found, index.search(query, 10, mask=some))


@pytest.mark.parametrize(("dimension", "bits"), [(8, 1), (40, 2), (96, 4), (256, 1), (1024, 1)])
def test_estimates_are_those_of_the_tables_in_numpy(dimension: int, bits: int) -> None:
    """The kernel's sums against float64 products with the codes, up to the rounding of the tables."""
    vectors = clustered(200, dimension)
    rotation = random_rotation(dimension, 1)
    codes, factors = encode(vectors, vectors.mean(axis=0), rotation, bits)
    sketches = Sketches(rotation, codes, factors.view(np.uint16), bits)
    query = clustered(1, dimension, seed=4)
    (keys,) = sketches.candidates(query, 200, np.empty(0, dtype=np.uint64), biases=np.array([[0.25]], dtype=np.float32))
    ids, scores = numbers_of(keys), scores_of(keys)
    assert sorted(ids.tolist()) == list(range(200))
    places = np.append(2 * np.arange(32), 2 * np.arange(32) + 1)
    planes = codes[:, :, places].transpose(0, 2, 1).reshape(len(codes) * 64, bits, -1)[:200]
    unpacked = np.unpackbits(planes, axis=2, bitorder="little")[:, :, :dimension]
    z = sum(2.0**bit * (2.0 * unpacked[:, bit] - 1) for bit in range(bits))
    rotated = (query @ rotation)[0].astype(np.float64)
    factor = factors.reshape(-1)[:200].astype(np.float64)
    expected = factor * (z @ rotated) + 0.25
    # each of the look-ups is rounded by at most half a step of the widest table
    step = 2 * np.abs(rotated).reshape(-1, 4).sum(axis=1).max() / 31
    assert np.all(np.abs(scores - expected[ids]) <= factor[ids] * step / 2 * (dimension / 4) * (2**bits - 1) + 1e-5)
    assert np.std(scores - expected[ids]) <= factor.max() * step / 3 * np.sqrt(dimension / 4) * 2**bits


def test_k_beyond_the_rows(index: DenseIndex, queries: Vectors) -> None:
    assert len(index.search(queries[0], 20_000)) == len(index)
    assert len(index.search(queries[0], 0)) == 0


def test_wrong_queries_are_refused(index: DenseIndex) -> None:
    with pytest.raises(ValueError, match=r"\(n, 64\)"):
        index.search(np.ones(32, dtype=np.float32), 10)
    wrong = np.ones(64, dtype=np.float32)
    wrong[3] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        index.search(wrong, 10)


def test_memory_is_told(index: DenseIndex) -> None:
    groups = -(-len(index) // 64)
    assert index.hot_bytes == groups * 64 * (8 + 2) + 64 * 64 * 4 == memory_bytes(len(index), 64, 1)
    assert index.folder.sizes()["vectors"] >= 2 * 64 * len(index)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize(("rows", "dimension"), [(1, 8), (64, 40), (65, 264)])
def test_memory_is_known_before(tmp_path: Path, rows: int, dimension: int, bits: int) -> None:
    index = built(tmp_path, clustered(rows, dimension), bits=bits)
    assert memory_bytes(rows, dimension, bits) == index.hot_bytes
    assert fitting_bits(rows, dimension, index.hot_bytes) == bits
    assert fitting_bits(rows, dimension, index.hot_bytes - 1) == bits // 2


def test_a_sketch_takes_a_twentieth_of_float32() -> None:
    for dimension in (256, 384, 768):
        assert 20 * memory_bytes(1_000_000, dimension, 1) <= 4 * dimension * 1_000_000


@settings(max_examples=20, deadline=None)
@given(numbers=st.sets(st.integers(0, 8999), min_size=1, max_size=300))
def test_cold_rows_are_all_asked_for(index: DenseIndex, numbers: set[int]) -> None:
    asked: list[tuple[int, int]] = []

    class Recorder(RowReader):
        def cold(self, rows: NDArray[np.uint32]) -> bool:
            return True

    class Folder:
        array = index.folder.array

        def advise(self, name: str, offset: int, length: int) -> None:
            assert name == "vectors"
            asked.append((offset, offset + length))

    Recorder(Folder(), "vectors").prefetch(np.array(sorted(numbers), dtype=np.uint32))  # type: ignore[arg-type]
    assert sum(stop - start for start, stop in asked) <= index.vectors.nbytes
    for number in numbers:
        assert any(start <= 128 * number and 128 * (number + 1) <= stop for start, stop in asked)


def test_rows_just_read_are_not_cold(index: DenseIndex) -> None:
    rows = np.arange(0, 9000, 40, dtype=np.uint32)
    assert index.vectors[rows].any()
    assert not RowReader(index.folder, "vectors").cold(rows)


@pytest.mark.parametrize("lists", [False, True])
def test_a_threshold_spares_candidates(tmp_path: Path, lists: bool) -> None:
    """What scores above a threshold is found as it is without, but for the share that bounds may miss."""
    vectors = clustered(5000, 64, seed=21)
    with DenseBuilder(tmp_path / "d", 64, seed=3, ivf=lists) as builder:
        builder.append(vectors)
    index = open_dense(tmp_path / "d")
    queries = vectors[::100] + 0.1 * clustered(50, 64, seed=22)
    found = wanted = 0
    for query, hits in zip(queries, index.search_many(queries, 100), strict=True):
        threshold = float(hits.scores[30])
        some, expected = index.search(query, 100, threshold=threshold), hits.top(int((hits.scores >= threshold).sum()))
        places = np.flatnonzero(np.isin(expected.ids, some.ids))
        assert some.ids.tolist() == expected.ids[places].tolist()
        assert some.scores.tolist() == expected.scores[places].tolist()
        found, wanted = found + len(some), wanted + len(expected)
        assert len(index.search(query, 100, threshold=float(hits.scores[0]) + 1)) == 0
    assert found >= 0.97 * wanted
    low = index.search_many(queries, 100, threshold=-10.0, threads=2)
    for hits, again in zip(index.search_many(queries, 100), low, strict=True):
        identical(hits, again)


@pytest.mark.parametrize("lists", [False, True])
def test_candidates_on_disk_are_swept_in_the_order_of_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lists: bool
) -> None:
    """A search whose rows seem to be on disk finds what one in memory does, and looks at no row twice."""
    vectors = clustered(6000, 64, seed=31)
    with DenseBuilder(tmp_path / "d", 64, seed=3, ivf=lists) as builder:
        builder.append(vectors)
    index = open_dense(tmp_path / "d")
    queries = vectors[::500] + 0.3 * clustered(12, 64, seed=32)
    warm = [index.search(query, 40) for query in queries]
    asked: list[list[int]] = []
    monkeypatch.setattr(dense_index, "_SWEEP", 256)
    monkeypatch.setattr(RowReader, "cold", lambda reader, rows: True)
    monkeypatch.setattr(index._reader, "prefetch", lambda rows: asked.append(rows.tolist()))
    for query, expected in zip(queries, warm, strict=True):
        asked.clear()
        hits = index.search(query, 40)
        # it may look at more rows, since the bar is known for a piece at a time only
        assert len(np.intersect1d(hits.ids, expected.ids)) >= 39
        assert hits.scores[-1] >= expected.scores[-1]
        rows = [row for some in asked for row in some]
        assert len(rows) == len(set(rows))
        assert all(some == sorted(some) for some in asked)
    assert any(len(some) > 0 for some in asked[1:])


def test_a_second_scan_finds_what_one_with_all_candidates_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first few candidates do not settle a query, it looks again at as many as were measured to be needed."""
    index = built(tmp_path / "d", clustered(6000, 64, seed=41))
    queries = clustered(20, 64, seed=42)
    monkeypatch.setattr(index, "search_depth", lambda k, recall=None: SearchDepth(2000, 1.0))
    monkeypatch.setattr(dense_index, "_NEAR", 10**9)
    whole = [index.search(query, 10) for query in queries]
    monkeypatch.setattr(dense_index, "_NEAR", 20)
    monkeypatch.setattr(dense_index, "_NEAR_EACH", 2)
    for query, expected in zip(queries, whole, strict=True):
        identical(index.search(query, 10), expected)
    for found, expected in zip(index.search_many(queries, 10, threads=2), whole, strict=True):
        identical(found, expected)
