"""What a stage may ask of the library that it runs on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..query import Query
from ..retriever import Retriever

__all__ = ["Context", "LateScorer"]

T = TypeVar("T")


class LateScorer(Protocol):
    """A multi-vector representation with a query, which scores passages that other retrievers
    found.
    """

    @property
    def floor(self) -> float:
        """The lowest score it can give."""

    def score(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """The mean over the query's tokens of their best match in each passage, float32 (n,)."""


class Context(Protocol):
    """A library as the stages of a recipe see it. One context serves one search of one generation
    of the library.

    Ids are passage ids, int64 of shape (n,), in any order; answers come in the order of the ids.
    """

    # -- representations -----------------------------------------------------------------------------------------------

    @property
    def representations(self) -> Mapping[str, str]:
        """The name of each representation with its kind: ``sparse`` (``bm25`` is one), ``dense`` or
        ``tokens``.
        """

    def retriever(self, name: str, query: Query) -> Retriever:
        """The retriever ``name`` for ``query``, with the search's filter and the query's
        constraints applied.

        Raises `RecipeError` if there is no retriever of that name.
        """

    def encode(self, name: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Query vectors of ``texts`` in the dense representation ``name``: float32 (n, d), of unit
        length or zero.
        """

    def vectors(self, name: str, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Stored vectors of passages in the dense representation ``name``: float32 (n, d), zeros
        where there is none.
        """

    def token_vectors(self, name: str, ids: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """Stored token vectors of passages in the multi-vector representation ``name``: float32
        (tokens, d) each.
        """

    def token_scorer(self, name: str, query: Query) -> LateScorer:
        """Late interaction of ``query`` in the multi-vector representation ``name``."""

    # -- texts and documents -------------------------------------------------------------------------------------------

    def texts(self, ids: NDArray[np.int64]) -> list[str]:
        """Texts of passages as they were indexed, the document's title, if any, in the first line; of
        a passage of more than 32,768 characters the beginning.

        The text of a passage that was removed is empty.
        """

    def qualities(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """What is known of the documents of passages whatever is asked: float32 (n, qualities), in the order of `QUALITIES`; zeros
        for a passage that was removed or whose document cannot be read.
        """

    def sample(self, count: int) -> NDArray[np.int64]:
        """Up to ``count`` passages drawn at random with the library's seed, int64."""

    def passages_of(self, names: Sequence[str]) -> NDArray[np.int64]:
        """The passages of documents, in ascending order, int64.

        ``names``: ids of documents, paths of their files, or a single passage by its number
        (``#12``).
        """

    @property
    def fields(self) -> tuple[str, ...]:
        """The metadata fields that a filter can name."""

    # -- words ---------------------------------------------------------------------------------------------------------

    def analyze(self, text: str) -> list[str]:
        """The terms of ``text`` as BM25 indexes them, in order, repeats included."""

    def terms(self, ids: NDArray[np.int64]) -> list[dict[str, int]]:
        """The term frequencies of each passage, computed from its text as `texts` gives it."""

    def document_frequencies(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """The number of passages with each term, removed ones not counted, int64 (n,)."""

    def split(self, text: str) -> list[str]:
        """The words of ``text`` as they are written, in order."""

    def near_terms(self, term: str, distance: int) -> Mapping[str, int]:
        """The other terms of the vocabulary within ``distance`` edits (up to 2) of ``term``, with
        the number of edits.
        """

    def written(self, term: str, near: str) -> str | None:
        """A word that the collection writes for ``term``; of several the one nearest to ``near``."""

    @property
    def passages(self) -> int:
        """The number of passages, removed ones not counted."""

    @property
    def average_length(self) -> float:
        """The mean number of terms in a passage."""

    # -- running -------------------------------------------------------------------------------------------------------

    def resource(self, key: Hashable, make: Callable[[], T], *, generation: bool = False) -> T:
        """What ``make`` returned when ``key`` was first asked for: models and tables that searches
        share.

        With ``generation`` it is made again for each generation of the library.
        """

    def remaining(self) -> float:
        """Seconds left for the search, infinite without a limit. A slow stage gives its best
        ranking within them.
        """

    def note(self, sentence: str) -> None:
        """Add a sentence to the explanation of the ranking, for example that a model did not answer
        and why.
        """

    def take_notes(self) -> list[str]:
        """The notes since the last call; for the code that runs the stages."""
