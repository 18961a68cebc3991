"""A query while a recipe runs: its text, and what stages made of it for each representation."""

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
"""Analysed terms of a sparse representation with their weights in the query, above 0 (1 for a term
that occurs once).
"""

_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Constraints:
    """What every result must fulfil. Words and phrases are as the user wrote them, not analysed."""

    required: tuple[str, ...] = ()
    """Words and phrases (those with a space) that must occur: ``+word``, ``"a phrase"``."""
    excluded: tuple[str, ...] = ()
    """Words and phrases that must not occur: ``-word``."""
    where: str | None = None
    """A metadata filter in addition to the search's own: ``year = 2020``."""
    without: tuple[int, ...] = ()
    """Passages that are not to be found: the examples that a query is made of."""
    alone: bool = False
    """Nothing else was asked: all that fulfils them is found, even what no word of the query ranks."""

    def __bool__(self) -> bool:
        return bool(self.required or self.excluded or self.where or self.without)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A query on its way through a recipe. Immutable: stages make new ones with the ``with_…``
    methods.
    """

    text: str
    """What retrievers analyse or encode, unless a stage gave their representation something else."""
    original: str = ""
    """What the user typed; the same as ``text`` at first."""
    sparse: Mapping[str, TermWeights] = field(default_factory=lambda: _NONE)
    """Weighted terms that replace those of ``text``, by the name of a sparse representation
    (``bm25``, ``splade`` …).
    """
    vectors: Mapping[str, NDArray[np.float32]] = field(default_factory=lambda: _NONE)
    """Vectors that replace the encoded ``text``, by the name of a representation.

    Of a dense one (``dense``, ``minilm`` …) shape (d,); of a multi-vector one its token vectors,
    shape (tokens, d).
    """
    constraints: Constraints = Constraints()
    history: tuple[str, ...] = ()
    """Earlier questions of the same conversation, oldest first."""

    def __post_init__(self) -> None:
        if not self.original:
            object.__setattr__(self, "original", self.text)

    def __reduce__(self) -> tuple[Any, ...]:  # the empty default mappings cannot be pickled
        return Query, (self.text, self.original, dict(self.sparse), dict(self.vectors), self.constraints, self.history)

    def with_text(self, text: str) -> Query:
        """The query with another text; terms and vectors that stages had made of the old one are
        dropped.
        """
        return replace(self, text=text, sparse=_NONE, vectors=_NONE)

    def with_terms(self, name: str, terms: TermWeights) -> Query:
        """The query with these ``terms`` for the sparse representation ``name``; other
        representations stay as they are.

        Weights that are not positive and finite are left out; if none is left, the query stays as
        it is.
        """
        valid = {term: float(weight) for term, weight in terms.items() if 0 < weight < math.inf}
        return replace(self, sparse={**self.sparse, name: valid}) if valid else self

    def with_vector(self, name: str, vector: NDArray[np.float32]) -> Query:
        """The query with this ``vector`` for the dense or multi-vector representation ``name``;
        others stay as they are.

        A vector of zeros, or with numbers that are not finite, changes nothing.
        """
        valid = bool(np.isfinite(vector).all()) and bool(vector.any())
        return replace(self, vectors={**self.vectors, name: vector}) if valid else self

    def with_constraints(self, constraints: Constraints) -> Query:
        """The query with these constraints instead of its own."""
        return replace(self, constraints=constraints)
