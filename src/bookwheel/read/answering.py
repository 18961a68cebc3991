"""From a question to an answer: search, read, quote or write, and refuse where the documents do not say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from .answer import Answer
from .evidence import Evidence
from .options import AskOptions
from .protocols import Collection
from .quoting import quoted

__all__ = ["Event", "Found", "Token", "answer", "events"]


@dataclass(frozen=True, slots=True)
class Found:
    """The evidence, before anything is written."""

    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of what a model is writing: a draft that nothing has been verified of yet."""

    text: str


Event = Found | Token | Answer


def events(collection: Collection, question: str, options: AskOptions) -> Iterator[Event]:
    """What happens while a question is answered: `Found`, perhaps `Token` after `Token`, and last the `Answer`."""
    started = time.perf_counter()
    evidence = tuple(collection.search(question, options.passages, options))
    searched = time.perf_counter()
    yield Found(evidence)
    if not evidence:
        yield Answer(
            question, (), (), "quote", refused=True, reason="no passage was found", timings={"search": searched - started}
        )
        return
    claims = quoted(collection, question, evidence, options)
    done = time.perf_counter()
    yield Answer(question, claims, evidence, "quote", timings={"search": searched - started, "reading": done - searched})


def answer(collection: Collection, question: str, options: AskOptions) -> Answer:
    """The last of `events`."""
    for event in events(collection, question, options):
        if isinstance(event, Answer):
            return event
    raise AssertionError("every question ends with an answer")
