"""Sparse search agrees with the formula over all passages, whatever the blocks, windows, filters and parameters."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sparse_reference import Collection, bitmap, zipf

from bookwheel._errors import LibraryDamaged
from bookwheel.index.inverted.bm25 import Bm25Index
from bookwheel.index.inverted.bm25_builder import Bm25Builder
from bookwheel.kernels.bm25 import Bm25, idf, norm, saturation
from bookwheel.kernels.sparse import formula

passages = st.lists(st.lists(st.integers(0, 8), max_size=12), max_size=40)
parameters = st.builds(Bm25, st.sampled_from([0.0, 0.5, 1.2, 3.0]), st.sampled_from([0.0, 0.4, 0.75, 1.0]))


@pytest.fixture(scope="module", autouse=True)
def no_fsync() -> Iterator[None]:
    """Durability is not what is tested here, and costs more than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


def assert_best(index: Bm25Index, collection: Collection, terms: list[str], weights: list[float], k: int, **options) -> None:
    allowed = options.pop("allowed", None)
    bm25, average = options.get("bm25") or index.bm25, options.get("average_length") or index.average_length
    ids, scores = collection.best(terms, weights, k, bm25, average, allowed, options.get("threshold", 0.0))
    if allowed is not None:
        options["mask"] = bitmap(allowed)
    hits = index.search(terms, weights, k, **options)
    np.testing.assert_array_equal(hits.ids, ids)
    np.testing.assert_array_equal(hits.scores, scores)


@settings(max_examples=80, deadline=None)
@given(passages, parameters, parameters, st.floats(0.5, 20.0), st.data())
def test_search_agrees_with_the_formula(lists, built, asked, average, data) -> None:
    collection = Collection(lists, [f"t{i}" for i in range(9)])
    terms = data.draw(st.lists(st.sampled_from([*collection.names, "unknown"]), unique=True, max_size=9))
    weights = data.draw(st.lists(st.sampled_from([0.0, 0.3, 1.0, 1.5, 7.0]), min_size=len(terms), max_size=len(terms)))
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=len(lists), max_size=len(lists))), bool)
    k = data.draw(st.integers(0, 50))
    with tempfile.TemporaryDirectory() as folder:
        index = collection.build(Path(folder), bm25=built)
        assert_best(index, collection, terms, weights, k)
        assert_best(index, collection, terms, weights, k, allowed=allowed)
        assert_best(index, collection, terms, weights, k, bm25=asked, average_length=average)
        assert_best(index, collection, terms, weights, k, bm25=asked, average_length=average, threshold=0.5)
        everything = collection.scores(terms, weights, asked, average)
        ids = data.draw(st.permutations(range(len(lists))))
        found = index.score(terms, weights, np.array(ids, np.int64), bm25=asked, average_length=average)
        np.testing.assert_array_equal(found, everything[ids])


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Collection, Bm25Index]:
    collection = zipf(70_000, 4000, seed=3)
    return collection, collection.build(tmp_path_factory.mktemp("large"), batch=4096)


def queries(seed: int, count: int, sizes: list[int]) -> list[list[str]]:
    rng = np.random.default_rng(seed)
    found = []
    for i in range(count):
        top = [30, 300, 4000][i % 3]
        found.append([f"t{j}" for j in rng.choice(top, size=min(sizes[i % len(sizes)], top), replace=False)])
    return found


@pytest.mark.parametrize("k", [1, 10, 1000])
def test_many_blocks_and_windows(large, k) -> None:
    collection, index = large
    for terms in queries(1, 24, [1, 2, 4, 6]):
        assert_best(index, collection, terms, collection.weights(terms), k)


def test_long_queries(large) -> None:
    collection, index = large
    for terms in queries(2, 4, [50, 200]):
        for k in (10, 1000):
            assert_best(index, collection, terms, collection.weights(terms), k)


def test_an_approximate_search_loses_little_and_tells_true_scores(large) -> None:
    collection, index = large
    lost = total = 0
    for terms in queries(6, 9, [6, 40, 100]):
        weights = collection.weights(terms)
        exact, near = index.search(terms, weights, 10), index.search(terms, weights, 10, approximate=0.9)
        np.testing.assert_array_equal(near.scores, index.score(terms, weights, near.ids))
        assert len(near) == len(exact)
        lost += len(np.setdiff1d(exact.ids, near.ids))
        total += len(exact)
    assert lost <= 0.05 * total


@pytest.mark.parametrize("share", [0.001, 0.03, 0.5, 0.999])
def test_filters(large, share) -> None:
    collection, index = large
    rng = np.random.default_rng(5)
    for terms in queries(3, 9, [2, 5, 30]):
        allowed = rng.random(len(collection.passages)) < share
        for k in (10, 1000):
            assert_best(index, collection, terms, collection.weights(terms), k, allowed=allowed)


def test_other_parameters_than_those_of_the_impacts(large) -> None:
    collection, index = large
    terms = ["t3", "t40", "t700"]
    weights = collection.weights(terms)
    for bm25 in (Bm25(0.9, 0.4), Bm25(2.0, 1.0), Bm25(0.0, 0.0)):
        for average in (collection.average * 0.7, collection.average * 1.01, collection.average * 5):
            for k in (10, 300):
                assert_best(index, collection, terms, weights, k, bm25=bm25, average_length=average)


def test_a_threshold_leaves_out_what_scores_less(large) -> None:
    collection, index = large
    terms = ["t5", "t60", "t200", "t900"]
    weights = collection.weights(terms)
    scores = index.search(terms, weights, 40).scores
    for threshold in (scores[0], scores[7], scores[39], 100.0):
        assert_best(index, collection, terms, weights, 40, threshold=float(threshold))


def test_equal_scores_rank_by_id(tmp_path) -> None:
    collection = Collection([[i % 3, 3] for i in range(40_000)])
    index = collection.build(tmp_path, batch=4096)
    for terms in (["t3"], ["t1", "t3"], ["t0", "t1", "t2"]):
        for k in (1, 10, 1000):
            assert_best(index, collection, terms, collection.weights(terms), k)


def test_gaps_beyond_16_bits_and_large_frequencies(tmp_path) -> None:
    lists = [[0]] * 400_000
    rng = np.random.default_rng(11)
    for place in (0, 130_000, 260_000, 390_000):
        for offset in range(64):
            lists[place + offset * 3] = [0, 1] + [2] * int(rng.integers(1, 6))
    lists[390_500] = [1] * 300 + [2] * 70_000 + [0]
    lists[390_501] = [2] * 254 + [1] * 255
    lists[390_502] = [2] * 256
    collection = Collection(lists)
    index = collection.build(tmp_path, batch=4096)
    assert int(index.arrays["widths"].max()) > 16
    for terms in (["t1"], ["t2"], ["t1", "t2"], ["t0", "t1", "t2"]):
        for k in (3, 100, 1000):
            assert_best(index, collection, terms, collection.weights(terms), k)


def test_batches_of_any_size_build_the_same_index(tmp_path) -> None:
    collection = zipf(900, 300, seed=7)
    one = collection.build(tmp_path / "one", batch=1)
    other = collection.build(tmp_path / "other", batch=900)
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)


def test_terms_are_found_in_the_order_of_their_bytes(tmp_path) -> None:
    names = ["zebra", "ant", "été", "日本", "an", "", "ante", "𐀀", "￿", "a\x00b", "a\x00"]
    collection = Collection([list(range(len(names)))], names)
    index = collection.build(tmp_path)
    numbers = index.records(names)[:, 0].tolist()
    assert sorted(numbers) == list(range(len(names)))
    assert index.records(["antelope", "zz", " ", "日", "b"])[:, 0].tolist() == [-1] * 5
    assert [names[i] for i in np.argsort(numbers)] == sorted(names)


def test_more_terms_than_are_remembered(large) -> None:
    _, index = large
    names = [f"t{i}" for i in range(4000)] + [f"no{i}" for i in range(4000)]
    first = index.records(names)[:, 0].tolist()
    assert index.records(list(reversed(names)))[:, 0].tolist() == first[::-1]
    assert all(number == -1 for number in first[4000:])


def test_document_frequencies_follow_deletions(large) -> None:
    collection, index = large
    terms = ["t0", "t1", "t17", "t400", "t3999", "unknown"]
    rng = np.random.default_rng(8)
    for share in (0.0, 0.0005, 0.2):
        deleted = np.flatnonzero(rng.random(index.passages) < share)
        expected = [len(np.setdiff1d(collection.postings(term)[0], deleted)) for term in terms]
        assert index.document_frequencies(terms, deleted).tolist() == expected
    assert index.document_frequencies(terms).tolist() == [len(collection.postings(term)[0]) for term in terms]


def test_index_and_reference_agree_with_bm25s(tmp_path) -> None:
    bm25s = pytest.importorskip("bm25s")
    collection = zipf(400, 200, seed=9)
    for number, (bm25, peer) in enumerate(
        (Bm25(k1, b), bm25s.BM25(method="lucene", k1=k1, b=b)) for k1, b in ((1.2, 0.75), (0.9, 0.4), (2.0, 1.0))
    ):
        index = collection.build(tmp_path / str(number), bm25=bm25)
        peer.index([[collection.names[t] for t in p] for p in collection.passages], show_progress=False)
        for terms in queries(4, 12, [1, 3, 8]):
            terms = [t for t in terms if index.document_frequencies([t])[0]]
            if not terms:
                continue
            expected = peer.get_scores(terms)
            weights = idf(index.document_frequencies(terms), 400).tolist()
            np.testing.assert_allclose(index.score(terms, weights, np.arange(400)), expected, atol=1e-4)
            reference = collection.scores(terms, collection.weights(terms), bm25, collection.average)
            np.testing.assert_allclose(reference, expected, atol=1e-4)


def test_idf_of_numbers_and_of_arrays() -> None:
    frequencies = np.array([0, 1, 17, 400], np.int64)
    by_hand = [math.log(1 + (400 - df + 0.5) / (df + 0.5)) for df in frequencies.tolist()]
    np.testing.assert_allclose(idf(frequencies, 400), by_hand, rtol=1e-13)
    assert [float(idf(df, 400)) for df in frequencies.tolist()] == idf(frequencies, 400).tolist()


def test_compiled_formulas_are_those_of_python() -> None:
    lengths = np.arange(1, 2000, 7).astype(np.float64)
    for k1, b in ((0.0, 0.0), (1.2, 0.75), (2.0, 1.0)):
        expected = norm(lengths, k1, b, 123.4)
        assert [formula.norm(length, k1, b, 123.4) for length in lengths.tolist()] == expected.tolist()
        assert [formula.saturation(3.0, value) for value in expected.tolist()] == saturation(3.0, expected).tolist()
        np.testing.assert_allclose(expected, [k1 * (1 - b + b * length / 123.4) for length in lengths.tolist()], rtol=1e-13)


def test_nothing_to_search(tmp_path) -> None:
    builder = Bm25Builder()
    builder.close(tmp_path / "a", tmp_path / "b", [])
    index = Bm25Index(tmp_path / "a", tmp_path / "b")
    assert len(index.search(["x"], [1.0], 10)) == 0
    assert index.document_frequencies(["x"]).tolist() == [0]
    full = Collection([[0, 1], [1], []]).build(tmp_path / "full")
    assert len(full.search([], [], 10)) == len(full.search(["none"], [1.0], 10)) == len(full.search(["t1"], [1.0], 0)) == 0
    assert full.search(["t1"], [1.0], 10, mask=np.zeros(1, np.uint64)).ids.tolist() == []


def test_wrong_arguments(tmp_path) -> None:
    index = Collection([[0, 1], [1], []]).build(tmp_path)
    with pytest.raises(ValueError, match="must differ"):
        index.search(["t0", "t0"], [1.0, 1.0], 3)
    with pytest.raises(ValueError, match="finite"):
        index.search(["t0"], [-1.0], 3)
    with pytest.raises(ValueError, match="finite"):
        index.search(["t0"], [float("nan")], 3)
    with pytest.raises(ValueError, match="2 terms but 1"):
        index.search(["t0", "t1"], [1.0], 3)
    with pytest.raises(ValueError, match="mask"):
        index.search(["t0"], [1.0], 3, mask=np.zeros(2, np.uint64))
    with pytest.raises(ValueError, match="local ids"):
        index.score(["t0"], [1.0], np.array([3]))
    with pytest.raises(ValueError, match="k1"):
        Bm25(k1=-1.0)
    builder = Bm25Builder()
    with pytest.raises(ValueError, match="indptr"):
        builder.add(np.array([0, 2]), np.array([1], np.int32))
    with pytest.raises(ValueError, match="negative"):
        builder.add(np.array([0, 1]), np.array([-1], np.int32))


def test_folders_that_do_not_belong_together_are_told(tmp_path) -> None:
    zipf(300, 50, seed=1).build(tmp_path / "one")
    zipf(200, 50, seed=2).build(tmp_path / "two")
    with pytest.raises(LibraryDamaged, match=r"do not fit together: .*impacts has"):
        Bm25Index(tmp_path / "one" / "structure", tmp_path / "two" / "impacts")
    with pytest.raises(LibraryDamaged, match="not listed"):
        Bm25Index(tmp_path / "one" / "impacts", tmp_path / "one" / "structure")


def test_bitmaps_and_spellings_are_those_of_the_passages(large) -> None:
    collection, index = large
    for term in ("t0", "t17", "t3999", "unknown"):
        bits = np.unpackbits(index.bitmap(term).view(np.uint8), bitorder="little")
        assert np.flatnonzero(bits).tolist() == collection.postings(term)[0].tolist()
    text, offsets, records = index.spellings(0, index.terms)
    found = [bytes(text[a:b]).decode() for a, b in pairwise(offsets)]
    assert found == sorted(t for t in collection.names if len(collection.postings(t)[0]))
    assert index.records(found)[:, 0].tolist() == list(range(len(found)))
    assert records[:, 1].tolist() == index.document_frequencies(found).tolist()
    assert index.read_terms(32, 40)[0] == [t.encode() for t in found[32:40]]
    with pytest.raises(ValueError, match="multiple of 16"):
        index.spellings(3, 9)
