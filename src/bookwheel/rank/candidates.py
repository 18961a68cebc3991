"""Candidates of one node of a recipe with the parts of their scores, and the fusion of several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..hits import Hits
from .normalisation import Affine, Normalisation
from .retriever import Retriever
from .stages.base import ExplainedHits
from .trace import Parts

__all__ = ["Candidates", "Gathered", "Rows", "fused"]

Rows = NDArray[np.float64]
"""Shape (names, n): what each retriever or stage, left to right, contributes to the scores of n
passages.
"""


@dataclass(slots=True)
class Candidates:
    """Candidates of one node, best first, and a function that scores any other passages the same
    way.
    """

    names: tuple[str, ...]
    ids: NDArray[np.int64]
    rows: Rows
    raw: NDArray[np.float32]
    """Scores before weights and normalisation: float32 (names, n)."""
    floor: float
    """The lowest possible score."""
    score: Callable[[NDArray[np.int64]], tuple[Rows, NDArray[np.float32]]]

    @classmethod
    def retrieved(cls, name: str, retriever: Retriever, want: int) -> Candidates:
        """The best ``want`` of a retriever."""

        def score(ids: NDArray[np.int64]) -> tuple[Rows, NDArray[np.float32]]:
            raw = retriever.score(ids)[np.newaxis]
            return raw.astype(np.float64), raw

        hits = retriever.retrieve(want).top(want)
        raw = hits.scores[np.newaxis]
        return cls((name,), hits.ids, raw.astype(np.float64), raw, retriever.floor, score)

    @classmethod
    def of_stage(cls, name: str, hits: Hits, floor: float | None) -> Candidates:
        """The hits of a stage. In a fusion, a passage that it did not rank gets its lowest score.

        ``floor``: its lowest possible score, None for the lowest that it gave.
        """
        if isinstance(hits, ExplainedHits):
            names = tuple(hits.parts)
            rows = np.array([hits.parts[part] for part in names], np.float64).reshape(len(names), len(hits))
            raw = np.array([hits.raw[part] for part in names], np.float32).reshape(len(names), len(hits))
        else:
            names, raw = (name,), hits.scores[np.newaxis]
            rows = raw.astype(np.float64)
        least = float(hits.scores[-1]) if len(hits) else 0.0

        def score(ids: NDArray[np.int64]) -> tuple[Rows, NDArray[np.float32]]:
            shape = (len(names), len(ids))
            return np.full(shape, least / len(names)), np.full(shape, np.nan, np.float32)

        return cls(names, hits.ids, rows, raw, least if floor is None else floor, score)

    def times(self, weight: float) -> Candidates:
        """The same candidates, all scores multiplied by ``weight``."""

        def score(ids: NDArray[np.int64]) -> tuple[Rows, NDArray[np.float32]]:
            rows, raw = self.score(ids)
            return rows * weight, raw

        return Candidates(self.names, self.ids, self.rows * weight, self.raw, self.floor * weight, score)

    def hits(self) -> Hits:
        """Ids and scores."""
        total = self.rows[0] if len(self.rows) == 1 else self.rows.sum(axis=0)
        return Hits(self.ids, total.astype(np.float32))

    def parts(self) -> Parts:
        """What each name contributes to the scores."""
        return _by_name(self.names, self.rows, add=True)

    def scores(self) -> Parts:
        """The own scores of each name."""
        return _by_name(self.names, self.raw, add=False)


@dataclass(frozen=True, slots=True)
class Gathered:
    """All candidates of several parts with the exact score that each part gives each of them."""

    names: tuple[str, ...]
    ids: NDArray[np.int64]
    """Rising, shape (n,)."""
    parts: list[Candidates]
    filled: list[Rows]
    """Of each part, shape (its names, n)."""
    raws: list[NDArray[np.float32]]
    """Scores before weights and normalisation, of the same shapes."""

    @classmethod
    def of(cls, parts: list[Candidates]) -> Gathered:
        """The candidates of ``parts``."""
        names = tuple(name for part in parts for name in part.names)
        ids = np.sort(np.concatenate([part.ids for part in parts]))
        ids = ids[np.concatenate((ids[:1] == ids[:1], ids[1:] != ids[:-1]))]  # np.unique hashes, which takes ten times as long
        both = [_filled(part, ids) for part in parts]
        return cls(names, ids, parts, [rows for rows, _ in both], [raw for _, raw in both])

    def fused(self, weights: list[float], want: int, fit: Normalisation) -> Candidates:
        """The best ``want`` by the weighted sum of the normalised scores."""
        names, ids = self.names, self.ids
        if not len(ids):
            width = len(names)
            return Candidates(names, ids, np.zeros((width, 0)), np.zeros((width, 0), np.float32), 0.0, _nothing(width))
        maps: list[Affine | None] = []
        rows: list[Rows] = []
        floor = 0.0
        for part, filled, weight in zip(self.parts, self.filled, weights, strict=True):
            if not len(part.ids):  # found nothing, so contributes nothing
                maps.append(None)
                rows.append(filled)
                continue
            affine = fit(filled[0] if len(filled) == 1 else filled.sum(axis=0), part.floor)
            maps.append(affine)
            rows.append(_mapped(affine, weight, filled))
            floor += weight * ((part.floor - affine.shift) * affine.scale + affine.offset)

        def score(ids: NDArray[np.int64]) -> tuple[Rows, NDArray[np.float32]]:
            scored = [part.score(ids) for part in self.parts]
            mapped = [
                np.zeros_like(row) if affine is None else _mapped(affine, weight, row)
                for (row, _), affine, weight in zip(scored, maps, weights, strict=True)
            ]
            return np.concatenate(mapped), np.concatenate([raw for _, raw in scored])

        every = np.concatenate(rows)
        # Ordered as Hits are, by float32 score; ids are sorted, so a stable sort leaves equal scores in
        # ascending order of id.
        order = np.argsort(-every.sum(axis=0).astype(np.float32), kind="stable")[:want]
        return Candidates(names, ids[order], every[:, order], np.concatenate(self.raws)[:, order], floor, score)


def fused(parts: list[Candidates], weights: list[float], want: int, fit: Normalisation) -> Candidates:
    """The best ``want`` of all candidates of ``parts`` by the weighted sum of their normalised
    scores.
    """
    return Gathered.of(parts).fused(weights, want, fit)


def _filled(part: Candidates, ids: NDArray[np.int64]) -> tuple[Rows, NDArray[np.float32]]:
    """Exact scores of ``part`` for all of ``ids``, which are sorted and include its own."""
    width = len(part.rows)
    rows, raw = np.zeros((width, len(ids))), np.zeros((width, len(ids)), np.float32)
    if not len(part.ids):
        return rows, raw
    at = np.searchsorted(ids, part.ids)
    rows[:, at], raw[:, at] = part.rows, part.raw
    if len(part.ids) < len(ids):
        missing = np.ones(len(ids), np.bool_)
        missing[at] = False
        rows[:, missing], raw[:, missing] = part.score(ids[missing])
    return rows, raw


def _mapped(affine: Affine, weight: float, rows: Rows) -> Rows:
    """The affine map of the rows' sum, divided among the rows."""
    share = len(rows)
    return ((rows - affine.shift / share) * affine.scale + affine.offset / share) * weight


def _nothing(width: int) -> Callable[[NDArray[np.int64]], tuple[Rows, NDArray[np.float32]]]:
    return lambda ids: (np.zeros((width, len(ids))), np.zeros((width, len(ids)), np.float32))


def _by_name(names: tuple[str, ...], rows: NDArray[np.floating], *, add: bool) -> Parts:
    """One row per name: the sum of its rows, or the first of them where they are the same scores."""
    if len(names) == 1:
        return {names[0]: rows[0].astype(np.float32)}
    found: dict[str, NDArray[np.floating]] = {}
    for name, row in zip(names, rows, strict=True):
        if name not in found:
            found[name] = row
        elif add:
            found[name] = found[name] + row
    return {name: row.astype(np.float32) for name, row in found.items()}
