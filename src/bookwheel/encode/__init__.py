"""From text to vectors: dense, learned-sparse and token encoders, static, neural or remote."""

from .find import DEFAULT
from .load import load_encoder
from .protocols import (
    DenseEncoder,
    SparseEncoder,
    SparseVectors,
    TokenEncoder,
    TokenVectors,
    encode_queries,
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
