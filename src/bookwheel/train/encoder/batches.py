"""What an encoder is trained on, step by step: which pairs, with which negatives, as tokens."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ...evaluate.robust.kinds.paraphrase import PARAPHRASE
from ...library.passage_texts import passage_texts
from ...library.store import Store
from ..data.negatives import NONE
from ..data.pairs import LONGEST, Pair, hardness
from ..data.schedule import schedule
from ..data.typos import mistyped
from ..objectives.cached_contrast import ANSWER, NEGATIVE, QUERY
from ..teachers.protocols import Teacher
from .model import SentenceEncoder

__all__ = ["Batches"]

CHARACTERS = 6
"""Of a token, more than which hardly any text has in the mean."""


class Batches(Sequence[dict[str, Any]]):
    """The batch of each step, made when it is asked for; `CachedContrast` says what is in it.

    ``negatives``: of each pair the number of a passage, or `NONE`; it may change between steps. ``prefixes``: what the model wants
    before queries and before passages. ``teacher``: whose scores stand beside each text, for `CachedImitation`;
    it reads queries without faults. ``typos``, ``paraphrases``: the shares of queries that are mistyped, and in other words.
    ``easy_first``: see `schedule`.
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
        teacher: Teacher | None = None,
        typos: float = 0.0,
        paraphrases: float = 0.0,
        easy_first: bool = False,
    ) -> None:
        self.teacher, self.typos, self.paraphrases, self.easy_first = teacher, typos, paraphrases, easy_first
        self.pairs, self.store, self.model, self.prefixes, self.seed = pairs, store, model, prefixes, seed
        self.batch = batch
        self.rows = (3 if negatives else 2) * batch
        self.negatives = np.full(len(pairs), NONE, np.int64)
        self.plan(max(1, len(pairs) // batch))

    def plan(self, steps: int) -> None:
        """Take so many steps."""
        self.steps = schedule(
            [pair.document for pair in self.pairs], self.batch, steps, self.seed,
            domains=[pair.domain for pair in self.pairs], hardness=hardness(self.pairs) if self.easy_first else None,
        )  # fmt: skip

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
        asked = self._asked(step, chosen, some)
        rows = [(QUERY, pair, one.document, before_query + asked[pair]) for pair, one in enumerate(some)]
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
        taught = {} if self.teacher is None else {"taught": self._taught(self.teacher, some, rows)}
        tokens = self.model.tokenise([text for _, _, _, text in rows])
        order = torch.argsort(tokens["attention_mask"].sum(1), stable=True)
        columns = {name: torch.tensor([row[at] for row in rows]) for at, name in enumerate(("role", "pair", "document"))}
        number = step % len(self.steps)
        columns["draw"] = torch.arange(len(rows)) + (self.seed * 1_000_003 + number) * (1 << 20)
        found = {name: value[order] for name, value in (tokens | columns | taught).items()}
        found["draw"] = columns["draw"]  # by place, not by text
        return found

    def _asked(self, step: int, chosen: Sequence[int], some: Sequence[Pair]) -> list[str]:
        """The queries of a step, some of them in other words, some of them mistyped."""
        asked = [one.query for one in some]
        for kind, share, change in (("paraphrases", self.paraphrases, PARAPHRASE.change), ("typos", self.typos, mistyped)):
            if share:
                draws = [random.Random(f"{self.seed} {kind} {step % len(self.steps)} {at}") for at in chosen]
                asked = [change(one, draw) if draw.random() < share else one for one, draw in zip(asked, draws, strict=True)]
        return asked

    def _taught(self, teacher: Teacher, some: Sequence[Pair], rows: Sequence[tuple[int, int, int, str]]) -> Any:
        """The teacher's score of each text for each query, queries in columns: float32 (rows, 1, queries).

        NaN for the rows of queries, and for texts that a teacher which isn't quick reads with another query only. It reads about as
        much of a text as the model does: more would take it longer than the model's whole step.
        """
        before = len(self.prefixes[1])
        longest = before + CHARACTERS * self.model.tokens
        places = [at for at, row in enumerate(rows) if row[0] != QUERY]
        texts = [rows[at][3][before:longest] for at in places]
        own = [(rows[at][1], number) for number, at in enumerate(places)]
        every = [(query, number) for query in range(len(some)) for number in range(len(texts))]
        which = np.array(every if teacher.quick else own, np.int64)
        out = np.full((len(rows), 1, len(some)), np.nan, np.float32)
        out[np.array(places)[which[:, 1]], 0, which[:, 0]] = teacher.scores([one.query for one in some], texts, which)
        return torch.from_numpy(out)

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
            columns["taught"] = torch.zeros(rows, 1, self.batch)
        return found | columns | {"slopes": torch.zeros(rows, 1, dimension), "shares": torch.zeros(rows)}
