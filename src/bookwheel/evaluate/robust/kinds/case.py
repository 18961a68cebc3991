"""Small and capital letters: all small, as in a search box, or all capital."""

from __future__ import annotations

import random

from ..base import Variation

__all__ = ["LOWER", "UPPER"]

_SOURCE = "Ribeiro et al., CheckList, ACL 2020 (invariance tests)"


def _lower(text: str, dice: random.Random) -> str:
    return text.lower()


def _upper(text: str, dice: random.Random) -> str:
    return text.upper()


LOWER = Variation("small-letters", "all letters are small", _SOURCE, _lower)
UPPER = Variation("capitals", "all letters are capitals", _SOURCE, _upper)
