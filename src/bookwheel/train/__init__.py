"""Training on one's own collection, inside a memory budget; a model that is not better on held-out queries is not written."""

from .sparse.result import SparseTraining
from .sparse.training import train_sparse
from .static.result import StaticTraining
from .static.training import train_static

__all__ = ["SparseTraining", "StaticTraining", "train_sparse", "train_static"]
