"""What answering needs of a library, so that reading methods know nothing of files and databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence, Quote
from .options import AskOptions

if TYPE_CHECKING:
    from .refusal import Fitted

__all__ = ["Collection", "Wording"]


class Wording(Protocol):
    """How a library reads words."""

    def terms(self, text: str) -> list[tuple[int, int, tuple[str, ...]]]:
        """Start and end of each word of ``text`` that is no stop word, and the terms of the index that it stands for."""

    def idf(self, terms: Sequence[str]) -> Mapping[str, float]:
        """The inverse document frequency of terms of the index (0 or more); terms that it lacks have the greatest."""

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Unit vectors of ``texts`` (n, dimension) by the built-in encoder; None for a library without it."""


class Collection(Wording, Protocol):
    """One generation of a library, as answers read it."""

    def search(self, question: str, k: int, options: AskOptions) -> list[Evidence]:
        """The best ``k`` passages for ``question``, numbered from 1; ``options`` has the recipe, filter and history."""

    def text(self, document: str, passage: int, start: int, end: int) -> str:
        """The document's stored text from ``start`` to ``end`` (code points); ``passage`` is one of its passages."""

    def hidden(self, passage: int, start: int, end: int) -> bool:
        """Whether any of ``start`` to ``end`` of the text of the document of ``passage`` is not shown to its readers."""

    def places(self, quotes: Sequence[Quote]) -> list[str]:
        """Where each quote stands, for people."""

    def strengths(self, question: str, passages: Sequence[int]) -> NDArray[np.float64]:
        """BM25 score of each passage as a share of what the words of the question and one that the library lacks could reach (m,)."""

    def fitted(self) -> Fitted | None:
        """What tells whether a question is answered; None in a library that is too small to fit it on."""
