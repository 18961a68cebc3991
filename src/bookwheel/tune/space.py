"""What there is to choose from in a library: retrievers, weights, normalisations, k1 and b, stages with their parameters.

Nothing here was fitted to a collection: grids span what the literature and the stages' own documentation use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

from ..kernels.bm25 import Bm25
from ..rank.normalisation import NORMALISATIONS
from ..rank.stages.base import Feedback, Rerank, Rewrite
from ..rank.stages.feedback.rm3 import Rm3
from ..rank.stages.feedback.rocchio import Rocchio
from ..rank.stages.feedback.vector_feedback import VectorFeedback
from ..rank.stages.rerank.cross import Cross
from ..rank.stages.rerank.late import Late
from ..rank.stages.rerank.neighbours import Neighbours
from ..rank.stages.rewrite.keywords import Keywords
from ..rank.stages.rewrite.spell import Spell

__all__ = ["Space"]

K1 = (0.5, 0.9, 1.2, 1.6, 2.2, 3.0)
B = (0.25, 0.5, 0.75, 0.9, 1.0)
UNITS = 10
"""Weights are tried in tenths, then in twentieths around the best."""
MOST_PARTS = 3
MOST_RETRIEVERS = 6


class Space:
    """The choices that one library allows. ``kinds``: its representations, name to kind. ``rerankers``: cross-encoders."""

    def __init__(self, kinds: Mapping[str, str], rerankers: Sequence[str] = ()) -> None:
        first = [name for name, kind in kinds.items() if kind in ("sparse", "dense")]
        self.retrievers = tuple(sorted(first, key=lambda name: (name != "bm25", name != "dense", name)))[:MOST_RETRIEVERS]
        self.dense = [name for name in self.retrievers if kinds[name] == "dense"]
        self.tokens = [name for name, kind in kinds.items() if kind == "tokens"]
        self.rerankers = list(rerankers)

    def families(self) -> list[tuple[str, ...]]:
        """The retrievers alone, in pairs and in threes."""
        return [parts for size in range(1, MOST_PARTS + 1) for parts in combinations(self.retrievers, size)]

    def weights(self, parts: int) -> list[tuple[int, ...]]:
        """All weights of ``parts`` parts in tenths, none of them 0."""
        if parts == 1:
            return [(1,)]
        return [found for found in product(range(1, UNITS), repeat=parts) if sum(found) == UNITS]

    def finer(self, weights: Sequence[int]) -> list[tuple[int, ...]]:
        """Weights in twentieths: those given, and where a twentieth goes from one part to another."""
        total = sum(weights)
        base = [round(2 * UNITS * weight / total) for weight in weights]
        found = {tuple(base)}
        for giver, taker in product(range(len(base)), repeat=2):
            if giver != taker and base[giver] > 1:
                moved = list(base)
                moved[giver] -= 1
                moved[taker] += 1
                found.add(tuple(moved))
        return sorted(found)

    def normalisations(self) -> list[str]:
        """All normalisations."""
        return list(NORMALISATIONS)

    def bm25(self) -> list[Bm25]:
        """A grid of k1 and b."""
        return [Bm25(k1, b) for k1 in K1 for b in B]

    def candidates(self) -> list[int]:
        """How many candidates each part of a fusion may select, where not 100."""
        return [30, 300, 1000]

    def rewriting(self) -> Iterator[Rewrite]:
        """Stages before the search."""
        yield Keywords()
        yield Spell()

    def feedback(self, parts: Sequence[str]) -> Iterator[Feedback]:
        """Stages between two searches by ``parts``."""
        if "bm25" in parts:
            for docs, terms, weight in ((3, 10, 0.9), (3, 20, 0.8), (10, 10, 0.9), (10, 10, 0.8), (10, 20, 0.7), (10, 40, 0.9)):
                yield Rm3(docs, terms, weight)
            yield Rocchio(10, 20, beta=0.1)
            yield Rocchio(10, 10, beta=0.25)
        for name in parts:
            if name in self.dense:
                yield VectorFeedback(3, "rocchio", 0.8, 0.2, name)
                yield VectorFeedback(10, "rocchio", 0.7, 0.3, name)
                yield VectorFeedback(3, "average", on=name)

    def reranking(self) -> Iterator[Rerank]:
        """Stages after the search."""
        for name in self.dense:
            for count, weight in ((8, 0.2), (8, 0.4), (20, 0.3), (8, 0.6)):
                yield Neighbours(name, 100, count, weight)
        for name in self.tokens:
            for candidates, weight in ((30, 1.0), (30, 0.5), (100, 0.5), (100, 0.3)):
                yield Late(candidates, name, weight)
        for model in self.rerankers:
            for candidates, weight in ((10, 1.0), (20, 1.0), (20, 0.5), (50, 0.5)):
                yield Cross(candidates, model, weight=weight)
