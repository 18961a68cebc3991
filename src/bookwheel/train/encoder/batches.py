"""What an encoder is trained on, step by step: which pairs, with which negatives, as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...encode.protocols import DenseEncoder, encode_queries
from ...library.passage_texts import passage_texts
from ...library.store import Store
from ..data.negatives import NONE
from ..data.pairs import LONGEST, Pair
from ..objectives.cached_contrast import ANSWER, NEGATIVE, QUERY
from .model import SentenceEncoder

__all__ = ["Batches", "schedule"]

TRIED = 4
"""Batches' worth of pairs among which those of different documents are looked for."""


class Batches(Sequence[dict[str, Any]]):
    """The batch of each step, made when it is asked for; `CachedContrast` says what is in it.

    ``negatives``: of each pair the number of a passage, or `NONE`; it may change between steps. ``prefixes``: what the model wants
    before queries and before passages. ``teacher``: whose vectors of all texts stand beside them, for `CachedImitation`.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        store: Store,
        model: SentenceEncoder,
        prefixes: tuple[str, str],
        batch: int,
        seed: int,
        *,
        negatives: bool = True,
        teacher: DenseEncoder | None = None,
    ) -> None:
        self.teacher = teacher
        self.pairs, self.store, self.model, self.prefixes, self.seed = pairs, store, model, prefixes, seed
        self.batch = batch
        self.rows = (3 if negatives else 2) * batch
        self.negatives = np.full(len(pairs), NONE, np.int64)
        self.plan(max(1, len(pairs) // batch))

    def plan(self, steps: int) -> None:
        """Take so many steps."""
        self.steps = schedule([pair.document for pair in self.pairs], self.batch, steps, self.seed)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, step: Any) -> Any:
        """Rows by length, so that parts of a batch have little padding."""
        chosen = self.steps[step].tolist()
        some = [self.pairs[at] for at in chosen]
        passages = [int(self.negatives[at]) for at in chosen]
        wanted = [number for number in passages if number != NONE]
        owners = self.store.documents_of(wanted)
        before_query, before = self.prefixes
        rows = [(QUERY, pair, one.document, before_query + one.query) for pair, one in enumerate(some)]
        rows += [(ANSWER, pair, one.document, before + one.answer) for pair, one in enumerate(some)]
        rows += [
            (NEGATIVE, pair, owners[number][0], before + text)
            for (pair, number), text in zip(
                [(pair, number) for pair, number in enumerate(passages) if number != NONE],
                passage_texts(self.store, wanted, LONGEST),
                strict=True,
            )
            if number in owners
        ]
        taught = {} if self.teacher is None else {"taught": self._taught(self.teacher, rows)}
        tokens = self.model.tokenise([text for _, _, _, text in rows])
        order = torch.argsort(tokens["attention_mask"].sum(1), stable=True)
        columns = {name: torch.tensor([row[at] for row in rows]) for at, name in enumerate(("role", "pair", "document"))}
        number = step % len(self.steps)
        columns["draw"] = torch.arange(len(rows)) + (self.seed * 1_000_003 + number) * (1 << 20)
        found = {name: value[order] for name, value in (tokens | columns | taught).items()}
        found["draw"] = columns["draw"]  # by place, not by text
        return found

    def _taught(self, teacher: DenseEncoder, rows: Sequence[tuple[int, int, int, str]]) -> Any:
        """The teacher's unit vectors of the rows, which are in no particular order, float32 (rows, 1, dimension)."""
        found = np.empty((len(rows), teacher.dimension), np.float32)
        asked = [at for at, row in enumerate(rows) if row[0] == QUERY]
        told = [at for at, row in enumerate(rows) if row[0] != QUERY]
        before_query, before = (len(prefix) for prefix in self.prefixes)
        found[asked] = encode_queries(teacher, [rows[at][3][before_query:] for at in asked])
        found[told] = teacher.encode([rows[at][3][before:] for at in told])
        return torch.from_numpy(found)[:, None]

    def largest(self, dimension: int) -> dict[str, Any]:
        """A batch as large as any, with what follows from it: what memory is planned for."""
        rows = self.rows
        found = {name: value[:1].expand(rows, -1) for name, value in self.model.tokenise(["a " * self.model.tokens]).items()}
        role = torch.arange(rows) // self.batch
        columns = {
            "role": role,
            "pair": torch.arange(rows) % self.batch,
            "document": torch.arange(rows),
            "draw": torch.arange(rows),
        }
        if self.teacher is not None:
            columns["taught"] = torch.zeros(rows, 1, self.teacher.dimension)
        return found | columns | {"slopes": torch.zeros(rows, 1, dimension), "shares": torch.zeros(rows)}


def schedule(documents: Sequence[int], batch: int, steps: int, seed: int) -> list[NDArray[np.int64]]:
    """The pairs of each step, by number, in an order that is new each time through; of a document one a step, if it can be."""
    found: list[NDArray[np.int64]] = []
    waiting: list[int] = []
    epoch = 0
    size = min(batch, len(documents))
    while len(found) < steps:
        while len(waiting) < TRIED * size:
            waiting += np.random.default_rng([seed, 13, epoch]).permutation(len(documents)).tolist()
            epoch += 1
        chosen: dict[int, int] = {}
        for at in waiting[: TRIED * size]:
            if len(chosen) < size:
                chosen.setdefault(documents[at], at)
        own = list(chosen.values())
        taken = set(own)
        # Too few documents: some come twice, and are not set against each other.
        own += [at for at in dict.fromkeys(waiting[: TRIED * size]) if at not in taken][: size - len(own)]
        taken = set(own)
        rest, waiting = waiting, []
        for at in rest:
            if at in taken:
                taken.discard(at)
            else:
                waiting.append(at)
        found.append(np.array(own, np.int64))
    return found
