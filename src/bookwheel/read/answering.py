"""From a question to an answer: search, read, quote or write, and refuse where the documents do not say."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence

from .answer import Answer, Claim
from .events import Event, Found, Token
from .evidence import Evidence
from .options import AskOptions
from .protocols import Collection
from .quoting import quoted

__all__ = ["Event", "Found", "Token", "answer", "events"]


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
    timings = {"search": searched - started, "reading": time.perf_counter() - searched}
    if options.model is None:
        yield Answer(question, claims, evidence, "quote", timings=timings)
    else:
        yield (yield from _written(collection, question, evidence, options, claims, timings))


def _written(
    collection: Collection,
    question: str,
    evidence: Sequence[Evidence],
    options: AskOptions,
    quotes: Sequence[Claim],
    timings: dict[str, float],
) -> Generator[Token, None, Answer]:
    """The pieces of a model's draft, then the answer that was verified."""
    from .written import written  # language models are not imported for a quoting answer

    began = time.perf_counter()
    made = yield from written(collection, question, evidence, options, quotes)
    timings |= {"writing": time.perf_counter() - began} | ({} if made.first is None else {"first": made.first})
    return Answer(
        question,
        made.claims,
        tuple(evidence),
        made.method,
        made.model,
        notes=made.notes,
        timings=timings,
        spent=made.spent,
        omitted=made.omitted,
    )


def answer(collection: Collection, question: str, options: AskOptions) -> Answer:
    """The last of `events`."""
    for event in events(collection, question, options):
        if isinstance(event, Answer):
            return event
    raise AssertionError("every question ends with an answer")
