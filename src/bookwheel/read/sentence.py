"""The sentences of evidence: their words, and whether they may support anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from .comparison import content
from .evidence import Evidence, Quote
from .hostile import speaks_to_models
from .sentence_cuts import sentence_cuts
from .tokens import Token, tokens_of

__all__ = ["Sentence", "may", "sentences_in"]

AFTER_INSTRUCTION = 2
"""Sentences after one that speaks to a model which support nothing either."""
_ENGLISH = frozenset(("the", "of", "and", "in", "to", "is", "was", "a", "that", "for", "with", "by", "on", "are", "it", "as"))
_TAKEN_BACK = re.compile(
    r"(?i)^(?:but\s+)?(?:this|that|it|which)(?:\s+(?:is|was|has\s+(?:since\s+)?been)|['’]s)\s+(?:\w+\s+)?"
    r"(?:false|untrue|wrong|incorrect|mistaken|not\s+(?:true|so|the\s+case|correct)|a\s+(?:myth|lie|hoax|legend|mistake)|retracted|disproved"
    r"|disproven|refuted|debunked|denied)\b"
)


@dataclass(frozen=True, eq=False)
class Sentence:
    """A sentence of the evidence."""

    evidence: Evidence
    start: int
    """Into the evidence's text."""
    end: int
    order: int
    """Its number among the sentences of this evidence."""
    english: bool
    usable: bool
    """False for a sentence that speaks to a model, or stands right after one, for the rest of a
    sentence that was cut, and for one that the next sentence takes back."""
    hostile: bool

    @property
    def text(self) -> str:
        """As it is stored."""
        return self.evidence.text[self.start : self.end]

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """Its words, numbers and signs."""
        return tokens_of(self.text)

    @cached_property
    def keys(self) -> frozenset[str]:
        """What a claim's content must be among."""
        return frozenset(_key(token) for token in self.tokens)

    def quote(self) -> Quote:
        """The sentence as a span of its document."""
        one = self.evidence
        return Quote(one.number, one.id, one.source, one.start + self.start, one.start + self.end, self.text)


def sentences_in(one: Evidence, hidden: bool) -> Iterator[Sentence]:
    """The sentences of a passage. ``hidden``: whether what a reader of its document does not see is usable."""
    english = _is_english(one.text)
    starts, _ = sentence_cuts(one.text)
    tainted, order = 0, 0
    for start, end in zip(starts, [*starts[1:], len(one.text)], strict=True):
        text = one.text[start:end]
        first, last = start + len(text) - len(text.lstrip()), end - len(text) + len(text.rstrip())
        if last <= first:
            continue
        hostile = speaks_to_models(text)
        unseen = not hidden and any(low < last and first < high for low, high in one.hidden)
        cut = order == 0 and one.start > 0 and one.text[first].islower()
        cut = cut or _TAKEN_BACK.match(one.text[end : end + 200].lstrip()) is not None
        yield Sentence(one, first, last, order, english, not (hostile or unseen or cut or tainted), hostile)
        tainted = AFTER_INSTRUCTION if hostile else max(0, tainted - 1)
        order += 1


def _is_english(text: str) -> bool:
    words = text.casefold().split()[:400]
    return sum(word in _ENGLISH for word in words) >= max(1, 0.12 * len(words))


def _key(token: Token) -> str:
    """By which a token and an inflected form of it are found alike."""
    if token.kind == "number":
        return str(token.value) if token.value is not None else token.text
    return token.norm if token.kind != "word" else token.norm[:3]


def may(tokens: Sequence[Token], *sentences: Sentence) -> bool:
    """Whether each word of ``tokens`` that carries meaning may be in one of the sentences: a quick look before a close one."""
    return all(any(_key(token) in one.keys for one in sentences) for token in tokens if content(token))
