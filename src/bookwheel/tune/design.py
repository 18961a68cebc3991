"""What a tuner tries: recipes of one shape, and the parameters of BM25 that go with them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from ..kernels.bm25 import Bm25
from ..rank.normalisation import DEFAULT_NORMALISATION
from ..rank.recipe import Recipe, Retrieve, cut, fuse, pipe, scale
from ..rank.stages.base import Feedback, Rerank, Rewrite
from ..rank.stages.fuse.normalised import Normalised

__all__ = ["AXES", "Design", "Trial", "even"]

AXES = {
    "parts": "retrievers",
    "weights": "weights",
    "by": "normalisation",
    "bm25": "k1 and b",
    "candidates": "candidates of each part",
    "rewrite": "rewriting",
    "feedback": "feedback",
    "rerank": "reranking",
}
"""What is chosen, in the words of the result."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A recipe and the parameters of BM25 to search with."""

    recipe: Recipe
    bm25: Bm25

    @property
    def key(self) -> str:
        """One text for each trial."""
        return f"{self.recipe} | {self.bm25.k1:g} {self.bm25.b:g}"


@dataclass(frozen=True, slots=True)
class Design:
    """``rewrite >> fusion >> feedback >> fusion >> rerank``, whatever is None left out."""

    parts: tuple[str, ...]
    """Names of retrievers."""
    weights: tuple[int, ...]
    """Of each part, in twentieths or any other unit: only their ratios count."""
    bm25: Bm25
    by: str = DEFAULT_NORMALISATION
    candidates: int | None = None
    """Of each part of the fusion; None for as many as searches take anyway."""
    rewrite: Rewrite | None = None
    feedback: Feedback | None = None
    rerank: Rerank | None = None

    def change(self, **changes: Any) -> Design:
        """The design with some of it changed."""
        return replace(self, **changes)

    @property
    def fusion(self) -> Recipe:
        """The first stage."""
        total = sum(self.weights)
        parts: list[Recipe] = []
        for name, weight in zip(self.parts, self.weights, strict=True):
            part: Recipe = Retrieve(name)
            if self.candidates is not None and len(self.parts) > 1:
                part = cut(part, self.candidates)
            parts.append(part if len(self.parts) == 1 else scale(part, _rounded(Fraction(weight, total))))
        if len(parts) == 1:
            return parts[0]
        found = fuse(*parts)
        return found if self.by == DEFAULT_NORMALISATION else Normalised(found, self.by)

    @property
    def recipe(self) -> Recipe:
        """The recipe."""
        found = self.fusion
        if self.feedback is not None:
            found = pipe(pipe(found, self.feedback), found)
        if self.rewrite is not None:
            found = pipe(self.rewrite, found)
        return found if self.rerank is None else pipe(found, self.rerank)

    @property
    def trial(self) -> Trial:
        """What is searched."""
        return Trial(self.recipe, self.bm25)

    @property
    def work(self) -> Design:
        """The design without what costs no time to change: what has the same work takes about as long."""
        return replace(self, weights=even(len(self.parts)), bm25=Bm25(), by=DEFAULT_NORMALISATION)

    def differing(self, other: Design) -> list[str]:
        """The names of `AXES` in which two designs differ; weights only where the parts are the same."""
        found = [axis for axis in AXES if axis != "weights" and getattr(self, axis) != getattr(other, axis)]
        if self.parts == other.parts and len(self.parts) > 1:
            mine, theirs = (tuple(Fraction(w, sum(ws)) for w in ws) for ws in (self.weights, other.weights))
            found += ["weights"] if mine != theirs else []
        return sorted(found, key=list(AXES).index)

    def with_axis(self, axis: str, other: Design) -> Design:
        """This design with one of `AXES` as in ``other``."""
        if axis == "parts":
            return replace(self, parts=other.parts, weights=other.weights)
        return replace(self, **{axis: getattr(other, axis)})


def even(parts: int) -> tuple[int, ...]:
    """Equal weights."""
    return (1,) * parts


def _rounded(weight: Fraction) -> Fraction:
    """A weight that can be written in a recipe: with three decimals."""
    return Fraction(max(1, round(weight * 1000)), 1000)
