"""Queries encoded by a table of token vectors, for passages that a transformer has encoded: an asymmetric Router's query side.

Source: sentence-transformers, ``Router`` with ``StaticEmbedding`` as its route of queries; `bookwheel.train.tower.table_training` makes
such tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError
from ..options import Options
from ..protocols import check_vectors, unit
from ..transformer.layout import Layout
from ..transformer.pooling import project
from .static_embedding import read

__all__ = ["QueryTable"]

AFTER = ("Dense", "Normalize")
"""Steps that may follow the table."""


class QueryTable:
    """Unit vectors of queries by ``layout``, whose first step is a StaticEmbedding; zeros for a query without any token.

    Raises `ModelError` where files are missing, damaged or do not fit together, or a further step is not known.
    """

    def __init__(self, layout: Layout, options: Options, name: str) -> None:
        first, *others = layout.modules
        if other := [module.kind for module in others if module.kind not in AFTER]:
            raise ModelError(
                f"{layout.whole} has a step {other[0]!r} after its table of queries, but bookwheel supports only "
                f"{', '.join(AFTER)} there; use another model"
            )
        self.name = name
        self._table = read(first.folder, name, mapped=True)
        self._dense = project(layout, self._table.dimension)
        width = len(self._dense[-1].weight) if self._dense else self._table.dimension
        self.dimension = min(options.dimension or width, width)
        self.query_prefix = layout.query_prefix if options.query_prefix is None else options.query_prefix
        dense = [(d.weight.tobytes(), None if d.bias is None else d.bias.tobytes()) for d in self._dense]
        settings = (self._table.sha256, dense, self.dimension, self.query_prefix)
        self.sha256 = hashlib.sha256(repr(settings).encode()).hexdigest()

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use while encoding: of the mapped table, what many queries read."""
        return int(self._table._vectors.nbytes) // 4

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension); raises `ModelError` for vectors that are not finite."""
        vectors = self._table.means([self.query_prefix + text for text in texts] if self.query_prefix else texts)
        for dense in self._dense:
            vectors = dense(vectors)
        return check_vectors(unit(vectors[:, : self.dimension]), self.name, len(texts), self.dimension)
