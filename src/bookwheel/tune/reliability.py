"""Made queries put to the test: a panel of recipes is scored by them, and they are trusted as far as they agree among themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile

from ..library.library import Library
from ..progress import Progress, silent
from .made.collection import MadeCollection
from .made.masked import masked_library
from .panel import BATCH, panel_scores
from .temporary import beside
from .trust import Trust, trust

__all__ = ["measured_trust", "reliability", "rivals", "searchable"]

RIVALS = 20
"""Documents of each ranking that are looked at."""


def reliability(library: Library, made: MadeCollection, *, seed: int = 0, progress: Progress = silent) -> Trust:
    """How far to trust ``made``, by the order that it gives to the panel of recipes in a temporary copy of ``library``.

    Raises what `masked_library` and searching raise.
    """
    with searchable(library, made, progress=progress) as masked:
        return measured_trust(masked, made, seed=seed, progress=progress)


def measured_trust(masked: Library, made: MadeCollection, *, seed: int = 0, progress: Progress = silent) -> Trust:
    """The same in a copy that is `searchable` already."""
    scores = panel_scores(masked, made, progress=progress)
    return trust(scores.values, [made.made[query].way for query in scores.queries], rivals=rivals(masked, made), seed=seed)


def rivals(library: Library, made: MadeCollection) -> float | None:
    """The share of queries for which another document stands above every answer by words and by vectors alike.

    Two kinds of evidence that have nothing in common then say that it answers better: the judgments, in which one document
    counts, have holes. ``library`` is the masked one; None where it has no vectors. After Soboroff, Nicholas and Cahan (SIGIR
    2001) and Aslam and Savell (SIGIR 2003): what systems agree on is likely to be relevant.
    """
    if "dense" not in library._searcher.representations:
        return None
    queries = list(made.judged)
    found = 0
    for start in range(0, len(queries), BATCH):
        some = queries[start : start + BATCH]
        texts = [made.queries[query] for query in some]
        both = [library.rank_documents(texts, k=RIVALS, recipe=name) for name in ("bm25", "dense")]
        found += sum(
            bool(_above(words, made.qrels[query]) & _above(vectors, made.qrels[query]))
            for query, words, vectors in zip(some, *both, strict=True)
        )
    return found / max(1, len(queries))


def _above(ranking: Sequence[tuple[str, float]], answers: Mapping[str, int]) -> set[str]:
    """The documents above the first answer."""
    return {name for name, _ in takewhile(lambda one: one[0] not in answers, ranking)}


@contextmanager
def searchable(
    library: Library, made: MadeCollection, names: Sequence[str] | None = None, *, progress: Progress = silent
) -> Iterator[Library]:
    """The copy of ``library`` that the queries of ``made`` are searched in (`masked_library`), deleted at the end.

    ``names``: the encoders whose vectors are searched or read there; None for all.
    """
    with (
        beside(library.path, ".made-") as folder,
        masked_library(library, made, folder / "library", names, progress=progress) as masked,
    ):
        yield masked
