"""``spell(rare=0)``."""

from __future__ import annotations

from dataclasses import dataclass

from ...queries.spelling import corrected
from ...query import Query
from ..base import Context, Rewrite, whole

__all__ = ["Spell"]


@dataclass(frozen=True, slots=True)
class Spell(Rewrite):
    """Replaces words that the collection does not have by the nearest of its own.

    Words in up to ``rare`` passages are kept, with a clearly more frequent neighbour beside them.
    """

    name = "spell"
    summary = "corrects words that the collection does not have by its own words"
    source = "Damerau 1964; candidates by edits, then frequency, as in SymSpell (Garbe 2012)"
    needs = ("the vocabulary of bm25",)
    cost = "nothing where all words are known; about 30 ns a word of the vocabulary for each unknown one"

    rare: int = 0

    def __post_init__(self) -> None:
        whole("rare", self.rare, 0, 1000)

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query with its unknown words corrected."""
        return corrected(context, query, self.rare)
