"""Sentences of a passage that can stand for queries: the inverse cloze task.

It is the best of the tasks that Chang et al. compare, "Pre-training Tasks for Embedding-based Large-scale Retrieval" (2020). In part:
this one alone, for a static model. Their other two need the pages and links of an encyclopaedia.
"""

from __future__ import annotations

import random

from ...analysis.scripts import UNSPACED
from ...read.sentences import is_heading, spans

__all__ = ["SOURCE", "cloze"]

SOURCE = (
    "Lee, Chang and Toutanova, Latent Retrieval for Weakly Supervised Open Domain Question Answering (ACL 2019): inverse cloze"
)
LEAST, MOST = 4, 50
"""Words of a sentence."""
LEAST_CHARACTERS, MOST_CHARACTERS = 8, 150
"""Of one in a script without spaces."""
FEWEST = 2
"""Sentences of a passage, at least: the rest of it answers."""


def cloze(text: str, most: int, draw: random.Random) -> list[tuple[int, int]]:
    """Start and end of at most ``most`` sentences of ``text``, drawn; none of a text that has fewer than two."""
    places = list(spans(text))
    if len(places) < FEWEST:
        return []
    usable = [place for place in places if _is_sentence(piece := text[slice(*place)]) and not is_heading(piece)]
    return usable if len(usable) <= most else draw.sample(usable, most)


def _is_sentence(piece: str) -> bool:
    if UNSPACED.search(piece):
        return LEAST_CHARACTERS <= len(piece) <= MOST_CHARACTERS
    return LEAST <= len(piece.split()) <= MOST
