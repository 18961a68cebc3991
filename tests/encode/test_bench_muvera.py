"""The fixed-dimensional encodings that ``bench/late.py`` compares late interaction with."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel import UsageError
from bookwheel.encode.protocols import TokenVectors, unit

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from muvera import FixedEncoding, chamfer


def _tokens(seed: int, counts: list[int], dimension: int = 16) -> TokenVectors:
    rng = np.random.default_rng(seed)
    rows = unit(rng.standard_normal((sum(counts), dimension)) + rng.standard_normal(dimension)).astype(np.float32)
    return TokenVectors(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), rows, np.zeros((len(rows), 2), np.int32))


def test_fixed_encodings_with_one_region_are_sums_and_means() -> None:
    tokens = _tokens(0, [3, 0, 5])
    encoding = FixedEncoding(16, bits=0, repetitions=1)
    assert encoding.length == 16
    sums = [tokens.row(n)[0].sum(0) for n in range(3)]
    np.testing.assert_allclose(encoding.queries(tokens), sums, atol=1e-6)
    np.testing.assert_allclose(encoding.documents(tokens), [sums[0] / 3, sums[1], sums[2] / 5], atol=1e-6)


def test_fixed_encodings_approximate_chamfer_better_with_more_repetitions() -> None:
    documents = _tokens(2, [30] * 50)
    noise = np.random.default_rng(3).standard_normal((20 * 8, 16)) / 8
    rows = unit(np.concatenate([documents.row(n)[0][:8] for n in range(20)]) + noise).astype(np.float32)
    queries = TokenVectors(np.arange(0, 161, 8), rows, np.zeros((160, 2), np.int32))
    exact = np.array([[chamfer(queries.row(q)[0], documents.row(d)[0]) for d in range(50)] for q in range(20)])
    agreement = []
    for repetitions in (1, 5, 40):
        encoding = FixedEncoding(16, bits=4, repetitions=repetitions, seed=7)
        approximate = encoding.queries(queries) @ encoding.documents(documents).T / repetitions
        # Never above: a mean over a region is at most its largest product, an empty region's filler at most the largest of all.
        assert (approximate <= exact + 1e-4).all()
        agreement.append(np.mean([np.corrcoef(a, e)[0, 1] for a, e in zip(approximate, exact, strict=True)]))
    assert agreement[0] < agreement[1] < agreement[2]
    assert agreement[2] > 0.6


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 5), st.integers(1, 3))
def test_fixed_encodings_of_one_document_token_are_exact(seed: int, bits: int, repetitions: int) -> None:
    # With one token every region holds it, so the product is the Chamfer similarity itself.
    queries, documents = _tokens(seed, [4]), _tokens(seed + 1, [1])
    encoding = FixedEncoding(16, bits=bits, repetitions=repetitions, seed=seed)
    got = float((encoding.queries(queries) @ encoding.documents(documents).T)[0, 0]) / repetitions
    assert got == pytest.approx(chamfer(queries.row(0)[0], documents.row(0)[0]), abs=1e-4)


def test_fixed_encodings_are_seeded_and_projected() -> None:
    tokens = _tokens(3, [6, 2])
    same = [FixedEncoding(16, projected=4, seed=seed).documents(tokens) for seed in (1, 1, 2)]
    assert same[0].shape == (2, 20 * 16 * 4)
    np.testing.assert_array_equal(same[0], same[1])
    assert not np.array_equal(same[0], same[2])
    with pytest.raises(UsageError, match="projected is a number from 1 to 16, not 17"):
        FixedEncoding(16, projected=17)
