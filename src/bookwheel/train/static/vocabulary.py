"""The vocabulary of a static model: the pieces of the model it starts from, and whole words that only this collection has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError
from ...analysis.words import split_words
from ...encode.static.built_in import StaticEncoder
from ...encode.static.wordpiece import normalise
from .bags import Bagger

__all__ = ["NewWords", "Vocabulary", "base_vocabulary"]

LONGEST = 40
"""Characters of a new word: a longer one is a code or an address."""
COUNTED = 400_000
"""Different words that are counted; the rarest are forgotten beyond."""


@dataclass(frozen=True)
class Vocabulary:
    """One piece a row; those inside a word begin with ``##``."""

    pieces: list[str]
    vectors: NDArray[np.float32]
    """Float32 (pieces, dimension): where training starts."""
    new: int
    """How many of the last rows are new words."""


def base_vocabulary(encoder: StaticEncoder) -> Vocabulary:
    """The pieces and vectors of a model. Raises `ModelError` where its files are damaged."""
    try:
        text = (encoder.folder / "vocabulary.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(
            f"{encoder.folder / 'vocabulary.txt'} is not readable ({error}); get the model's files again"
        ) from error
    pieces = text.split("\n")[:-1]
    vectors = encoder.table()
    if len(pieces) != len(vectors) or len(set(pieces)) != len(pieces):
        raise ModelError(
            f"the model in {encoder.folder} does not fit together: {len(pieces):,} lines in vocabulary.txt, some of them twice "
            f"perhaps, and {len(vectors):,} vectors; get its files again"
        )
    return Vocabulary(pieces, vectors, 0)


@dataclass
class NewWords:
    """Counts in how many texts each word occurs that the base cuts into several pieces."""

    bagger: Bagger
    known: set[str]
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, text: str) -> None:
        """Count the words of one text."""
        units: set[str] = set()
        for word in set(split_words(text)):
            if word not in self.known:
                units.update(normalise(word))
        self.counts.update(unit for unit in units if unit not in self.known and _is_word(unit))
        if len(self.counts) > COUNTED:
            self.counts = Counter(dict(self.counts.most_common(COUNTED // 2)))

    def chosen(self, most: int, least: int) -> list[str]:
        """At most ``most`` words that occur in ``least`` texts or more, the most frequent first, equal ones by the alphabet."""
        frequent = sorted((-count, word) for word, count in self.counts.items() if count >= least)
        return [word for _, word in frequent[:most]]

    def extended(self, base: Vocabulary, words: Iterable[str]) -> Vocabulary:
        """``base`` with ``words``, each of which starts as the sum of its pieces, so that no text's vector has changed yet."""
        added = [(word, rows) for word in words if (rows := self.bagger.of_word(word))]
        if not added:
            return base
        vectors = np.stack([base.vectors[rows].sum(0) for _, rows in added]).astype(np.float32)
        pieces = [*base.pieces, *(word for word, _ in added)]
        return Vocabulary(pieces, np.concatenate([base.vectors, vectors]), len(added))


def _is_word(unit: str) -> bool:
    return 3 < len(unit) <= LONGEST and unit.isalpha()
