"""The contrary: *does not* for *does*, *it is not true that …* for a statement, *anything but …* for words.

Weller, Lawrie and Van Durme, "NevIR: Negation in Neural Information Retrieval" (EACL 2024). What is relevant is no longer known, so that
this says how far a ranking hears the negation: one whose first ten documents stay has not.
"""

from __future__ import annotations

import random
import re

from ..base import Variation

__all__ = ["NEGATION"]

_VERBS = "is|are|was|were|does|do|did|can|could|will|would|should|has|have|had|must|may|might"
_AUXILIARY = re.compile(rf"\b(?:{_VERBS})\b", re.IGNORECASE)
_NOT = re.compile(rf"\b({_VERBS})(?: not|n['’]t)\b", re.IGNORECASE)
_VERBLIKE = re.compile(r"[a-z]{3,}(s|ed)$")


def _negation(text: str, dice: random.Random) -> str:
    if _NOT.search(text):
        return _NOT.sub(r"\1", text, count=1)
    if (match := _AUXILIARY.search(text)) is not None:
        return f"{text[: match.end()]} not{text[match.end() :]}"
    words = text.split()
    if len(words) > 3 and any(_VERBLIKE.fullmatch(word.lower()) for word in words[1:-1]):
        return f"It is not true that {text}"
    return f"anything but {text}" if words else text


NEGATION = Variation(
    "negation",
    "the contrary is asked",
    "Weller, Lawrie and Van Durme, NevIR, EACL 2024",
    _negation,
    english=True,
    keeps_meaning=False,
)
