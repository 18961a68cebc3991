"""What a reranker is trained on, step by step: queries with their answers and some of their candidates, as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...library.passage_texts import passage_texts
from ...library.store import Store
from ..data.negatives import NONE
from ..data.pairs import LONGEST, Pair
from ..encoder.batches import schedule
from ..objectives.lists import READ
from .candidates import Lists
from .model import CrossScorer

__all__ = ["ListBatches", "largest"]


class ListBatches(Sequence[dict[str, Any]]):
    """The batch of each of ``steps``, made when it is asked for, from ``seed`` alone; `ListLoss` says what is in it.

    Of each query the answer and ``others`` passages, drawn anew each time that the query comes; pairs with fewer are left out.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        lists: Lists,
        store: Store,
        model: CrossScorer,
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
        self.steps = schedule([pair.document for pair in self.pairs], self.batch, steps, self.seed)

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
            queries += [self.pairs[at].query] * (1 + self.others)
        found = passage_texts(self.store, chosen, LONGEST)
        texts: list[str] = []
        for row, at in enumerate(self.steps[number].tolist()):
            texts += [self.pairs[at].answer, *found[row * self.others : (row + 1) * self.others]]
        return _batch(self.model, queries, texts, wanted)


def largest(model: CrossScorer, batch: int, others: int) -> dict[str, Any]:
    """A batch as large as any: what memory is planned for."""
    rows = batch * (1 + others)
    long = "a " * model.tokens
    return _batch(model, [long] * rows, [long] * rows, np.zeros((batch, 1 + others), np.float32))


def _batch(model: CrossScorer, queries: Sequence[str], texts: Sequence[str], wanted: NDArray[np.float32]) -> dict[str, Any]:
    tokens = model.tokenise(queries, texts)
    columns = {name: tokens[known].reshape((*wanted.shape, -1)) for name, known in READ.items() if known in tokens}
    return columns | {"wanted": torch.from_numpy(wanted)}
