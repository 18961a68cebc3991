"""What a step over lists is made of: queries with their answers and some of their candidates, as tokens."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...library.passage_texts import passage_texts
from ...library.store import Store
from ...memory.heap import trim_heap
from ..data.negatives import NONE
from ..data.pairs import LONGEST, Pair
from ..data.schedule import schedule
from .candidates import Lists

__all__ = ["ListBatches", "ListModel", "largest"]


class ListModel(Protocol):
    """What makes tokens of a query and its passages, for a loss over lists."""

    tokens: int
    """Of a text, or of a pair of them, at most."""

    def lists(self, queries: Sequence[str], texts: Sequence[str], wanted: NDArray[np.float32]) -> dict[str, Any]:
        """A batch of `ListLoss`: ``texts`` are those of the first query, then of the second, …; ``wanted`` (queries, passages)."""


class ListBatches(Sequence[dict[str, Any]]):
    """The batch of each of ``steps``, made when it is asked for, from ``seed`` alone; `ListLoss` says what is in it.

    Of each query the answer and ``others`` passages, drawn anew each time that the query comes; pairs with fewer are left out.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        lists: Lists,
        store: Store,
        model: ListModel,
        others: int,
        batch: int,
        seed: int,
    ) -> None:
        usable = np.flatnonzero(lists.count >= others)
        self.pairs = [pairs[at] for at in usable.tolist()]
        self.lists = Lists(lists.passages[usable], lists.wanted[usable])
        self.store, self.model, self.others, self.batch, self.seed = store, model, others, batch, seed
        self.steps: list[NDArray[np.int64]] = []

    def plan(self, steps: int) -> None:
        """Take so many steps."""
        self.steps = schedule(
            [pair.document for pair in self.pairs], self.batch, steps, self.seed, domains=[pair.domain for pair in self.pairs]
        )

    def close(self) -> None:
        """Let go of the model, and of its memory."""
        del self.model
        gc.collect()
        trim_heap()

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, step: Any) -> Any:
        """Queries with their passages; the answer comes first."""
        number = step % len(self.steps)
        draw = np.random.default_rng([self.seed, 23, number])
        queries: list[str] = []
        chosen: list[int] = []
        wanted = np.empty((len(self.steps[number]), 1 + self.others), np.float32)
        for row, at in enumerate(self.steps[number].tolist()):
            there = np.flatnonzero(self.lists.passages[at] != NONE)
            some = np.sort(draw.permutation(there)[: self.others])
            wanted[row] = self.lists.wanted[at][[0, *(some + 1)]]
            chosen += self.lists.passages[at][some].tolist()
            queries.append(self.pairs[at].query)
        found = passage_texts(self.store, chosen, LONGEST)
        texts: list[str] = []
        for row, at in enumerate(self.steps[number].tolist()):
            texts += [self.pairs[at].answer, *found[row * self.others : (row + 1) * self.others]]
        return self.model.lists(queries, texts, wanted)


def largest(model: ListModel, batch: int, others: int) -> dict[str, Any]:
    """A batch as large as any: what memory is planned for."""
    long = "a " * model.tokens
    return model.lists([long] * batch, [long] * batch * (1 + others), np.zeros((batch, 1 + others), np.float32))
