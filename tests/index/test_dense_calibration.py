"""What a query needs, by counting, equals what sorting all candidates says, ties and missing rows included."""

from __future__ import annotations

import numpy as np
import pytest

from bookwheel.index.dense import calibration
from bookwheel.index.dense.calibration import RECALL, find_rows, need_of


def sorted_places(ids, estimates, error, true, scores):  # type: ignore[no-untyped-def]
    """The rank of each true row among the candidates by their bounds, of equals the first; infinity for one that is not there."""
    where = {int(row): place for place, row in enumerate(ids)}
    slack = np.array(
        [(scores[-1] - estimates[where[row]]) / error[where[row]] if row in where else 50.0 for row in true.tolist()]
    )
    bounds = estimates + max(0.0, float(np.quantile(slack, RECALL))) * error
    order = sorted(range(len(ids)), key=lambda place: (-bounds[place], place))
    rank = {place: number for number, place in enumerate(order, 1)}
    return [rank[where[row]] if row in where else np.inf for row in true.tolist()]


@pytest.mark.parametrize("largest", [calibration.TABLE, 10])
def test_places_are_those_of_sorting(largest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "TABLE", largest)
    generator = np.random.default_rng(5)
    for _ in range(100):
        size = int(generator.integers(5, 200))
        ids = generator.permutation(3 * size)[:size]
        estimates = np.round(generator.normal(size=size), int(generator.integers(0, 3)))  # many are equal
        error = np.round(generator.random(size) + 0.1, 1)
        true = generator.permutation(3 * size)[: int(generator.integers(1, size))]
        scores = np.sort(generator.normal(size=len(true)))[::-1]
        need = need_of(find_rows(ids, true), estimates, error, scores)
        assert need.candidates.tolist() == sorted_places(ids, estimates, error, true, scores)
