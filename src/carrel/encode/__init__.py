"""Floor 2: text to vectors."""

from .base import DEFAULT, DenseEncoder, load_encoder

__all__ = ["DEFAULT", "DenseEncoder", "load_encoder"]
