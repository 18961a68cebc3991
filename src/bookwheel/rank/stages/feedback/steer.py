"""``bm25 >> steer("smollm2", docs=5) >> bm25``: expansion by sentences that a language model picks
from the first passages.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ....language.ask import Asker
from ....language.prompts import load_prompt
from ..asking import non_empty, on_one_line, passages_shown
from ..written import WrittenExpansion

__all__ = ["Steer", "picked_sentences"]

SAME = 0.8
"""A sentence of the answer counts as a passage's if at least this share of its word pairs is in it."""
_WORD = re.compile(r"\w+")


def picked_sentences(asker: Asker, query: str, passages: Sequence[str], prompt: str = "steer") -> list[str]:
    """The sentences of ``passages`` that the model picked as answers to ``query``. Raises
    `ModelError`.

    Lei et al., "Corpus-Steered Query Expansion with Large Language Models" (2024). Only what
    is in the passages is used: a sentence of the answer counts if at least four fifths of its
    word pairs occur in one of theirs, and theirs is returned.
    """
    answer = asker.ask(load_prompt(prompt), query=on_one_line(query), passages=passages_shown(passages))
    sentences = [sentence for passage in passages for sentence in _sentences(passage)]
    pairs = [_pairs(sentence) for sentence in sentences]
    found: dict[str, None] = {}
    for said in _sentences(answer):
        wanted = _pairs(said)
        if not wanted:
            continue
        shares = [len(wanted & have) / len(wanted) for have in pairs]
        best = max(range(len(shares)), key=shares.__getitem__, default=-1)
        if best >= 0 and shares[best] >= SAME:
            found[sentences[best]] = None
    return non_empty(list(found), "picked no sentence of the passages")


def _sentences(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"(?<=[.!?])\s+|\n", text) if len(_WORD.findall(one)) > 3]


def _pairs(sentence: str) -> set[tuple[str, str]]:
    return set(itertools.pairwise(word.lower() for word in _WORD.findall(sentence)))


@dataclass(frozen=True, slots=True)
class Steer(WrittenExpansion):
    """Adds to the query, with ``weight``, the sentences of the first ``docs`` passages that a
    language model picks.

    The model can add nothing of its own. ``sentences`` picks them without a model.
    """

    name = "steer"
    summary = "adds the sentences of the first passages that a language model picks as answers"
    source = "Lei et al., Corpus-Steered Query Expansion with Large Language Models, EACL 2024"

    docs: int = 5

    def write(self, asker: Asker, query: str, passages: Sequence[str]) -> list[str]:
        """The sentences that it picked."""
        return picked_sentences(asker, query, passages)
