"""Which passages stand with each query beside its answer, and what a teacher says of them.

They are those that it will have to put into order: the first by BM25, and of a library's own vectors where it has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...library.passage_texts import passage_texts
from ...library.reader import Reader
from ..data.negatives import NONE, SHARE
from ..data.pairs import LONGEST, Pair
from ..kept import Kept
from ..teachers.protocols import Teacher

__all__ = ["DEEP", "Lists", "candidates_of"]

DEEP = 16
"""Passages of a query beside its answer; at each step some of them are drawn."""
LOOKED_AT = 24
"""The first by BM25, of which those of the answer's own document are left out."""
BY_VECTORS = 4
"""Of the passages, those that vectors rank first and BM25 does not, at most."""
AT_ONCE, SLOWLY = 128, 8
"""Queries between two writes, which a kill can lose; of a teacher that isn't quick."""


@dataclass(frozen=True)
class Lists:
    """Of n pairs: ``passages`` int64 (n, `DEEP`), their numbers, or `NONE`; ``wanted`` float32 (n, 1 + `DEEP`), what the teacher says
    of the answer, then of each; NaN where there is no passage.
    """

    passages: NDArray[np.int64]
    wanted: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.passages)

    @property
    def count(self) -> NDArray[np.int64]:
        """Passages of each pair, int64 (n,)."""
        found: NDArray[np.int64] = (self.passages != NONE).sum(1)
        return found

    def no_answers(self) -> Lists:
        """Without passages that may be answers themselves: those that the teacher puts above `SHARE` of the answer's score."""
        near = self.wanted[:, 1:] >= SHARE * self.wanted[:, :1]
        wanted = self.wanted.copy()
        wanted[:, 1:][near] = np.nan
        return Lists(np.where(near, NONE, self.passages), wanted)


def candidates_of(
    library: Reader,
    pairs: Sequence[Pair],
    teacher: Teacher,
    kept: Kept,
    until: Callable[[], bool],
    advance: Callable[[int], None] = lambda _: None,
) -> Lists:
    """The lists of the first of ``pairs``: as many as there are until ``until`` says that the time is over, or as were kept.

    ``teacher``: its scores are what ``wanted`` has. Raises `ModelError`, `StorageError`.
    """
    scorer = _Scorer(library, teacher)
    found: list[Lists] = []
    closed = kept.fact("lists")
    count = AT_ONCE if teacher.quick else SLOWLY
    for start in range(0, len(pairs) if closed is None else int(closed), count):
        some = pairs[start : start + count]
        known = kept.read(f"lists-{start // count:05d}")
        if known is not None and len(known.get("passages", ())) == len(some):
            lists = Lists(known["passages"], known["wanted"])
        else:
            if closed is None and found and until():
                break
            lists = scorer.lists(some)
            kept.write(f"lists-{start // count:05d}", {"passages": lists.passages, "wanted": lists.wanted})
        found.append(lists)
        advance(len(some))
    # A run that is taken up again goes on with just these.
    kept.note(lists=sum(map(len, found)))
    return Lists(np.concatenate([one.passages for one in found]), np.concatenate([one.wanted for one in found]))


class _Scorer:
    def __init__(self, library: Reader, teacher: Teacher) -> None:
        self.library, self.teacher = library, teacher
        self.store = library._snapshot.store
        self.recipes: list[Any] = ["bm25"]
        if "dense" in library._searcher.representations:
            self.recipes.append("dense")

    def lists(self, pairs: Sequence[Pair]) -> Lists:
        """Of a few pairs."""
        queries = [pair.query for pair in pairs]
        ranked = [
            [ranking.hits.ids.tolist() for ranking in row]
            for row in self.library.rank_recipes(queries, self.recipes, LOOKED_AT)
        ]
        owners = self.store.documents_of(sorted({number for row in ranked for numbers in row for number in numbers}))
        chosen = [self._chosen(row, pair, owners) for row, pair in zip(ranked, pairs, strict=True)]
        numbers = sorted({number for some in chosen for number in some})
        place = {number: len(pairs) + at for at, number in enumerate(numbers)}
        texts = [pair.answer for pair in pairs] + passage_texts(self.store, numbers, LONGEST)
        which = [(at, text) for at, some in enumerate(chosen) for text in (at, *map(place.__getitem__, some))]
        scores = iter(self.teacher.scores(queries, texts, np.array(which, np.int64)).tolist())
        passages = np.full((len(pairs), DEEP), NONE, np.int64)
        wanted = np.full((len(pairs), 1 + DEEP), np.nan, np.float32)
        for at, some in enumerate(chosen):
            passages[at, : len(some)] = some
            wanted[at, : 1 + len(some)] = list(islice(scores, 1 + len(some)))
        return Lists(passages, wanted)

    def _chosen(self, ranked: Sequence[Sequence[int]], pair: Pair, owners: dict[int, tuple[int, str]]) -> list[int]:
        """The first of both rankings that are of another document than the answer."""
        others = [[one for one in numbers if one in owners and owners[one][0] != pair.document] for numbers in ranked]
        words = others[0]
        vectors = [one for numbers in others[1:] for one in numbers if one not in set(words[:DEEP])][:BY_VECTORS]
        return list(dict.fromkeys(words[: DEEP - len(vectors)] + vectors))
