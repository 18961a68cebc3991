"""How far two judges agree: on grades (Cohen's kappa), and on the order of systems (Kendall's tau).

Kappa: Cohen, "A Coefficient of Agreement for Nominal Scales" (1960); weighted: Cohen, "Weighted Kappa" (1968). Tau: Kendall,
"The Treatment of Ties in Ranking Problems" (1945), the tau-b of scipy and of R.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._errors import UsageError

__all__ = ["Agreement", "agreement", "cohen_kappa", "kendall_tau"]

Weights = Literal["none", "linear", "quadratic"]
DRAWS = 1000
"""Draws for the interval of kappa."""


def kendall_tau(first: ArrayLike, second: ArrayLike) -> float:
    """Tau-b of two lists of scores of the same n things: 1 for the same order, -1 for the reverse, corrected for ties.

    NaN where one of them has nothing but ties (or fewer than two things). Raises `UsageError` for different lengths.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise UsageError(f"tau compares two lists of the same length, not {a.size:,} and {b.size:,} values")
    agreed = tied_a = tied_b = 0
    for at in range(len(a) - 1):  # row by row, so that n² numbers are never held
        x, y = np.sign(a[at + 1 :] - a[at]), np.sign(b[at + 1 :] - b[at])
        agreed += int((x * y).sum())
        tied_a += int((x == 0).sum())
        tied_b += int((y == 0).sum())
    pairs = len(a) * (len(a) - 1) // 2
    below = math.sqrt((pairs - tied_a) * (pairs - tied_b))
    return agreed / below if below else math.nan


def cohen_kappa(first: Sequence[int], second: Sequence[int], weights: Weights = "none") -> float:
    """Kappa of two judges' grades of the same things: 1 for full agreement, 0 for what chance gives.

    ``weights``: how much a disagreement counts: all alike, by its distance, or by its square. Grades need not be from 0 up; the
    distance of two is the difference of their values. NaN where both judges gave one and the same grade throughout, or
    nothing: chance alone would agree. Raises `UsageError` for different lengths.
    """
    if len(first) != len(second):
        raise UsageError(f"kappa compares two lists of the same length, not {len(first):,} and {len(second):,} grades")
    grades = sorted({*first, *second})
    return float(_kappa(_table(first, second, grades)[None], np.array(grades, np.float64), weights)[0])


def _table(first: Sequence[int], second: Sequence[int], grades: Sequence[int]) -> NDArray[np.float64]:
    """How often the first gave the grade of the row and the second that of the column."""
    place = {grade: at for at, grade in enumerate(grades)}
    table = np.zeros((len(grades), len(grades)))
    for one, other in zip(first, second, strict=True):
        table[place[one], place[other]] += 1
    return table


def _kappa(tables: NDArray[np.float64], grades: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Kappa of each table: (m, g, g) to (m,)."""
    apart = np.abs(grades[:, None] - grades[None, :])
    cost = (apart > 0).astype(np.float64) if weights == "none" else apart if weights == "linear" else apart**2
    total = tables.sum((1, 2))
    chance = np.einsum("mi,mj,ij->m", tables.sum(2), tables.sum(1), cost)
    found = np.full(len(tables), np.nan)
    known = chance > 0
    found[known] = 1 - (tables * cost).sum((1, 2))[known] * total[known] / chance[known]
    return found


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two judges on the pairs of query and document that both have judged."""

    pairs: int
    """Judged by both; what only one has judged is left out of all else."""
    only_first: int
    only_second: int
    same: float
    """The share of pairs with the same grade."""
    kappa: float
    """Of relevant (above 0) or not."""
    interval: tuple[float, float]
    """Of `kappa`: 95 of 100 of tables drawn anew have it between."""
    kappa_grades: float
    """Of grades, every disagreement counting alike."""
    kappa_linear: float
    kappa_quadratic: float
    relevant: tuple[float, float]
    """What share of the pairs each judge calls relevant."""
    higher: int
    """Pairs that the second judge grades higher than the first."""
    lower: int
    grades: tuple[int, ...]
    table: tuple[tuple[int, ...], ...]
    """How often the first gave the grade of the row, and the second that of the column."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON; None for what is not defined."""

        def plain(value: Any) -> Any:
            if isinstance(value, tuple):
                return [plain(one) for one in value]
            return None if isinstance(value, float) and math.isnan(value) else value

        return {name: plain(getattr(self, name)) for name in self.__slots__}


def agreement(first: Mapping[str, Mapping[str, int]], second: Mapping[str, Mapping[str, int]], seed: int = 0) -> Agreement:
    """Compare two judges' grades: query to document to grade. A negative grade ("not judged" to trec_eval) is left out.

    Raises `UsageError` where they have no pair in common.
    """
    one, other = _pairs(first), _pairs(second)
    both = [pair for pair in one if pair in other]
    if not both:
        raise UsageError("the two have no query and document in common; compare judgments of the same queries")
    a, b = [one[pair] for pair in both], [other[pair] for pair in both]
    grades = sorted({*a, *b})
    table = _table(a, b, grades)
    values = np.array(grades, np.float64)
    relevant = values > 0
    halves = np.stack([~relevant, relevant]).astype(np.float64)
    folded = halves @ table @ halves.T
    drawn = np.random.default_rng(seed).multinomial(len(both), (folded / folded.sum()).ravel(), DRAWS).reshape(-1, 2, 2)
    spread = _kappa(drawn.astype(np.float64), np.array([0.0, 1.0]), "none")
    spread = spread[~np.isnan(spread)]
    low, high = np.quantile(spread, [0.025, 0.975]).tolist() if len(spread) else (math.nan, math.nan)
    return Agreement(
        pairs=len(both),
        only_first=len(one) - len(both),
        only_second=len(other) - len(both),
        same=float(np.trace(table) / table.sum()),
        kappa=float(_kappa(folded[None], np.array([0.0, 1.0]), "none")[0]),
        interval=(low, high),
        kappa_grades=float(_kappa(table[None], values, "none")[0]),
        kappa_linear=float(_kappa(table[None], values, "linear")[0]),
        kappa_quadratic=float(_kappa(table[None], values, "quadratic")[0]),
        relevant=(float(folded[1].sum() / folded.sum()), float(folded[:, 1].sum() / folded.sum())),
        higher=sum(y > x for x, y in zip(a, b, strict=True)),
        lower=sum(y < x for x, y in zip(a, b, strict=True)),
        grades=tuple(grades),
        table=tuple(tuple(int(cell) for cell in row) for row in table),
    )


def _pairs(judged: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, str], int]:
    return {(query, document): grade for query, row in judged.items() for document, grade in row.items() if grade >= 0}
