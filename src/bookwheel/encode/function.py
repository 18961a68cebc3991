"""An encoder made of a Python function from texts to vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .protocols import check_vectors, unit

__all__ = ["FunctionEncoder"]


class FunctionEncoder:
    """``function(texts)`` gives an array (n, dimension) or a list of vectors; they are scaled to unit length.

    ``name`` and ``revision`` identify the encoder: change the revision when the function's vectors change.
    ``query_function`` encodes queries where that differs from encoding passages.
    """

    def __init__(
        self,
        function: Callable[[list[str]], Any],
        *,
        name: str | None = None,
        revision: str = "1",
        dimension: int | None = None,
        query_function: Callable[[list[str]], Any] | None = None,
        max_tokens: int | None = None,
        nbytes: int = 0,
    ) -> None:
        self.name = (
            name or f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__name__)}"
        )
        self.revision = revision
        self.max_tokens = max_tokens
        self.nbytes = nbytes
        self._function = function
        self._query_function = query_function or function
        self._dimension = dimension
        self.sha256 = hashlib.sha256(f"{self.name}\0{revision}".encode()).hexdigest()

    @property
    def dimension(self) -> int:
        """Of its vectors; found by calling the function with one text where it was not given."""
        if self._dimension is None:
            self._dimension = int(self._called(self._function, ["bookwheel"]).shape[1])
        return self._dimension

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of passages; raises `ModelError` for a result that is no such array."""
        return self._encode(self._function, texts)

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of queries."""
        return self._encode(self._query_function, texts)

    def _encode(self, function: Callable[[list[str]], Any], texts: Sequence[str]) -> NDArray[np.float32]:
        if not len(texts):
            return np.zeros((0, self.dimension), np.float32)
        vectors = self._called(function, list(texts))
        return unit(check_vectors(vectors, self.name, len(texts), self.dimension))

    def _called(self, function: Callable[[list[str]], Any], texts: list[str]) -> NDArray[np.float32]:
        try:
            vectors = np.asarray(function(texts), np.float32)
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"{self.name} does not give vectors of one length ({error}); it must give (n, dimension)"
            ) from error
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise ModelError(
                f"{self.name} gave an array of shape {vectors.shape} for {len(texts)} texts; it must give (n, dimension)"
            )
        return vectors
