"""Compressed token vectors: what the kernel scores is what plain numpy scores over the decoded vectors, and merging loses nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel.index.sealed import seal
from bookwheel.index.tokens.build import TokenBuilder
from bookwheel.index.tokens.codes import Codebook, byte_table, join, level_values, train
from bookwheel.index.tokens.index import TokenIndex


def passages(count: int, dimension: int, seed: int, longest: int = 30) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Token vectors as models give them: around a few hundred directions, unit length; some passages without a token."""
    random = np.random.default_rng(seed)
    lengths = random.integers(0, longest, count)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    topics = random.standard_normal((40, dimension))
    vectors = topics[random.integers(0, 40, indptr[-1])] + 0.7 * random.standard_normal((indptr[-1], dimension)) + 0.3
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    starts = random.integers(0, 900, indptr[-1])
    return indptr, vectors.astype(np.float32), np.stack([starts, starts + 5], axis=1).astype(np.int32)


def write(
    folder: Path, bits: int, data: tuple[np.ndarray, ...], pieces: int = 3, codebook: Codebook | None = None
) -> TokenIndex:
    indptr, vectors, spans = data
    with TokenBuilder(folder, bits, seed=3, codebook=codebook) as builder:
        for some in np.array_split(np.arange(len(indptr) - 1), pieces):
            if len(some):
                low, high = indptr[some[0]], indptr[some[-1] + 1]
                builder.append(indptr[some[0] : some[-1] + 2] - low, vectors[low:high], spans[low:high])
    return TokenIndex(folder)


def reference(index: TokenIndex, query: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    best, places = np.zeros((len(rows), len(query)), np.float32), np.full((len(rows), len(query)), -1)
    for at, vectors in enumerate(index.vectors(rows)):
        if len(vectors):
            scores = vectors @ query.T
            best[at], places[at] = scores.max(axis=0), scores.argmax(axis=0)
    return best, places


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize(("dimension", "tokens"), [(8, 1), (48, 5), (128, 33), (384, 16)])
def test_scores_are_those_of_the_decoded_vectors(tmp_path: Path, bits: int, dimension: int, tokens: int) -> None:
    index = write(tmp_path / "x", bits, passages(60, dimension, bits))
    query = np.random.default_rng(5).standard_normal((tokens, dimension)).astype(np.float32)
    rows = np.random.default_rng(6).permutation(60)
    best, places = index.max_sim(query, rows)
    wanted, where = reference(index, query, rows)
    assert best == pytest.approx(wanted, abs=2e-4)
    same = places == where
    decoded = index.vectors(rows)
    for at, token in zip(*np.nonzero(~same), strict=True):  # equal scores to within rounding
        assert decoded[at][places[at, token]] @ query[token] == pytest.approx(wanted[at, token], abs=2e-4)
    assert same.mean() > 0.95


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 4]), st.integers(1, 40), st.integers(0, 25))
def test_any_shape(tmp_path_factory: pytest.TempPathFactory, seed: int, bits: int, count: int, tokens: int) -> None:
    data = passages(count, 16, seed, longest=4)
    index = write(tmp_path_factory.mktemp("t") / "x", bits, data, pieces=1)
    query = np.random.default_rng(seed).standard_normal((tokens, 16)).astype(np.float32)
    rows = np.arange(count)
    best, places = index.max_sim(query, rows)
    assert best.shape == places.shape == (count, tokens)
    assert best == pytest.approx(reference(index, query, rows)[0], abs=1e-4)


def test_more_bits_lose_less(tmp_path: Path) -> None:
    data = passages(300, 64, 1)
    errors = []
    for bits in (1, 2, 4):
        index = write(tmp_path / str(bits), bits, data)
        decoded = np.concatenate(index.vectors(np.arange(300)))
        errors.append(float(np.square(decoded - data[1]).sum(axis=1).mean()))
    assert errors[0] > 2 * errors[1] > 8 * errors[2]
    assert errors[0] < np.pi / 2 - 1  # what factors that keep dot products unbiased cost at one bit, without centroids


def test_spans_and_places_lead_to_the_words(tmp_path: Path) -> None:
    indptr, vectors, spans = passages(20, 32, 2)
    index = write(tmp_path / "x", 4, (indptr, vectors, spans))
    row = int(np.argmax(np.diff(indptr)))
    token = int(indptr[row]) + 2
    best, places = index.max_sim(vectors[token : token + 1], np.array([row]))
    assert places[0, 0] == 2
    assert best[0, 0] == pytest.approx(1.0, abs=0.1)
    assert index.spans[token].tolist() == spans[token].tolist()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_merging_parts_of_one_codebook_keeps_every_code(tmp_path: Path, bits: int) -> None:
    data = passages(50, 32, 4)
    first = write(tmp_path / "a", bits, data)
    second = write(tmp_path / "b", bits, passages(30, 32, 9), codebook=first.codebook)
    merged = join([first.gather(np.arange(50)), second.gather(np.arange(30))])
    order = np.random.default_rng(0).permutation(80)
    with TokenBuilder(tmp_path / "c", bits, seed=3) as builder:
        builder.append_coded(merged.take(order[:30]))
        builder.append_coded(merged.take(order[30:]))
    index = TokenIndex(tmp_path / "c")
    query = np.random.default_rng(5).standard_normal((7, 32)).astype(np.float32)
    got = index.max_sim(query, np.argsort(order))
    parts = [first.max_sim(query, np.arange(50)), second.max_sim(query, np.arange(30))]
    assert np.array_equal(got[0], np.concatenate([part[0] for part in parts]))
    assert np.array_equal(got[1], np.concatenate([part[1] for part in parts]))


def test_parts_of_other_codebooks_are_recoded(tmp_path: Path) -> None:
    data = passages(60, 32, 4)
    first = write(tmp_path / "a", 4, data)
    second = write(tmp_path / "b", 4, passages(60, 32, 8))
    joined = join([first.gather(np.arange(60)), second.gather(np.arange(60))])
    before = np.concatenate(second.vectors(np.arange(60)))
    after = np.concatenate(joined.vectors()[60:])
    assert np.square(before - after).sum(axis=1).mean() < 0.05


def test_levels_are_the_best_for_normal_numbers() -> None:
    numbers = np.random.default_rng(0).standard_normal(200_000)
    for bits in (1, 2, 4):
        levels = level_values(bits)
        nearest = np.abs(numbers[:, None] - levels).argmin(axis=1)
        centres = [numbers[nearest == at].mean() for at in range(len(levels))]
        assert levels == pytest.approx(np.array(centres), abs=0.05)
        table = byte_table(bits)
        assert table[0b11100100][: 8 // bits].tolist() == [
            levels[0b11100100 >> bits * n & 2**bits - 1] for n in range(8 // bits)
        ]


def test_a_zero_vector_and_one_centroid(tmp_path: Path) -> None:
    vectors = np.zeros((3, 16), np.float32)
    book = train(vectors, 2, 0)
    assert len(book.centroids) == 1
    codes, factors, owners = book.encode(vectors)
    assert book.decode(codes, factors, owners) == pytest.approx(vectors)


def test_bad_input(tmp_path: Path) -> None:
    indptr, vectors, spans = passages(20, 32, 2)
    with pytest.raises(ValueError, match="1, 2 or 4, not 3"):
        TokenBuilder(tmp_path / "a", 3, seed=0)
    with pytest.raises(ValueError, match="multiple of 8, not 12"):
        train(np.zeros((4, 12), np.float32), 1, 0)
    builder = TokenBuilder(tmp_path / "a", 2, seed=0)
    with pytest.raises(ValueError, match="NaN"):
        builder.append(indptr, np.where(vectors > 0.2, np.nan, vectors), spans)
    builder.abandon()
    index = write(tmp_path / "x", 2, (indptr, vectors, spans))
    with pytest.raises(IndexError, match="20"):
        index.max_sim(vectors[:2], np.array([20]))
    with pytest.raises(ValueError, match=r"\(tokens, 32\)"):
        index.max_sim(vectors[:2, :16], np.array([0]))
    with pytest.raises(ValueError, match="finite"):
        index.max_sim(np.full((1, 32), np.nan, np.float32), np.array([0]))


def test_damage_is_told(tmp_path: Path) -> None:
    write(tmp_path / "x", 2, passages(20, 32, 2))
    listed = json.loads((tmp_path / "x" / "index.json").read_text())
    (tmp_path / "x" / "codes.npy").write_bytes((tmp_path / "x" / "codes.npy").read_bytes()[:-1])
    with pytest.raises(bookwheel.LibraryDamaged, match=r"codes\.npy"):
        TokenIndex(tmp_path / "x")
    listed["attributes"]["format"] = 9
    del listed["files"]["codes"]
    (tmp_path / "x" / "index.json").write_bytes(seal(listed))
    with pytest.raises(bookwheel.LibraryFormat, match="format 9"):
        TokenIndex(tmp_path / "x")


def test_altered_numbers_do_not_crash(tmp_path: Path) -> None:
    index = write(tmp_path / "x", 2, passages(20, 32, 2))
    random = np.random.default_rng(0)
    index.owners = random.integers(0, 65535, len(index.owners)).astype(np.uint16)
    index.factors = random.integers(0, 65535, len(index.owners)).astype(np.uint16).view(np.float16)
    index.indptr = random.integers(-(2**40), 2**40, len(index.indptr))
    index.max_sim(random.standard_normal((5, 32)).astype(np.float32), np.arange(20))
