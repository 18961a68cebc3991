"""What an altered sentence has otherwise than the stored one, in words."""

from __future__ import annotations

from collections.abc import Sequence

from .comparison import asks, content, negations, same
from .tokens import Token

__all__ = ["difference"]


def difference(claim: Sequence[Token], stored: Sequence[Token]) -> str:
    """What the claim has otherwise than the stored sentence, in words."""
    if asks(stored) and not asks(claim):
        return "the text asks this, and does not say it"
    for kinds, word in ((("number", "date"), "number"), (("sign",), "sign")):
        mine = [token for token in claim if token.kind in kinds]
        theirs = [token for token in stored if token.kind in kinds]
        strange = [token.text for token in mine if not any(same(token, other) for other in theirs)]
        if strange:
            there = ", ".join(dict.fromkeys(token.text for token in theirs)) or f"no {word}"
            return f"it says {', '.join(strange)} where the text has {there[:80]}"
        if word == "number" and len(mine) <= len(theirs) and _shuffled(mine, theirs):
            return "the text has these numbers or dates in another order"
    words = {token.norm for token in stored}
    names = [token.text for token in claim if token.name and token.norm not in words]
    if names:
        return f"the text does not have {', '.join(names[:3])} there"
    if negations(claim) != negations(stored):
        return "a negation is in one of the two and not in the other"
    strange = [token.text for token in claim if content(token) and not any(same(token, other) for other in stored)]
    if strange:
        return f"the text does not say “{strange[0]}” there"
    return "the text has these words, but does not relate them so"


def _shuffled(mine: Sequence[Token], theirs: Sequence[Token]) -> bool:
    """Whether all of ``mine``, which are among ``theirs``, stand there, but not in this order."""
    rest = iter(theirs)
    return not all(any(same(token, other) for other in rest) for token in mine)
