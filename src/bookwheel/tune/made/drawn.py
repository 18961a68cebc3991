"""The documents that queries are made from: drawn with a seed, looked at one after another, in bounded memory."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..._errors import LibraryDamaged
from ...analysis.library_analyzer import stemmed_as
from ...library.reader import Reader
from ...library.results import StoredDocument
from ...library.wording import LibraryWording
from .wording import Wording

__all__ = ["LOOKED_AT", "Drawn"]

LOOKED_AT = 20_000
"""Documents that one way looks at."""
LONGEST = 1 << 20
"""Characters of a document that queries are made from; longer ones are left out, since one sentence says little of them."""


def _never(_: int) -> bool:
    return False


@dataclass(frozen=True)
class Drawn:
    """What a way makes queries of."""

    library: Reader
    seed: int
    numbers: Sequence[int]
    """Of the documents, in the order in which they were drawn."""
    wording: Wording
    model: Any = None
    """The language model, where one was named."""
    logs: Sequence[Path] = ()
    """Files of questions with answers, and of queries with clicks."""
    over: Callable[[int], bool] = _never
    """Whether the model, asked so often, is asked no more."""

    @classmethod
    def of(
        cls,
        library: Reader,
        seed: int,
        *,
        model: Any = None,
        logs: Sequence[Path] = (),
        over: Callable[[int], bool] = _never,
    ) -> Drawn:
        """Documents of ``library``: those whose numbers have the smallest hashes, at most `LOOKED_AT`.

        So a library that grew gives mostly the same ones again.
        """
        snapshot = library._snapshot
        numbers = snapshot.store.numbers(snapshot.generation)
        drawn = heapq.nsmallest(LOOKED_AT, ((_hash(seed, number), number) for number in numbers))
        settings = snapshot.manifest.settings
        fixed = settings.language if settings.language not in ("auto", "none") else None
        languages = (
            [fixed] if fixed else [stemmed_as(one) for one, held in snapshot.manifest.languages.items() if held.documents]
        )
        return cls(library, seed, [number for _, number in drawn], Wording(languages), model, tuple(logs), over)

    def documents(self) -> Iterator[StoredDocument]:
        """The documents in their order; damaged, very long ones and ids that several documents have are left out."""
        for number in self.numbers:
            try:
                document = self.library.document(number)
            except (LibraryDamaged, KeyError):
                continue
            if len(document.text) <= LONGEST and not self.library.full_ids(document.id):
                yield document

    def chance(self, *what: object) -> float:
        """A number from 0 up to 1 that depends on the seed and ``what`` alone."""
        return _hash(self.seed, *what) / (1 << 64)

    def words(self, text: str) -> list[tuple[int, int, float]]:
        """Start, end and weight of each word of ``text`` that is no function word: how rare its rarest term is (BM25's idf)."""
        known = self._reads.terms(text)
        weights = self._reads.idf(list(dict.fromkeys(term for _, _, terms in known for term in terms)))
        return [(start, end, max((weights[term] for term in terms), default=0.0)) for start, end, terms in known]

    @cached_property
    def _reads(self) -> LibraryWording:
        return LibraryWording(self.library._encoders, self.library._snapshot)


def _hash(seed: int, *what: object) -> int:
    text = "\0".join(map(str, (seed, *what)))
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")
