"""How the benchmark chooses attention heads: by the definition, with loops."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from head_contrast import contrast


def test_contrast_is_the_share_of_a_softmax_above_chance() -> None:
    dice = np.random.default_rng(4)
    tables = [dice.random((3, 6)).astype(np.float32) for _ in range(5)]
    relevant = [dice.random(6) < 0.4 for _ in tables]
    relevant[0][:] = False
    relevant[1][:] = [True, False, False, False, False, False]
    tables[1][2] = [9, 0, 0, 0, 0, 0]
    found = contrast(tables, relevant)
    expected = np.zeros(3)
    counted = 0
    for table, wanted in zip(tables, relevant, strict=True):
        if not 0 < wanted.sum() < 6:
            continue
        counted += 1
        for head, row in enumerate(table.astype(np.float64)):
            parts = np.exp((row - row.mean()) / row.std() / 0.5)
            expected[head] += parts[wanted].sum() / parts.sum() - wanted.mean()
    np.testing.assert_allclose(found, expected / counted, atol=1e-9)
    assert found.argmax() == 2
    with pytest.raises(ValueError, match="cannot be compared"):
        contrast([tables[0]], [relevant[0]])
