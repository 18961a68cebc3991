"""Dense search in inverted lists: clusters, agreement with brute force, filters, deletions, memory, damage."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from dense_reference import recall
from numpy.typing import NDArray

from bookwheel._errors import LibraryDamaged
from bookwheel.index.dense import DenseBuilder, DenseIndex, IvfDenseIndex, merge, open_dense
from bookwheel.index.dense import build as dense_build
from bookwheel.index.dense.clusters import cluster, nearest
from bookwheel.index.dense.depth import SearchDepth
from bookwheel.index.dense.ivf_build import IvfWriter, list_count
from bookwheel.index.dense.sketch import random_rotation
from bookwheel.index.sealed import seal
from bookwheel.index.storage import FolderWriter

Vectors = NDArray[np.float32]
ROWS = 20_000


def clustered(n: int, d: int, seed: int = 0, centres: int = 60) -> Vectors:
    """Unit vectors around centres that share a common part."""
    generator = np.random.default_rng(seed)
    middle = np.random.default_rng(d).standard_normal((centres, d)) + 0.5
    vectors = middle[generator.integers(0, centres, n)] + 0.8 * generator.standard_normal((n, d))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def built(folder: Path, vectors: Vectors, **settings: int) -> DenseIndex:
    with DenseBuilder(folder, vectors.shape[1], seed=7, ivf=True, **settings) as builder:
        for start in range(0, len(vectors), 3000):
            builder.append(vectors[start : start + 3000])
    return open_dense(folder)


def bitmap(allowed: NDArray[np.bool_]) -> NDArray[np.uint64]:
    padded = np.zeros(-(-len(allowed) // 64) * 64, dtype=np.uint8)
    padded[: len(allowed)] = allowed
    return np.packbits(padded, bitorder="little").view(np.uint64)


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    vectors = clustered(ROWS, 64)
    vectors[::101] = 0
    return vectors


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, vectors: Vectors) -> IvfDenseIndex:
    index = built(tmp_path_factory.mktemp("lists"), vectors)
    assert isinstance(index, IvfDenseIndex)
    return index


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, vectors: Vectors) -> DenseIndex:
    folder = tmp_path_factory.mktemp("plain")
    with DenseBuilder(folder, 64, seed=7) as builder:
        builder.append(vectors)
    index = open_dense(folder)
    assert type(index) is DenseIndex
    return index


@pytest.fixture(scope="module")
def queries() -> Vectors:
    return clustered(40, 64, seed=3)


def test_every_row_is_in_one_list(index: IvfDenseIndex) -> None:
    numbers = index._numbers[index._numbers < ROWS]
    np.testing.assert_array_equal(np.sort(numbers), np.arange(ROWS))
    assert np.all(index._numbers[index._numbers >= ROWS] == 2**32 - 1)
    assert list((index.folder.folder).glob("spill*")) == []
    assert index.folder.damaged() == []


def test_lists_hold_the_rows_nearest_to_their_centres(index: IvfDenseIndex, vectors: Vectors) -> None:
    lists = index.lists
    owner = np.repeat(np.arange(len(lists)), np.diff(lists.starts) * 64)
    held = index._numbers < ROWS
    rows = vectors[index._numbers[held]].astype(np.float16).astype(np.float32)
    right = nearest(rows, lists.centroids) == owner[held]
    assert right.mean() > 0.95


def test_clusters_are_balanced(vectors: Vectors) -> None:
    clusters = cluster(vectors.astype(np.float16), 50, 1)
    sizes = np.bincount(clusters.assign(vectors), minlength=len(clusters.centres))
    assert 40 <= len(clusters.centres) <= 110
    assert sizes.max() <= 4 * ROWS / 50
    assert clusters.starts[-1] == len(clusters.centres)


def test_equal_rows_do_not_split_for_ever() -> None:
    clusters = cluster(np.ones((3000, 8), dtype=np.float16), 30, 1)
    assert len(clusters.assign(np.ones((5, 8), dtype=np.float32))) == 5


def test_all_lists_and_nearly_all_candidates_are_exact(index: IvfDenseIndex, plain: DenseIndex, queries: Vectors) -> None:
    for query in queries[:10]:
        found, exact = index.search(query, 10, candidates=ROWS - 1), index.exact(query, 10)
        np.testing.assert_array_equal(found.ids, exact.ids)
        np.testing.assert_array_equal(found.scores, exact.scores)
        other = plain.exact(query, 10)
        np.testing.assert_array_equal(exact.ids, other.ids)
        np.testing.assert_array_equal(exact.scores, other.scores)


def test_estimates_are_relative_to_the_lists_centres(index: IvfDenseIndex, vectors: Vectors, queries: Vectors) -> None:
    from bookwheel.index.dense.keys import numbers_of, scores_of

    plain_error = []
    for query in queries[:5]:
        keys = index.lists.candidates(query, ROWS, len(index.lists))
        true = vectors[index._numbers[numbers_of(keys)]] @ query
        plain_error.append(scores_of(keys) - true)
    error = np.concatenate(plain_error)
    assert abs(error.mean()) < 0.005
    assert error.std() < 0.1


def test_recall_is_what_was_asked_for(index: IvfDenseIndex, queries: Vectors) -> None:
    far = np.random.default_rng(5).standard_normal((60, 64)).astype(np.float32)
    for some in (queries, far):
        assert recall(index, some, 10) >= 0.97
        assert recall(index, some, 10, recall=0.9) >= 0.88
    assert recall(index, queries, 10, recall=1.0) == 1.0
    less, depth = index.search_depth(10, 0.9), index.search_depth(10)
    assert less is not None
    assert depth is not None
    assert 1 <= less.probes < depth.probes


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.5])
def test_filters(index: IvfDenseIndex, queries: Vectors, share: float) -> None:
    allowed = np.random.default_rng(1).random(ROWS) < share
    mask = bitmap(allowed)
    shares = []
    for query in queries[:20]:
        found, exact = index.search(query, 10, mask=mask), index.exact(query, 10, mask)
        assert np.all(allowed[found.ids])
        assert np.all(allowed[exact.ids])
        if len(exact):
            shares.append(len(np.intersect1d(found.ids, exact.ids)) / len(exact))
    assert not shares or np.mean(shares) >= 0.97


def test_zero_rows_are_never_found(index: IvfDenseIndex, queries: Vectors) -> None:
    for query in queries[:5]:
        for hits in (index.search(-query, 50), index.exact(-query, 50)):
            assert len(hits) == 50
            assert np.all(hits.ids % 101 != 0)


def test_batches_and_threads_change_nothing(index: IvfDenseIndex, queries: Vectors) -> None:
    single = [index.search(query, 10) for query in queries]
    for many in (index.search_many(queries, 10), index.search_many(queries, 10, threads=2)):
        for a, b in zip(single, many, strict=True):
            np.testing.assert_array_equal(a.ids, b.ids)
            np.testing.assert_array_equal(a.scores, b.scores)


@pytest.mark.parametrize("bits", [2, 4])
def test_more_bits_need_fewer_candidates(tmp_path: Path, index: IvfDenseIndex, vectors: Vectors, bits: int) -> None:
    finer = built(tmp_path, vectors[:6000], bits=bits)
    one, more = index.search_depth(10), finer.search_depth(10)
    assert one is not None
    assert more is not None
    assert more.candidates < one.candidates


def test_merging_makes_lists_where_they_are_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: IvfDenseIndex, plain: DenseIndex, queries: Vectors
) -> None:
    keep = np.random.default_rng(2).random(ROWS) < 0.5
    monkeypatch.setattr(dense_build, "IVF_ROWS", 12_000)
    merge([(index, bitmap(keep)), (plain, bitmap(~keep))], tmp_path / "both")
    merge([(index, bitmap(keep))], tmp_path / "half")
    both, half = open_dense(tmp_path / "both"), open_dense(tmp_path / "half")
    assert isinstance(both, IvfDenseIndex)
    assert type(half) is DenseIndex
    np.testing.assert_array_equal(both.vectors, np.concatenate([index.vectors[keep], plain.vectors[~keep]]))
    assert recall(both, queries, 10) >= 0.97


def test_a_tight_memory_spills_and_gives_the_same(tmp_path: Path, vectors: Vectors) -> None:
    """How many parts are spilled does not matter to what is written."""
    half = vectors[:8000].astype(np.float16)
    written = []
    for name, memory in (("a", 1 << 28), ("b", 1 << 10)):
        folder = tmp_path / name
        with FolderWriter(folder) as files:
            writer = IvfWriter(files, half, random_rotation(64, 1), bits=1, seed=3, memory=1 << 28, release=lambda: None)
            clusters = writer.cluster()
            writer._half = memory
            writer.write(clusters)
        written.append({path.name: path.read_bytes() for path in folder.glob("*.npy")})
    assert written[0] == written[1]
    assert list_count(8000) == 8


def test_building_stays_within_its_memory(tmp_path: Path) -> None:
    vectors = clustered(4000, 32)
    peaks = []
    for pieces in (12, 24):
        builder = DenseBuilder(tmp_path / str(pieces), 32, seed=0, ivf=True, memory=1 << 22)
        tracemalloc.start()
        for _ in range(pieces):
            builder.append(vectors)
        builder.close()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_memory_counts_what_stays(index: IvfDenseIndex) -> None:
    count = len(index.lists)
    assert index.hot_bytes == count * (4 * 64 + 8 + 4) + 8 + 4 * 64 * 64
    assert index.hot_bytes < index.folder.sizes()["sketch"]


def test_flipped_bits_do_not_crash(tmp_path: Path, vectors: Vectors) -> None:
    generator = np.random.default_rng(0)
    for name in ("sketch", "factors", "numbers", "centroids", "known"):
        folder = tmp_path / name
        path = built(folder, vectors[:3000]).folder.path(name)
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8).copy()
        for place in generator.integers(128, len(data), 200):
            data[place] ^= 1 << int(generator.integers(0, 8))
        path.write_bytes(data.tobytes())
        damaged = open_dense(folder)
        for query in clustered(5, 64, seed=1):
            with np.errstate(all="ignore"):
                for hits in (damaged.search(query, 10, candidates=50), damaged.exact(query, 10), damaged.search(query, 3)):
                    assert np.all((hits.ids >= 0) & (hits.ids < 3000))
        assert any(name in problem for problem in damaged.folder.damaged())


def test_a_description_that_does_not_fit_is_refused(tmp_path: Path, vectors: Vectors) -> None:
    built(tmp_path, vectors[:3000])
    path = tmp_path / "index.json"
    content = json.loads(path.read_text())
    for change in ({"penalty": "none"}, {"dimension": 72}, {"reach": [[0.9, 10]]}):
        path.write_bytes(seal({**content, "attributes": {**content["attributes"], **change}}))
        with pytest.raises(LibraryDamaged, match="index"):
            open_dense(tmp_path)
    starts = tmp_path / "starts.npy"
    data = bytearray(starts.read_bytes())
    data[-8:] = (2**40).to_bytes(8, "little")
    starts.write_bytes(bytes(data))
    path.write_bytes(seal(content))
    with pytest.raises(LibraryDamaged, match="fit"):
        open_dense(tmp_path)


def test_what_was_measured_limits_the_search(index: IvfDenseIndex, queries: Vectors) -> None:
    depth = SearchDepth(500, 1.0, 2)
    (keys,) = index._candidates(queries[:1], 10, depth, np.empty(0, dtype=np.uint64), -np.inf, None, 1)
    chosen, _ = index.lists.closest(queries[0], 2)
    runs = index.lists.runs(chosen)
    from bookwheel.index.dense.keys import numbers_of

    groups = numbers_of(keys) // 64
    assert all(any(first <= group < last for first, last in runs.tolist()) for group in groups.tolist())
