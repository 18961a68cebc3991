"""Dense segments: what is written, merging, sketches, refusals, damage."""

from __future__ import annotations

import json
import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bookwheel._errors import LibraryDamaged, LibraryFormat
from bookwheel.index.dense import DenseBuilder, DenseIndex, merge
from bookwheel.index.dense import flat as dense_index
from bookwheel.index.dense.sketch import encode, random_rotation
from bookwheel.index.sealed import seal

Vectors = NDArray[np.float32]


def unit(n: int, d: int, seed: int = 0) -> Vectors:
    vectors = np.random.default_rng(seed).standard_normal((n, d)) + 0.4
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def built(folder: Path, vectors: Vectors, piece: int = 1000, **settings: int) -> DenseIndex:
    with DenseBuilder(folder, vectors.shape[1], **{"seed": 7, **settings}) as builder:
        for start in range(0, len(vectors), piece):
            builder.append(vectors[start : start + piece])
            assert builder.rows == min(start + piece, len(vectors))
    return DenseIndex(folder)


def decoded(codes: NDArray[np.uint8], n: int, d: int, bits: int) -> NDArray[np.float64]:
    """The odd whole numbers that codes stand for, (n, d)."""
    groups, vectors = len(codes), np.arange(64)
    places = np.where(vectors < 32, 2 * vectors, 2 * vectors - 63)
    planes = codes[:, :, places].transpose(0, 2, 1).reshape(groups * 64, bits, -1)[:n]
    unpacked = np.unpackbits(planes, axis=2, bitorder="little")[:, :, :d]
    return sum(2.0**bit * (2.0 * unpacked[:, bit] - 1) for bit in range(bits))


@pytest.mark.parametrize("d", [8, 96, 264])
def test_rotation_keeps_lengths_and_comes_from_the_seed(d: int) -> None:
    rotation = random_rotation(d, 3)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(d), atol=1e-5)
    np.testing.assert_array_equal(rotation, random_rotation(d, 3))
    assert np.abs(rotation - random_rotation(d, 4)).max() > 0.1


def test_one_bit_codes_are_signs() -> None:
    vectors, rotation = unit(130, 40), random_rotation(40, 1)
    centre = vectors.mean(axis=0)
    codes, factors = encode(vectors, centre, rotation, 1)
    assert codes.shape == (3, 8, 64)
    y = (vectors - centre) @ rotation
    np.testing.assert_array_equal(decoded(codes, 130, 40, 1), np.where(y > 0, 1, -1))
    expected = (y**2).sum(axis=1) / np.abs(y).sum(axis=1)
    np.testing.assert_allclose(factors.reshape(-1)[:130], expected, rtol=2e-3)
    assert not factors.reshape(-1)[130:].any()


def test_estimates_have_no_bias_and_more_bits_less_error() -> None:
    d, n = 64, 500
    vectors, queries = unit(n, d), unit(20, d, seed=5)
    true = queries @ vectors.T
    errors = {}
    for bits in (1, 2, 4):
        differences = []
        for seed in range(10):
            rotation = random_rotation(d, seed)
            codes, factors = encode(vectors, vectors.mean(axis=0), rotation, bits)
            z = decoded(codes, n, d, bits) * factors.reshape(-1, 1)[:n].astype(np.float64)
            estimate = (queries @ vectors.mean(axis=0))[:, None] + (queries @ rotation) @ z.T
            differences.append(estimate - true)
        errors[bits] = float(np.std(differences))
        assert abs(float(np.mean(differences))) < 0.002
    assert errors[4] < 0.4 * errors[2] < 0.4 * 0.7 * errors[1]
    assert errors[1] < 0.1


def test_vectors_are_kept_as_float16(tmp_path: Path) -> None:
    vectors = unit(150, 48)
    index = built(tmp_path, vectors, piece=7)
    np.testing.assert_array_equal(index.vectors, vectors.astype(np.float16))
    assert index.folder.damaged() == []


def test_the_pieces_appended_do_not_matter(tmp_path: Path) -> None:
    vectors, query = unit(3000, 32), unit(1, 32, seed=2)[0]
    one, many = built(tmp_path / "a", vectors, piece=3000), built(tmp_path / "b", vectors, piece=77)
    np.testing.assert_array_equal(one.vectors, many.vectors)
    a, b = one.search(query, 10), many.search(query, 10)
    np.testing.assert_array_equal(a.ids, b.ids)
    np.testing.assert_array_equal(a.scores, b.scores)


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    vectors = unit(2500, 32)
    a, b = built(tmp_path / "a", vectors), built(tmp_path / "b", vectors)
    for name in a.folder.sizes():
        assert a.folder.path(name).read_bytes() == b.folder.path(name).read_bytes(), name
    assert a.folder.attributes == b.folder.attributes


def test_merged_parts_search_as_one_whole(tmp_path: Path) -> None:
    vectors = unit(3300, 32)
    vectors[100] = 0
    sizes = [0, 700, 701, 2400, 3300]
    parts = [built(tmp_path / str(i), vectors[a:b]) for i, (a, b) in enumerate(pairwise(sizes))]
    whole = built(tmp_path / "whole", vectors)
    merge([(part, None) for part in parts], tmp_path / "merged")
    merged = DenseIndex(tmp_path / "merged")
    for name in whole.folder.sizes():
        assert merged.folder.path(name).stat().st_size == whole.folder.path(name).stat().st_size
    np.testing.assert_array_equal(merged.vectors, whole.vectors)
    for query in unit(5, 32, seed=4):
        for a, b in (
            (merged.exact(query, 15), whole.exact(query, 15)),
            (merged.search(query, 15, candidates=1500), whole.search(query, 15, candidates=1500)),
        ):
            np.testing.assert_array_equal(a.ids, b.ids)
            np.testing.assert_array_equal(a.scores, b.scores)


def test_merging_drops_deleted_rows_and_numbers_anew(tmp_path: Path) -> None:
    vectors = unit(500, 32)
    first, second = built(tmp_path / "a", vectors[:200]), built(tmp_path / "b", vectors[200:])
    keep = np.random.default_rng(1).random(500) < 0.6
    masks = []
    for part in (keep[:200], keep[200:]):
        padded = np.append(part, np.zeros(-len(part) % 64, dtype=bool))
        masks.append(np.packbits(padded, bitorder="little").view(np.uint64))
    merge([(first, masks[0]), (second, masks[1])], tmp_path / "merged", seed=11)
    merged = DenseIndex(tmp_path / "merged")
    np.testing.assert_array_equal(merged.vectors, vectors[keep].astype(np.float16))
    assert merged.seed == 11


def test_a_short_mask_does_not_merge(tmp_path: Path) -> None:
    index = built(tmp_path / "a", unit(100, 32))
    with pytest.raises(ValueError, match="mask"):
        merge([(index, np.ones(1, dtype=np.uint64))], tmp_path / "b")


def test_merging_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    a, b = built(tmp_path / "a", unit(10, 32)), built(tmp_path / "b", unit(10, 40))
    with pytest.raises(ValueError, match="dimension 32 and 40"):
        merge([(a, None), (b, None)], tmp_path / "c")
    with pytest.raises(ValueError, match="no segments"):
        merge([], tmp_path / "c")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.ones((3, 16)), r"\(n, 32\)"),
        (np.ones(32), r"\(n, 32\)"),
        (np.full((2, 32), np.nan), "row 0 holds NaN"),
        (np.array([[0.0] * 32, [np.inf] * 32]), "row 1 holds NaN, infinity"),
        (np.full((2, 32), 1e6), "beyond 65504"),
    ],
)
def test_wrong_vectors_are_refused(tmp_path: Path, wrong: NDArray[np.float64], message: str) -> None:
    builder = DenseBuilder(tmp_path, 32, seed=0)
    with pytest.raises(ValueError, match=message):
        builder.append(wrong)
    builder.abandon()


@pytest.mark.parametrize(("dimension", "bits"), [(0, 1), (33, 1), (8192, 1), (32, 3)])
def test_wrong_settings_are_refused(tmp_path: Path, dimension: int, bits: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        DenseBuilder(tmp_path, dimension, seed=0, bits=bits)


def test_building_takes_the_same_memory_however_long(tmp_path: Path) -> None:
    peaks = []
    vectors = unit(1000, 16)
    for pieces in (49, 98):
        builder = DenseBuilder(tmp_path / str(pieces), 16, seed=0)
        tracemalloc.start()
        for _ in range(pieces):
            builder.append(vectors)
        builder.close()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.25 * peaks[0]


def test_flipped_bits_do_not_crash_and_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense_index, "EXACT_ROWS", 0)
    generator = np.random.default_rng(0)
    for name in ("vectors", "sketch", "factors", "rotation", "centre"):
        folder = tmp_path / name
        index = built(folder, unit(300, 32))
        path = index.folder.path(name)
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8).copy()
        for place in generator.integers(128, len(data), 200):
            data[place] ^= 1 << int(generator.integers(0, 8))
        path.write_bytes(data.tobytes())
        damaged = DenseIndex(folder)
        for query in unit(5, 32, seed=1):
            for hits in (damaged.search(query, 10, candidates=50), damaged.exact(query, 10)):
                assert np.all((hits.ids >= 0) & (hits.ids < 300))
                assert np.isfinite(hits.scores).all()
        assert any(name in problem for problem in damaged.folder.damaged())


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"format": 1}, LibraryFormat),
        ({"dimension": 64}, LibraryDamaged),
        ({"dimension": "many"}, LibraryDamaged),
        ({"bits": 2}, LibraryDamaged),
        ({"reach": [[0.9, 0, 1, 1.0]]}, LibraryDamaged),
        ({"reach": [[0.9, 10, 100, -1.0]]}, LibraryDamaged),
        ({"reach": 5}, LibraryDamaged),
        ({"kind": "sparse"}, LibraryDamaged),
    ],
)
def test_a_description_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, object], error: type[Exception]) -> None:
    built(tmp_path, unit(100, 32))
    path = tmp_path / "index.json"
    content = json.loads(path.read_text())
    content["attributes"].update(change)
    path.write_bytes(seal(content))
    with pytest.raises(error, match="index"):
        DenseIndex(tmp_path)
