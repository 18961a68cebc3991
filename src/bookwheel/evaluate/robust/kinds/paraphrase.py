"""The same question in other words, by rules: how it asks, and common words for others that mean the same.

After the paraphrases of Penha, Câmara and Hauff, "Evaluating the Robustness of Retrieval Pipelines with Query Variation Generators"
(ECIR 2022). Rules keep the meaning more surely than a model would; they reach fewer queries, and the content words stay.
"""

from __future__ import annotations

import random
import re

from ..base import Variation, written_like

__all__ = ["PARAPHRASE"]

_OPENINGS = [
    (r"^how many\b", "what number of"),
    (r"^how much\b", "what amount of"),
    (r"^how (?:do|does|did)\b", "in what way {verb}"),
    (r"^(what|which) (is|are|was|were)\b", r"tell me \1 \2"),
    (r"^who (is|was|were|are)\b", r"name who \1"),
    (r"^when (is|was|did|does|do|were|are)\b", r"at what time \1"),
    (r"^where (is|was|did|does|do|were|are)\b", r"in what place \1"),
    (r"^why\b", "for what reason"),
    (r"^which\b", "what"),
    (r"^what\b", "which"),
    (r"^(is|are|was|were|do|does|did|can|could|has|have|will|would|should)\b", r"tell me: \1"),
]
_WORDS = {
    "because of": "due to",
    "due to": "because of",
    "such as": "like",
    "in order to": "to",
    "about": "regarding",
    "regarding": "about",
    "increases": "raises",
    "increase": "raise",
    "increased": "raised",
    "decreases": "lowers",
    "decrease": "lower",
    "decreased": "lowered",
    "reduces": "lowers",
    "reduce": "lower",
    "reduced": "lowered",
    "shows": "demonstrates",
    "show": "demonstrate",
    "causes": "leads to",
    "prevents": "stops",
    "requires": "needs",
    "require": "need",
    "obtain": "get",
    "obtained": "gotten",
    "used": "employed",
    "use": "employ",
    "using": "by means of",
    "large": "big",
    "big": "large",
    "small": "little",
    "many": "numerous",
    "several": "a number of",
    "begin": "start",
    "began": "started",
    "help": "assist",
    "found": "discovered",
    "with": "together with",
    "during": "in the course of",
    "between": "in between",
}
_WORD = re.compile(r"\b(" + "|".join(re.escape(one) for one in sorted(_WORDS, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def _paraphrase(text: str, dice: random.Random) -> str:
    opened = text
    for pattern, instead in _OPENINGS:
        match = re.match(pattern, text, re.IGNORECASE)
        if match is not None:
            words = match.expand(instead.replace("{verb}", match[0].split()[-1])).lower()
            opened = written_like(words, text) + text[match.end() :]
            break
    return _WORD.sub(lambda match: written_like(_WORDS[match[0].lower()], match[0]), opened)


PARAPHRASE = Variation(
    "other-words",
    "the question is put in other words, by rules",
    "Penha, Câmara and Hauff, ECIR 2022",
    _paraphrase,
    english=True,
)
