"""The variations of queries, by name."""

from __future__ import annotations

from types import MappingProxyType

from .base import Variation
from .kinds.case import LOWER, UPPER
from .kinds.contractions import CONTRACTIONS
from .kinds.morphology import FORMS
from .kinds.negation import NEGATION
from .kinds.paraphrase import PARAPHRASE
from .kinds.typos import NEIGHBOUR, OMISSION, SWAP
from .kinds.word_order import ORDER

__all__ = ["VARIATIONS"]

_ALL = (NEIGHBOUR, SWAP, OMISSION, LOWER, UPPER, ORDER, FORMS, CONTRACTIONS, PARAPHRASE, NEGATION)

VARIATIONS: MappingProxyType[str, Variation] = MappingProxyType({one.name: one for one in _ALL})
"""In the order in which they are told."""
