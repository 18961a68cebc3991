"""What a static model is trained on: bags of passages, of their titles, and of sentences that stand for queries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...tune.made.wording import Wording
from ..data.passages import Passages
from ..data.stand_ins import StandIns
from .bags import Bagger, Bags

__all__ = ["PER_PASSAGE", "Batch", "Material"]

PER_PASSAGE = 1000
"""Bytes of memory that a passage takes, about: bags of a hundred words, of a title and of three sentences."""
CHUNK = 4096
"""Passages whose bags are joined at a time."""


@dataclass(frozen=True)
class Batch:
    """Pairs of a query and the text that answers it; ``answers`` are sums of bags, each with a factor for its counts."""

    queries: Bags
    answers: Bags
    groups: NDArray[np.int64]
    """The document of each."""


@dataclass(frozen=True)
class Material:
    """Bags of ``n`` passages and of what stands for queries; a query is taken out of the passage that answers it."""

    texts: Bags
    titles: Bags
    """Of each passage; empty where it has none."""
    documents: NDArray[np.int64]
    """Int64 (n,)."""
    queries: Bags
    passages: NDArray[np.int64]
    """Int64 (queries,): the passage of each query."""
    repeats: NDArray[np.float32]
    """Float32 (queries,): how often the query is taken out of the text."""
    of_title: NDArray[np.bool_]
    """Bool (queries,): whether it is the title, which is then no part of the answer."""

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return sum(bags.nbytes for bags in (self.texts, self.titles, self.queries)) + 29 * len(self.queries)

    @classmethod
    def of(cls, passages: Passages, bagger: Bagger, wording: Wording, seed: int, advance: Callable[[int], None]) -> Material:
        """Read the passages once."""
        parts: list[tuple[Bags, Bags, Bags]] = []
        positions: list[int] = []
        owners: list[int] = []
        repeats: list[float] = []
        of_title: list[bool] = []
        texts: list[str] = []
        titles: list[str] = []
        queries: list[str] = []

        def settle() -> None:
            parts.append((bagger(texts), bagger(titles), bagger(queries)))
            for some in (texts, titles, queries):
                some.clear()

        stand_ins = StandIns(wording, seed)
        for at, title, text in passages.texts():
            owner = len(positions)
            positions.append(at)
            texts.append(text)
            titles.append(title)
            for one in stand_ins.of(int(passages.ids[at]), int(passages.documents[at]), title, text):
                queries.append(one.query)
                owners.append(owner)
                repeats.append(float(len(one.spans)))
                of_title.append(one.is_title)
            if len(texts) >= CHUNK:
                settle()
            advance(1)
        settle()
        return cls(
            Bags.joined([part[0] for part in parts]),
            Bags.joined([part[1] for part in parts]),
            passages.documents[np.array(positions, np.int64)],
            Bags.joined([part[2] for part in parts]),
            np.array(owners, np.int64),
            np.array(repeats, np.float32),
            np.array(of_title, np.bool_),
        )

    def batch(self, chosen: NDArray[np.int64]) -> Batch:
        """The queries ``chosen`` with their answers."""
        queries, owners = self.queries.take(chosen), self.passages[chosen]
        out = queries.scaled(-self.repeats[chosen])
        title = self.titles.take(owners).scaled(np.where(self.of_title[chosen], 0, 1).astype(np.float32))
        return Batch(queries, Bags.side_by_side([self.texts.take(owners), title, out]), self.documents[owners])
