"""Searches over lists that are too long to be unrolled, alone and beside short ones, agree with the formula."""

from __future__ import annotations

import numpy as np
import pytest
from sparse_reference import Collection, bitmap

from bookwheel.index.inverted.bm25 import Bm25Index
from bookwheel.kernels.sparse.postings import BLOCK
from bookwheel.kernels.sparse.scan import SHORT_BLOCKS, WINDOW

PASSAGES, COMMON, RARE = 60_000, 16, 800


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Collection, Bm25Index]:
    """Terms 0 … 15 are in a sixth of the passages each, the later of them in the last two thirds only; the rest are rare."""
    dice = np.random.default_rng(11)
    common = dice.integers(0, COMMON, (PASSAGES, 6))
    common[: PASSAGES // 3] //= 2
    rare = COMMON + dice.integers(0, RARE, (PASSAGES, 2))
    lengths = dice.integers(1, 9, PASSAGES)
    rows = [row[:length] for row, length in zip(np.concatenate((rare, common), axis=1), lengths, strict=True)]
    collection = Collection(rows, [f"t{i}" for i in range(COMMON + RARE)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        return collection, collection.build(tmp_path_factory.mktemp("long"), batch=8192)


def asked(seed: int) -> list[list[str]]:
    """Queries of common terms, of rare ones, and of both."""
    dice = np.random.default_rng(seed)
    found = []
    for many, few in ((2, 0), (3, 1), (12, 2), (16, 0), (16, 60), (1, 30)):
        numbers = [*dice.choice(COMMON, many, replace=False), *(COMMON + dice.choice(RARE, few, replace=False))]
        found.append([f"t{i}" for i in numbers])
    return found


def test_the_lists_are_long(large) -> None:
    _, index = large
    assert (index.document_frequencies([f"t{i}" for i in range(COMMON // 2)]) > SHORT_BLOCKS * BLOCK).all()
    assert index.passages > 3 * WINDOW


@pytest.mark.parametrize("share", [None, 0.7, 0.1, 0.01, 0.0005])
def test_common_and_rare_terms(large, share) -> None:
    collection, index = large
    dice = np.random.default_rng(5)
    for terms in asked(4):
        weights = (np.asarray(collection.weights(terms)) * dice.choice([0.1, 1.0, 3.0], len(terms))).tolist()
        allowed = None if share is None else dice.random(PASSAGES) < share
        mask = None if allowed is None else bitmap(allowed)
        ids, scores = collection.best(terms, weights, 1000, index.bm25, index.average_length, allowed)
        for k in (1, 10, 1000):
            hits = index.search(terms, weights, k, mask=mask)
            np.testing.assert_array_equal(hits.ids, ids[:k])
            np.testing.assert_array_equal(hits.scores, scores[:k])
