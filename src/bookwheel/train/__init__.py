"""Training on one's own collection, inside a memory budget; a model that is not better on held-out queries is not written."""

from .static.result import StaticTraining
from .static.training import train_static

__all__ = ["StaticTraining", "train_static"]
