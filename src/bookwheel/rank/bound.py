"""Retrievers alone as a context: enough for recipes without stages."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from .._errors import RecipeError
from .query import Query
from .retriever import Retriever

__all__ = ["Bound"]

T = TypeVar("T")


class Bound:
    """Retrievers that are bound to a query already; whatever else a stage asks for raises `RecipeError`."""

    def __init__(self, retrievers: Mapping[str, Retriever]) -> None:
        self.retrievers = retrievers
        self._notes: list[str] = []

    @property
    def representations(self) -> Mapping[str, str]:
        """Their names; of what kind is not known."""
        return dict.fromkeys(self.retrievers, "")

    def retriever(self, name: str, query: Query) -> Retriever:
        """The retriever called ``name``, whatever the query."""
        return self.retrievers[name]

    def remaining(self) -> float:
        """No bound on time."""
        return float("inf")

    def note(self, sentence: str) -> None:
        """Keep ``sentence``."""
        self._notes.append(sentence)

    def take_notes(self) -> list[str]:
        """The notes since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def resource(self, key: Hashable, make: Callable[[], T], *, generation: bool = False) -> T:
        """What ``make`` gives."""
        return make()

    def encode(self, name: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """See the class."""
        self._refuse()

    def vectors(self, name: str, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See the class."""
        self._refuse()

    def token_vectors(self, name: str, ids: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """See the class."""
        self._refuse()

    def token_scorer(self, name: str, query: Query) -> NoReturn:
        """See the class."""
        self._refuse()

    def texts(self, ids: NDArray[np.int64]) -> list[str]:
        """See the class."""
        self._refuse()

    def documents(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """See the class."""
        self._refuse()

    def analyze(self, text: str) -> list[str]:
        """See the class."""
        self._refuse()

    def terms(self, ids: NDArray[np.int64]) -> list[dict[str, int]]:
        """See the class."""
        self._refuse()

    def document_frequencies(self, terms: Sequence[str]) -> NDArray[np.int64]:
        """See the class."""
        self._refuse()

    def split(self, text: str) -> list[str]:
        """See the class."""
        self._refuse()

    def near_terms(self, term: str, distance: int) -> Mapping[str, int]:
        """See the class."""
        self._refuse()

    def written(self, term: str, near: str) -> str | None:
        """See the class."""
        self._refuse()

    def sample(self, count: int) -> NDArray[np.int64]:
        """See the class."""
        self._refuse()

    def passages_of(self, names: Sequence[str]) -> NDArray[np.int64]:
        """See the class."""
        self._refuse()

    @property
    def fields(self) -> tuple[str, ...]:
        """See the class."""
        self._refuse()

    @property
    def passages(self) -> int:
        """See the class."""
        self._refuse()

    @property
    def average_length(self) -> float:
        """See the class."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise RecipeError("this recipe has a stage that needs a library's texts and statistics; search a library by it")
