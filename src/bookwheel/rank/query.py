"""What a query is while a recipe runs: its text, and what stages made of it for each representation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Constraints", "Query", "TermWeights"]

TermWeights = Mapping[str, float]
"""Analysed terms of a sparse representation with the weight of each in the query, above 0 (1 for a word said once)."""

_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Constraints:
    """What every passage found must meet. Words and phrases are as a person wrote them, not yet analysed."""

    required: tuple[str, ...] = ()
    """Words and phrases (those with a space in them) that must occur: ``+word``, ``"a phrase"``."""
    excluded: tuple[str, ...] = ()
    """Words and phrases that must not: ``-word``."""
    where: str | None = None
    """A metadata filter beside the caller's own: ``year = 2020``."""
    without: tuple[int, ...] = ()
    """Passages that are not to be found: examples that others were sought by."""

    def __bool__(self) -> bool:
        return bool(self.required or self.excluded or self.where or self.without)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A query on its way through a recipe. Immutable: a stage gives a new one (`with_text`, `with_terms`, `with_vector`)."""

    text: str
    """What a retriever analyses or encodes, unless a stage said otherwise for its representation."""
    original: str = ""
    """What the person typed; ``text`` where a recipe has not begun."""
    sparse: Mapping[str, TermWeights] = field(default_factory=lambda: _NONE)
    """By name of a sparse representation (``bm25``, ``splade`` …): the query's terms instead of those of ``text``."""
    vectors: Mapping[str, NDArray[np.float32]] = field(default_factory=lambda: _NONE)
    """By name of a dense representation (``dense``, ``minilm`` …): the query's vector, shape (d,), instead of the encoded
    ``text``. Of a multi-vector representation: its token vectors, shape (tokens, d)."""
    constraints: Constraints = Constraints()
    history: tuple[str, ...] = ()
    """Earlier questions of the same conversation, oldest first."""

    def __post_init__(self) -> None:
        if not self.original:
            object.__setattr__(self, "original", self.text)

    def __reduce__(self) -> tuple[Any, ...]:  # the empty default mappings cannot be pickled
        return Query, (self.text, self.original, dict(self.sparse), dict(self.vectors), self.constraints, self.history)

    def with_text(self, text: str) -> Query:
        """The query with another text: what earlier stages had made of the old one is forgotten."""
        return replace(self, text=text, sparse=_NONE, vectors=_NONE)

    def with_terms(self, name: str, terms: TermWeights) -> Query:
        """The query with these ``terms`` for the sparse representation ``name``; the other representations as they are.

        Weights that are not above 0 and finite are left out; where none is left, the query stays as it is.
        """
        kept = {term: float(weight) for term, weight in terms.items() if 0 < weight < math.inf}
        return replace(self, sparse={**self.sparse, name: kept}) if kept else self

    def with_vector(self, name: str, vector: NDArray[np.float32]) -> Query:
        """The query with this ``vector`` for the dense or multi-vector representation ``name``; the others as they are.

        A vector of zeros, or with a number that is none, changes nothing.
        """
        sound = bool(np.isfinite(vector).all()) and bool(vector.any())
        return replace(self, vectors={**self.vectors, name: vector}) if sound else self

    def with_constraints(self, constraints: Constraints) -> Query:
        """The query with these constraints instead of its own."""
        return replace(self, constraints=constraints)
