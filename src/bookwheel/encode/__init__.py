"""Floor 2: text to vectors."""

from .protocols import (
    DEFAULT,
    DenseEncoder,
    SparseEncoder,
    SparseVectors,
    TokenEncoder,
    TokenVectors,
    encode_queries,
    load_encoder,
)

__all__ = [
    "DEFAULT",
    "DenseEncoder",
    "SparseEncoder",
    "SparseVectors",
    "TokenEncoder",
    "TokenVectors",
    "encode_queries",
    "load_encoder",
]
