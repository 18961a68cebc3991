"""Runs a recipe for one query over retrievers that are already bound to that query.

carrel's one idea at this level: each retriever *selects* candidates cheaply, and all candidates are then *decided* on exact
scores of every retriever. A passage that only one retriever selected is scored by the others too, so nothing is missing
when scores are added and no rank is invented for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .._errors import UsageError
from .hits import Hits
from .normalise import DEFAULT_NORMALISATION, Affine, Normalisation, normalisation
from .parse import check
from .recipe import Cut, Fuse, Recipe, Retrieve

__all__ = ["DEFAULT_DEPTH", "Ranking", "Retriever", "run"]

DEFAULT_DEPTH = 100
"""Candidates that each part of a fusion selects where the recipe does not say (``bm25 % 1000``)."""

Rows = NDArray[np.float64]
"""Shape (leaves, n): what each retriever named in the recipe, left to right, contributes to n passages' scores."""


class Retriever(Protocol):
    """One representation of a library, bound to a query and a filter."""

    @property
    def floor(self) -> float:
        """The least score it can give: 0 for BM25, -1 for a cosine (used by ``tmm``)."""

    def retrieve(self, depth: int) -> Hits:
        """The best ``depth`` passages."""

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Exact scores of any passages, shape (n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A result with its explanation. All arrays are aligned with ``hits`` and float32 of shape (n,)."""

    hits: Hits
    parts: dict[str, NDArray[np.float32]]
    """What each retriever contributes: weight times normalised score. They add up to the score."""
    raw: dict[str, NDArray[np.float32]]
    """Each retriever's own score."""

    def __len__(self) -> int:
        return len(self.hits)


def run(
    recipe: Recipe,
    retrievers: Mapping[str, Retriever],
    k: int,
    depth: int | None = None,
    normalise: str = DEFAULT_NORMALISATION,
) -> Ranking:
    """The best ``k`` passages by ``recipe``.

    ``depth``: candidates of each part of a fusion that has no ``%`` of its own (at least ``k``; default ``DEFAULT_DEPTH``).
    ``normalise``: a name of ``NORMALISATIONS``. Equal scores are ordered by rising id. Raises ``RecipeError`` where the
    recipe needs a retriever that is not there, ``UsageError`` for a ``k`` or ``depth`` below 1.
    """
    if k < 1 or (depth is not None and depth < 1):
        raise UsageError(f"the number of results and of candidates must be at least 1, not {k if k < 1 else depth}")
    check(recipe, retrievers.keys())
    stage = _Runner(retrievers, DEFAULT_DEPTH if depth is None else depth, normalisation(normalise)).stage(recipe, k)
    names = [node.name for node in recipe.walk() if isinstance(node, Retrieve)]
    scores = stage.rows.sum(axis=0).astype(np.float32)
    return Ranking(Hits(stage.ids, scores), _by_name(names, stage.rows, add=True), _by_name(names, stage.raw, add=False))


@dataclass(slots=True)
class _Stage:
    """Candidates of one node, best first, and the means to score any other passage the same way."""

    ids: NDArray[np.int64]
    rows: Rows
    raw: NDArray[np.float32]
    floor: float
    score: Callable[[NDArray[np.int64]], tuple[Rows, NDArray[np.float32]]]


class _Runner:
    def __init__(self, retrievers: Mapping[str, Retriever], depth: int, fit: Normalisation) -> None:
        self.retrievers = retrievers
        self.depth = depth
        self.fit = fit

    def stage(self, node: Recipe, want: int) -> _Stage:
        """The best ``want`` candidates of ``node``."""
        match node:
            case Retrieve(name):
                return self.retrieve(name, want)
            case Cut(recipe, k):
                return self.stage(recipe, min(k, want))
            case Fuse(terms) if len(terms) == 1:
                return _weighted(self.stage(terms[0].recipe, want), float(terms[0].weight))
            case Fuse(terms):
                deep = max(self.depth, want)
                parts = [self.stage(t.recipe, t.recipe.k if isinstance(t.recipe, Cut) else deep) for t in terms]
                return self.fuse(parts, [float(t.weight) for t in terms], want)
        raise TypeError(f"not a recipe: {node!r}")

    def retrieve(self, name: str, want: int) -> _Stage:
        retriever = self.retrievers[name]

        def score(ids: NDArray[np.int64]) -> tuple[Rows, NDArray[np.float32]]:
            raw = retriever.score(ids)[np.newaxis]
            return raw.astype(np.float64), raw

        hits = retriever.retrieve(want).top(want)
        raw = hits.scores[np.newaxis]
        return _Stage(hits.ids, raw.astype(np.float64), raw, retriever.floor, score)

    def fuse(self, parts: list[_Stage], weights: list[float], want: int) -> _Stage:
        ids = np.unique(np.concatenate([part.ids for part in parts]))
        if not len(ids):
            width = sum(len(part.rows) for part in parts)
            return _Stage(ids, np.zeros((width, 0)), np.zeros((width, 0), np.float32), 0.0, _nothing(width))
        maps: list[Affine | None] = []
        rows: list[Rows] = []
        raws: list[NDArray[np.float32]] = []
        floor = 0.0
        for part, weight in zip(parts, weights, strict=True):
            filled, raw = _filled(part, ids)
            raws.append(raw)
            if not len(part.ids):  # found nothing: has nothing to say about this query
                maps.append(None)
                rows.append(filled)
                continue
            affine = self.fit(filled[0] if len(filled) == 1 else filled.sum(axis=0), part.floor)
            maps.append(affine)
            rows.append(_mapped(affine, weight, filled))
            floor += weight * ((part.floor - affine.shift) * affine.scale + affine.offset)

        def score(ids: NDArray[np.int64]) -> tuple[Rows, NDArray[np.float32]]:
            scored = [part.score(ids) for part in parts]
            mapped = [
                np.zeros_like(row) if affine is None else _mapped(affine, weight, row)
                for (row, _), affine, weight in zip(scored, maps, weights, strict=True)
            ]
            return np.concatenate(mapped), np.concatenate([raw for _, raw in scored])

        every = np.concatenate(rows)
        # Ordered as Hits are: by float32 score; ids are sorted, so a stable sort leaves equal scores by rising id.
        order = np.argsort(-every.sum(axis=0).astype(np.float32), kind="stable")[:want]
        return _Stage(ids[order], every[:, order], np.concatenate(raws)[:, order], floor, score)


def _filled(part: _Stage, ids: NDArray[np.int64]) -> tuple[Rows, NDArray[np.float32]]:
    """Scores of ``part`` for all of ``ids`` (sorted, a superset of its own): those it has, and the missing ones exactly."""
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
    """The affine map of the rows' sum, shared out over the rows."""
    share = len(rows)
    return ((rows - affine.shift / share) * affine.scale + affine.offset / share) * weight


def _weighted(stage: _Stage, weight: float) -> _Stage:
    def score(ids: NDArray[np.int64]) -> tuple[Rows, NDArray[np.float32]]:
        rows, raw = stage.score(ids)
        return rows * weight, raw

    return _Stage(stage.ids, stage.rows * weight, stage.raw, stage.floor * weight, score)


def _nothing(width: int) -> Callable[[NDArray[np.int64]], tuple[Rows, NDArray[np.float32]]]:
    return lambda ids: (np.zeros((width, len(ids))), np.zeros((width, len(ids)), np.float32))


def _by_name(names: list[str], rows: NDArray[np.floating], *, add: bool) -> dict[str, NDArray[np.float32]]:
    """One row a name: the sum of its rows, or (they are the same scores) the first."""
    named: dict[str, NDArray[np.floating]] = {}
    for name, row in zip(names, rows, strict=True):
        if name not in named:
            named[name] = row
        elif add:
            named[name] = named[name] + row
    return {name: row.astype(np.float32) for name, row in named.items()}
