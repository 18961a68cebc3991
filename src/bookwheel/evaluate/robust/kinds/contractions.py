"""Contractions made and undone: *what is* and *what's*, *do not* and *don't* (Ribeiro et al., CheckList, ACL 2020)."""

from __future__ import annotations

import random
import re

from ..base import Variation, written_like

__all__ = ["CONTRACTIONS"]

_NOT = ["is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "would", "could", "should", "must", "need"]
_PAIRS = {
    "cannot": "can't",
    "will not": "won't",
    **{f"{verb} not": f"{verb}n't" for verb in _NOT},
    **{f"{word} {verb}": f"{word}'{end}" for word in ("what", "who", "where", "how", "that", "there", "it", "he", "she")
       for verb, end in (("is", "s"), ("will", "ll"), ("would", "d"))},
    **{f"{word} {verb}": f"{word}'{end}" for word in ("we", "you", "they") for verb, end in (("are", "re"), ("have", "ve"))},
    "i am": "i'm",
}  # fmt: skip
_LONG = re.compile(r"\b(" + "|".join(re.escape(one) for one in sorted(_PAIRS, key=len, reverse=True)) + r")\b", re.IGNORECASE)
_BACK = {short: long for long, short in reversed(_PAIRS.items()) if not short.endswith("'d")}
_SHORT = re.compile(r"\b(" + "|".join(re.escape(one) for one in sorted(_BACK, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def _contractions(text: str, dice: random.Random) -> str:
    plain = text.replace("’", "'")
    undone = _SHORT.sub(lambda match: written_like(_BACK[match[0].lower()], match[0]), plain)
    if undone != plain:
        return undone
    made = _LONG.sub(lambda match: written_like(_PAIRS[match[0].lower()], match[0]), plain)
    return made if made != plain else text


CONTRACTIONS = Variation(
    "contractions", "contractions are written out, or made", "Ribeiro et al., CheckList, ACL 2020", _contractions, english=True
)
