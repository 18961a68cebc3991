"""Queries to imitate a teacher by, without end: titles, sentences and runs of words of a library's passages, and questions made of runs.

Nobody has asked them, and few make sense; a teacher has a vector for each of them all the same, which is all that is learned.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ...read.sentences import spans
from ...tune.made.wording import one_line
from ..data.passages import Passages

__all__ = ["OPENINGS", "Text", "drawn_query", "texts_of"]

SHARES = {"title": 0.1, "sentence": 0.2, "question": 0.35, "keywords": 0.1}
"""Of the kinds of queries; the others are runs of words."""
FEWEST, MOST = 2, 12
"""Words of a run, and of keywords half as many at most."""
CHARACTERS = 2000
"""Of a passage, that queries are drawn from."""
_OPENINGS = {
    "english": "what is|what are|what was|what does|which|how does|how do|how is|how many|how much|why|why is|when did|when was|where|"
    "where is|who|who was|in what|in which|is|are|does|do|can|did",
    "german": "was ist|was sind|was war|welche|welcher|welches|wie|wie wird|wie viele|warum|weshalb|wann|wann wurde|wo|woher|wer|wer war|"
    "in welchem|ist|sind|kann|hat",
    "french": "qu'est-ce que|quel est|quelle est|quels|quelles|comment|combien de|pourquoi|quand|où|qui|qui était|dans quel|"
    "est-ce que",
    "spanish": "qué es|qué|cuál es|cuáles son|cómo|cuántos|cuánto|por qué|cuándo|dónde|quién|quién fue|en qué|es|puede",
    "italian": "che cos'è|che cosa|qual è|quali sono|come|quanti|quanto|perché|quando|dove|chi|chi era|in quale|è|può",
    "portuguese": "o que é|o que|qual é|quais são|como|quantos|quanto|por que|quando|onde|quem|quem foi|em que|é|pode",
    "dutch": "wat is|wat zijn|wat|welke|welk|hoe|hoe wordt|hoeveel|waarom|wanneer|waar|wie|wie was|in welk|is|zijn|kan",
}
OPENINGS: Mapping[str, Sequence[str]] = {language: told.split("|") for language, told in _OPENINGS.items()}
"""How questions begin, by language: words that a library's own texts hardly hold, and queries do."""


class Text(NamedTuple):
    """What queries are drawn from: a passage's title and beginning, and its language, where it is known."""

    title: str
    text: str
    language: str | None = None


def texts_of(passages: Passages) -> list[Text]:
    """Of all ``passages`` that hold any."""
    settings, store = passages.snapshot.manifest.settings, passages.snapshot.store
    ids = passages.ids.tolist()
    found = []
    for start in range(0, len(ids), AT_ONCE):
        found += store.languages_of(ids[start : start + AT_ONCE])
    return [
        Text(one_line(title), text[:CHARACTERS], found[at] or settings.language)
        for at, title, text in passages.texts()
        if title or text
    ]


def drawn_query(texts: Sequence[Text], draw: random.Random) -> str:
    """One query of one of ``texts``: its title, a sentence, a run of words, some words, or a run of words asked for."""
    title, text, language = draw.choice(texts)
    (kind,) = draw.choices([*SHARES, "run"], [*SHARES.values(), 1 - sum(SHARES.values())])
    if title and (kind == "title" or not text.strip()):
        return title
    sentence = one_line(text[slice(*draw.choice(list(spans(text)) or [(0, len(text))]))])
    words = sentence.split()
    if kind == "sentence" or len(words) <= FEWEST:
        return sentence
    if kind == "keywords":
        places = draw.sample(range(len(words)), draw.randint(1, min(MOST // 2, len(words))))
        return one_line(" ".join(words[at].strip(MARKS) for at in sorted(places)).lower()) or sentence
    count = draw.randint(FEWEST, min(MOST, len(words)))
    start = draw.randint(0, len(words) - count)
    run = " ".join(words[start : start + count])
    openings = OPENINGS.get(language or "")
    if kind != "question" or openings is None:
        return run
    asked = f"{draw.choice(openings)} {run.rstrip(MARKS)}"
    return f"{asked[:1].upper()}{asked[1:]}?" if draw.random() < MARKED else asked


MARKS = ".,;:!?()[]\"'"
MARKED = 0.7
"""Of the questions, those that begin with a capital letter and end in a question mark."""
AT_ONCE = 256
