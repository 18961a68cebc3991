"""Queries made from a library, with judgments: for choosing recipes where nobody has judged."""

from .collection import COUNT, DEFAULT_WAYS, MadeCollection, made_collection
from .masked import masked_library
from .query import MadeQuery
from .registry import WAYS

__all__ = ["COUNT", "DEFAULT_WAYS", "WAYS", "MadeCollection", "MadeQuery", "made_collection", "masked_library"]
